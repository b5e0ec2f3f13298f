"""The whole report, from NDJSON to the page; of other sizes: `python -m benchmarks.report 10000`."""

import json
import random
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from benchmarks.measure import Line, used
from benchmarks.tables import answers
from imr_fhir.due import add_months
from imr_fhir.reporting.making_report import make
from imr_fhir.scale import RATERS, scale

SIZES = (100_000, 1_000_000)
OCCASIONS = 20  # of each patient: five years
EXPORTED = date(2026, 9, 1)
GOAL_SECONDS, GOAL_RESPONSES = 120, 1_000_000  # that many in that time; fewer are there to compare
UNITS = [f"Organization/unit-{number}" for number in range(12)]


def lines(sizes: tuple[int, ...] = SIZES) -> Iterator[Line]:
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            generate(folder, size)
            made = used(sys.executable, "from benchmarks.report import make_it; make_it(sys.argv[1])", str(folder))
            what = f"the whole report on {size:,} responses"
            if size >= GOAL_RESPONSES:
                yield Line(what, str(made), f"under {GOAL_SECONDS} s", made.wall < GOAL_SECONDS)
            else:
                yield Line(what, str(made), "to compare", None)


def make_it(name: str) -> None:
    folder = Path(name)
    make(folder, folder / "out", zone=ZoneInfo("Europe/Oslo"), now=datetime.now(UTC), exported=EXPORTED)


def generate(folder: Path, size: int) -> None:
    """``size`` responses of 3 kB by both raters, ``OCCASIONS`` of each patient, with a course each."""
    chance = random.Random(1)
    answered = {rater: [answers(chance, scale(rater)) for _ in range(100)] for rater in RATERS}
    files = {
        name: (folder / f"{name}-00001.ndjson").open("w", encoding="utf-8")
        for name in ("Patient", "EpisodeOfCare", "QuestionnaireResponse")
    }
    for number in range(size // (2 * OCCASIONS)):
        patient = f"p{number}"
        begun = date(2020, 1, 1) + timedelta(days=chance.randrange(600))
        files["Patient"].write(json.dumps({"resourceType": "Patient", "id": patient}) + "\n")
        course = {
            "resourceType": "EpisodeOfCare", "id": patient, "status": "active", "period": {"start": str(begun)},
            "patient": {"reference": f"Patient/{patient}"}, "managingOrganization": {"reference": chance.choice(UNITS)},
        }  # fmt: skip
        files["EpisodeOfCare"].write(json.dumps(course) + "\n")
        for k in range(OCCASIONS):
            for rater in RATERS:
                on = add_months(begun, 3 * k) + timedelta(days=chance.randrange(-10, 40))
                head = json.dumps(_head(f"{patient}-{k}-{rater}", patient, rater, on), separators=(",", ":"))
                files["QuestionnaireResponse"].write(f'{head[:-1]},"item":{chance.choice(answered[rater])}}}\n')
    for file in files.values():
        file.close()


def _head(key: str, patient: str, rater: str, on: date) -> dict[str, object]:
    return {
        "resourceType": "QuestionnaireResponse", "id": key, "status": "completed", "language": "en",
        "identifier": {"value": f"urn:uuid:{key}"}, "questionnaire": scale(rater).canonical,
        "subject": {"reference": f"Patient/{patient}"}, "authored": f"{on}T10:00:00+01:00",
        "author": {"reference": "Practitioner/kari"},
        "source": {"reference": f"Patient/{patient}" if rater == "client" else "Practitioner/kari"},
    }  # fmt: skip


if __name__ == "__main__":
    for line in lines(tuple(map(int, sys.argv[1:])) or SIZES):
        print(line)
