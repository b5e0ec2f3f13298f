"""The lines of an NDJSON file as it comes, and what they hold."""

from collections.abc import Iterable, Iterator
from typing import Any

from imr_fhir.ehr.json_reader import read_json
from imr_fhir.errors import NotJson

LONGEST = 10_000_000  # bytes of one resource; without a limit a file without line ends would fill the memory


def lines(pieces: Iterable[bytes], longest: int = LONGEST) -> Iterator[tuple[bytes | None, int]]:
    """Each line without its end, and how many bytes it took with it; None for one that is too long to be read."""
    rest, passed = b"", 0  # passed: bytes of a line that is too long, thrown away
    for piece in pieces:
        first, *others = piece.split(b"\n")
        rest += first
        for other in others:
            taken = passed + len(rest) + 1
            yield (None if passed or len(rest) > longest else rest), taken
            rest, passed = other, 0
        if passed or len(rest) > longest:
            rest, passed = b"", passed + len(rest)
    if rest or passed:
        yield (None if passed else rest), passed + len(rest)


def resource(line: bytes) -> dict[str, Any] | str:
    """The resource in ``line``, or why it holds none, in words that quote nothing of it."""
    try:
        found = read_json(line)
    except NotJson as error:
        return error.message
    if not isinstance(found, dict) or not isinstance(found.get("resourceType"), str):
        return "It holds no FHIR resource."
    return found
