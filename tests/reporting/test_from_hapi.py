"""200 made-up patients on a server that nobody here wrote, exported and reported by command line: every figure again.

The server is this test's own: to take 200 patients off the shared one takes longer than to start another.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from imr_fhir.cli import main
from imr_fhir.reporting.export.patience import Patience
from tests import parts
from tests.export.test_hapi import soon
from tests.reporting.comparing import shown_differences
from tests.reporting.making import DAY, ZONE
from tests.reporting.on_server import OTHERS, group, put
from tests.reporting.page_comparing import page_differences
from tests.reporting.population import population, write_ndjson
from tests.reporting.recomputed import ALL, Recomputed, recompute
from tests.reporting.test_page_accounts import left_out_differences
from tests.servers import hapi

pytestmark = [pytest.mark.hapi, pytest.mark.xdist_group("java")]  # beside no other that starts one

PEOPLE = 200


@pytest.fixture(scope="module")
def filled() -> Iterator[str]:
    parts.need(parts.JAVA, parts.MAVEN)
    with hapi() as base:
        put(base, [*OTHERS, *population(PEOPLE), group(PEOPLE)])
        yield base


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Recomputed:
    """From the resources as they were put on the server."""
    folder = tmp_path_factory.mktemp("source")
    write_ndjson(population(PEOPLE), folder)
    return recompute(folder, DAY, ZONE)


def _by_command(*words: str) -> str:
    said = CliRunner().invoke(main, words)
    assert said.exit_code == 0, said.output
    return said.output


def _in_all(figures: Recomputed) -> dict[Any, int]:
    return {cell: n for cell, n in figures.counts.items() if cell[1] == ALL}


WAYS = {
    "$export, ids kept": ("--how", "bulk", "--keep-ids", "--with-unit-names"),
    "search, pseudonyms": ("--how", "search", "--pseudonym-key", "KEY"),
}


@pytest.mark.parametrize("how", WAYS)
def test_the_figures_are_those_of_the_server(
    how: str, filled: str, source: Recomputed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imr_fhir.reporting.export.export.Patience", lambda _: Patience(soon))
    export, report = tmp_path / "export", tmp_path / "report"
    words = [str(tmp_path / "keys" / "key") if word == "KEY" else word for word in WAYS[how]]
    _by_command("export", filled, str(export), "--group", "g-reporting", *words)
    said = _by_command("report", str(export), str(report), "--zone", str(ZONE), "--exported", DAY.isoformat())
    assert "Every line of the export is accounted for." in said
    exported = recompute(export, DAY, ZONE)
    assert _in_all(exported) == _in_all(source)
    assert (exported.items, exported.scores, exported.pairs) == (source.items, source.scores, source.pairs)
    assert exported.left_out == source.left_out
    assert shown_differences(report, exported) == []
    assert page_differences(report) == []
    assert left_out_differences(report, export) == []
    whole = {key: found for key, found in exported.change.items() if key[2] == ALL}
    assert whole == {key: found for key, found in source.change.items() if key[2] == ALL}
    everything = json.dumps([path.read_text(encoding="utf-8") for path in export.iterdir() if path.suffix == ".ndjson"])
    assert ("person-00001" in everything) == ("--keep-ids" in WAYS[how])
