"""What can't be written to a folder is told in a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imr_fhir.errors import ImrError


@contextmanager
def writing_to(out: Path, what: str, kind: type[ImrError]) -> Iterator[None]:
    """Raises ``kind`` where ``what`` can't be written to ``out``: no such folder, no right to it, a full disk."""
    try:
        yield
    except OSError as error:
        raise kind(
            f"{what} can't be written to {out}: {error.strerror or type(error).__name__}.",
            next_step="Make room there, or give another folder.",
        ) from error
