"""What is wrong with a table that came back, a sentence each, with the line to mend."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from imr_fhir.errors import TranslationError
from imr_fhir.resource import uncarried
from imr_fhir.translation.language import require_language
from imr_fhir.translation.strings import String, strings
from imr_fhir.translation.table import Line, fingerprint

Kind = Literal["missing", "stale", "unknown", "twice", "other form", "other language", "not text"]


@dataclass(frozen=True, slots=True)
class Finding:
    kind: Kind
    line: int  # as a spreadsheet counts rows; 0: of no row
    said: str  # a sentence

    def __str__(self) -> str:
        return f"Line {self.line}: {self.said}" if self.line else self.said


@dataclass(frozen=True, slots=True)
class Checked:
    lang: str
    taken: Mapping[str, str]  # key -> translation, of what is right
    findings: tuple[Finding, ...]


def language_of(lines: Sequence[Line]) -> str:
    """That of the table: what most rows name. Raises TranslationError where that is no language to translate to."""
    named = [line.language.strip() for line in lines]
    lang = max(dict.fromkeys(named), key=named.count)
    require_language(lang)
    return lang


def form_of(lines: Sequence[Line]) -> str:
    """Canonical, without version, of the Questionnaire that most rows are of. Raises TranslationError for none."""
    named = [_url(line) for line in lines]
    url = max(dict.fromkeys(named), key=named.count)
    if not url:
        raise TranslationError(
            "The table does not say of which Questionnaire it is.",
            next_step="Keep the column form as it was exported.",
        )
    return url


def check(questionnaire: dict[str, Any], lines: Sequence[Line]) -> Checked:
    """What of ``lines`` can be taken into ``questionnaire``, and what not."""
    lang = language_of(lines)
    wanted = {string.key: string for string in strings(questionnaire)}
    taken: dict[str, str] = {}
    findings: list[Finding] = []
    stood: dict[str, int] = {}  # key -> line
    for line in lines:
        key = line.key.strip()
        found = list(_wrong(line, key, wanted, stood, lang, str(questionnaire["url"])))
        stood.setdefault(key, line.number)
        findings += found
        if not found:
            taken[key] = line.translation
    findings += [
        Finding("missing", 0, f"The table has no row for {key} ({string.shown}): {_quoted(string.english)}.")
        for key, string in wanted.items()
        if key not in stood
    ]
    return Checked(lang, taken, tuple(findings))


def _wrong(
    line: Line, key: str, wanted: Mapping[str, String], stood: Mapping[str, int], lang: str, url: str
) -> Iterator[Finding]:
    """The first thing that is wrong with ``line``: what follows from it need not be said too."""
    if _url(line) != url:
        yield Finding("other form", line.number, f"{key} is of {_url(line) or 'no Questionnaire'}, not of {url}.")
    elif line.language.strip() != lang:
        said = f"{key} is in {line.language.strip() or 'no language'}, the table in {lang}: one table a language."
        yield Finding("other language", line.number, said)
    elif key not in wanted:
        yield Finding("unknown", line.number, f"{url} has no string {key or 'without a key'}.")
    elif key in stood:
        yield Finding("twice", line.number, f"{key} stands on line {stood[key]} already.")
    elif not line.translation.strip():
        yield Finding("missing", line.number, f"{key} has no translation of {_quoted(wanted[key].english)}.")
    elif found := uncarried(line.translation):
        yield Finding("not text", line.number, f"The translation of {key} holds a character that FHIR can't: {found}.")
    elif line.fingerprint.strip() != fingerprint(wanted[key].english):
        said = f"{key} was translated from another English text; now it is {_quoted(wanted[key].english)}."
        yield Finding("stale", line.number, said)


def _url(line: Line) -> str:
    return line.form.strip().partition("|")[0]


def _quoted(text: str) -> str:
    return f'"{text}"' if len(text) <= 60 else f'"{text[:59]}…"'
