"""Pathling's jar: from a folder that has it, else fetched once by Maven, and told of; only the pinned one."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from imr_fhir.errors import TablesError

ARTIFACT = "au.csiro.pathling:library-runtime:9.4.0"
JAR = "library-runtime-9.4.0.jar"
SHA256 = "9ca73091e698626b5be8d0ac7793c5024827c284f49b8f2d5cd5ae846a7dfd80"
FOLDER = "IMR_SPARK_JARS"  # environment variable: the folder that holds it, for a machine without a network


def pathling_jar(folder: Path | None, say: Callable[[str], None]) -> Path:
    """The jar in ``folder`` (by default that of IMR_SPARK_JARS, else of the user's cache). Raises TablesError."""
    named = folder or (Path(os.environ[FOLDER]) if os.environ.get(FOLDER) else None)
    home = named or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "imr-fhir" / "spark"
    jar = home / JAR
    if not jar.is_file():
        if named:
            raise TablesError(f"There is no {JAR} in {named}.", next_step=f"Put it there (Maven: {ARTIFACT}).")
        _fetch(home, say)
    with jar.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != SHA256:
            raise TablesError(f"{jar} is not the {JAR} that this version was tried with.", next_step="Remove it.")
    return jar


def _fetch(home: Path, say: Callable[[str], None]) -> None:
    maven = shutil.which("mvn")
    if not maven:
        raise TablesError(
            f"Spark needs {JAR}, and there is no Maven here to fetch it.",
            next_step=f"Install Maven, or name a folder that has it (--spark-jars, {FOLDER}).",
        )
    say(f"Fetching Pathling ({ARTIFACT}, 85 MB) by Maven into {home}, once.")
    home.mkdir(parents=True, exist_ok=True)
    copy = ("dependency:copy", f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={home}")
    command = [maven, "-C", "-q", "-B", "-ntp", *copy]
    ran = subprocess.run(command, cwd=home, capture_output=True, check=False)  # noqa: S603 - nothing of it is given
    if ran.returncode:
        raise TablesError(
            f"Maven could not fetch {ARTIFACT}.",
            next_step=f"Try it: mvn {' '.join(copy)}. Or name a folder that has it (--spark-jars, {FOLDER}).",
        )
