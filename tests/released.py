"""What was ever given out as one version of a form stays that version: answers in hospitals' records point to it.

``questionnaires/released.txt`` has a line for each, "canonical|version content-hash"; a line is never changed or taken
out. ``python -m tests.released``, which `make check` runs too, says what is wrong and what to do.
"""

import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from imr_fhir.artefacts import content_hash, questionnaire, questionnaires
from imr_fhir.scale import RATERS

RELEASED = Path(__file__).parents[1] / "questionnaires" / "released.txt"

_OTHER = (
    "{name} does not say what was released as {name}. If its words, codes or order changed, raise its `version`, and "
    "put the released one beside it: git show RELEASE:questionnaires/FILE > questionnaires/earlier/FILE-OF-ITS-VERSION"
)
_GONE = (
    "{name} was released and is no more in questionnaires/ or questionnaires/earlier/: answers given to it could not "
    "be shown in their own words. Put it into questionnaires/earlier/, as it was (`git log -- questionnaires/`)."
)
_NEW = "{name} has no line in questionnaires/released.txt. Once it is as it will be given out, add:\n{line}"
_TWICE = "{name} is there with two contents. Take out of questionnaires/earlier/ what was never released."
_NOT_HIGHER = "{name} is in use, and {other} is not lower. Only what is older belongs into questionnaires/earlier/."
_CHANGED = "A line of questionnaires/released.txt was changed or taken out: {line}. Put it back; lines are only added."


def line_of(form: Mapping[str, Any]) -> str:
    return f"{_name(form)} {content_hash(form)}"


def faults(forms: Sequence[Mapping[str, Any]], in_use: Sequence[Mapping[str, Any]], lines: Iterable[str]) -> list[str]:
    """What is wrong, and what to do. ``forms``: those ``in_use`` and the earlier ones; ``lines``: as released."""
    released = dict(line.split() for line in lines)
    there: dict[str, set[str]] = {}
    for form in forms:
        there.setdefault(_name(form), set()).add(content_hash(form))
    found = [_GONE.format(name=name) for name in released if name not in there]
    for form in forms:
        name = _name(form)
        if len(there[name]) > 1:
            found.append(_TWICE.format(name=name))
        elif name not in released:
            found.append(_NEW.format(name=name, line=line_of(form)))
        elif content_hash(form) != released[name]:
            found.append(_OTHER.format(name=name))
    for used in in_use:
        others = [form for form in forms if form["url"] == used["url"] and form["version"] != used["version"]]
        higher = [each for each in others if _version(each) > _version(used)]
        found += [_NOT_HIGHER.format(name=_name(used), other=_name(each)) for each in higher]
    return list(dict.fromkeys(found))


def lost_lines(history: str, lines: Iterable[str]) -> list[str]:
    """Lines that once stood there, by ``history`` (`git log -p`), and do no more."""
    ever = {line[1:].strip() for line in history.splitlines() if line.startswith(("+http", "-http"))}
    return [_CHANGED.format(line=line) for line in sorted(ever - set(lines))]


def released() -> list[str]:
    return [line for line in RELEASED.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


def history() -> str:
    """ "" where this is no checkout."""
    told = ("git", "log", "--format=", "-p", "--", RELEASED.name)
    return subprocess.run(told, cwd=RELEASED.parent, capture_output=True, text=True, check=False).stdout


def all_faults() -> list[str]:
    in_use = [questionnaire(rater) for rater in RATERS]
    return [*faults(questionnaires(), in_use, released()), *lost_lines(history(), released())]


def _name(form: Mapping[str, Any]) -> str:
    return f"{form['url']}|{form['version']}"


def _version(form: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(int(each) for each in str(form["version"]).partition("-")[0].split("."))


if __name__ == "__main__":
    sys.exit("\n".join(all_faults()) or 0)
