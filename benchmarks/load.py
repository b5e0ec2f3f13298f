"""The artefacts into a real FHIR server, and the second run; left out where Java or Maven is missing."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Line
from tests import parts
from tests.servers import hapi

GOAL_SECONDS = 2


def lines() -> Iterator[Line]:
    if {parts.JAVA, parts.MAVEN} & set(parts.missing()):
        return
    with hapi() as base, TemporaryDirectory() as folder:
        first, said = _load(base, Path(folder))
        yield Line("all artefacts to an empty HAPI, the command as a whole", f"{first:.1f} s", "one transaction", True)
        second, said = _load(base, Path(folder))
        unchanged = "create" not in said and "update" not in said
        yield Line(
            "the second run of it",
            f"{second:.1f} s, {'no write' if unchanged else 'writes'}",
            f"under {GOAL_SECONDS} s and no write",
            second < GOAL_SECONDS and unchanged,
        )


def _load(base: str, folder: Path) -> tuple[float, str]:
    program = "from imr_fhir.cli import main; main(prog_name='imr-fhir')"
    command = [sys.executable, "-c", program, "load", base, "--yes", "--json", "--record", str(folder / "record.jsonl")]
    begun = time.perf_counter()
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    return time.perf_counter() - begun, ran.stdout
