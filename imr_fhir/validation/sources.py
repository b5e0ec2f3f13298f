"""The JSON texts in what was named: files, folders and standard input; a file of lines (NDJSON) is a text a line."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from imr_fhir.validation.finding import Finding

STDIN = "-"
_LINES = {".ndjson", ".jsonl"}
_SUFFIXES = {".json", *_LINES}

# The first bytes of what is no JSON text -> what it is, and what to do.
_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x1f\x8b", "is packed with gzip", "Unpack it first (gunzip; of a package: tar xzf)."),
    (b"PK\x03\x04", "is a zip file", "Unpack it first."),
    (b"\xff\xfe", "is text in UTF-16", "Save it as UTF-8."),
    (b"\xfe\xff", "is text in UTF-16", "Save it as UTF-8."),
    (b"%PDF", "is a PDF", "Give the resources as JSON."),
    (b"<", "looks like XML", "Give the resource as JSON; a server sends it with Accept: application/fhir+json."),
)


@dataclass(frozen=True, slots=True)
class Text:
    """One JSON text. ``asked_for``: named itself, not found in a folder."""

    file: str
    first_line: int
    data: bytes
    asked_for: bool = True


def texts(names: Iterable[str], stdin: BinaryIO) -> Iterator[Text | Finding]:
    """Each text in ``names``, in their order; of a folder all .json, .ndjson and .jsonl in it, by name.

    What can't be read is a Finding, and the rest goes on.
    """
    for name in names:
        if name == STDIN:
            yield from _of("standard input", stdin, lines=False, asked_for=True)
        elif Path(name).is_dir():
            inside = [path for path in sorted(Path(name).rglob("*")) if path.suffix.lower() in _SUFFIXES]
            if not inside:
                yield unreadable(name, 0, "holds no .json, .ndjson or .jsonl file", "Name the folder that has them.")
            for path in inside:
                if not path.is_dir():
                    yield from _file(path, asked_for=False)
        else:
            yield from _file(Path(name), asked_for=True)


def unreadable(file: str, line: int, what: str, next_step: str, *, code: str = "not-read", column: int = 0) -> Finding:
    """``what`` ends a sentence that begins with the file."""
    return Finding(file, line, column, "", "", "fatal", code, f"{file} {what}.", next_step)


def _file(path: Path, *, asked_for: bool) -> Iterator[Text | Finding]:
    try:
        with path.open("rb") as opened:
            yield from _of(str(path), opened, lines=path.suffix.lower() in _LINES, asked_for=asked_for)
    except FileNotFoundError:
        yield unreadable(str(path), 0, "is not there (any more)", "Look at its name, and run it again.")
    except OSError as fault:
        why = (fault.strerror or "it can't be read").lower()
        yield unreadable(str(path), 0, f"could not be read to its end: {why}", "Mend that, and run it again.")


def _of(file: str, opened: BinaryIO, *, lines: bool, asked_for: bool) -> Iterator[Text | Finding]:
    numbered = enumerate(opened, 1)
    first = next(((number, line) for number, line in numbered if line.strip()), None)
    if first is None:
        yield unreadable(file, 0, "is empty", "Was it written to its end? Export it again.", code="empty-file")
        return
    number, line = first
    other = next(
        ((what, step) for start, what, step in _OTHERS if line.lstrip(b"\xef\xbb\xbf \t").startswith(start)), None
    )
    if other or b"\x00" in line:
        what, next_step = other or ("is no text: it holds NUL bytes", "Give the resources as JSON in UTF-8.")
        yield unreadable(file, number, what, next_step, code="not-json")
    elif lines or _is_whole(line):
        for at, each in chain([first], numbered):
            if each.strip():
                yield Text(file, at, each.rstrip(b"\r\n"), asked_for)
    else:
        yield Text(file, number, line + b"".join(rest for _, rest in numbered), asked_for)


def _is_whole(line: bytes) -> bool:
    """Whether a first line is a JSON object by itself: then each line is one. A look at its ends is enough: of an
    object over several lines the first ends in { or , or a name."""
    stripped = line.lstrip(b"\xef\xbb\xbf").strip()
    return stripped.startswith(b"{") and stripped.endswith(b"}") and stripped.count(b"{") == stripped.count(b"}")
