"""Where two resources differ, in words that a person reads; what counts is what `artefacts.content_hash` counts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imr_fhir.artefacts import UNORDERED, canonical, content
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.ehr.outcome import plain

# What names one of several: an item moved or put between others is then one difference, not one for each after it.
_NAMES = ("linkId", "id", "code", "language", "url", "key", "system")
_ITSELF = ("valueCoding", "valueReference")
_TELLING = ("text", "display", "title")
_LENGTH = 160


@dataclass(frozen=True, slots=True)
class Change:
    """``path``: "item[imr].item[05].text". ``before``, ``after``: shown as they are, "" where there is nothing."""

    path: str
    before: str
    after: str


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """What has to change in ``before`` for it to say what ``after`` says; () where ``content_hash`` is the same."""
    return tuple(_differences(content(before), content(after), ""))


def _differences(before: Any, after: Any, path: str) -> Iterator[Change]:
    if canonical(before) == canonical(after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*before, *after]):
            yield from _differences(before.get(name), after.get(name), f"{path}.{name}".lstrip("."))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _in_lists(before, after, path)
    else:
        yield Change(path, _shown(before), _shown(after))


def _in_lists(before: list[Any], after: list[Any], path: str) -> Iterator[Change]:
    kind = next((each for each in _NAMES if _tells_apart(each, before) and _tells_apart(each, after)), "")
    old, new = _named(before, kind), _named(after, kind)
    for name in dict.fromkeys([*old, *new]):
        yield from _differences(old.get(name), new.get(name), f"{path}[{name}]")
    kept, now = [name for name in old if name in new], [name for name in new if name in old]
    if kept != now and path.rpartition(".")[2] not in UNORDERED:
        yield Change(path, f"order: {', '.join(kept)}", f"order: {', '.join(now)}")


def _tells_apart(kind: str, values: list[Any]) -> bool:
    names = [_name(value, kind) for value in values]
    return all(names) and len(set(names)) == len(names)


def _named(values: list[Any], kind: str) -> dict[str, Any]:
    """Each by its name of this ``kind``; where there is none by its place."""
    return {_name(value, kind) if kind else str(place): value for place, value in enumerate(values)}


def _name(value: Any, kind: str) -> str:
    if not isinstance(value, Mapping):
        return ""
    inner: Mapping[str, Any] = next((value[each] for each in _ITSELF if isinstance(value.get(each), Mapping)), {})
    return plain(str(value.get(kind) or inner.get(kind) or "")).rpartition("/")[2]


def _shown(value: Any) -> str:
    """A server's text goes to a terminal: no control characters, one line."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        value = next((value[name] for name in _TELLING if isinstance(value.get(name), str)), value)
    return plain(f'"{value}"' if isinstance(value, str) else write_json(value).decode(), _LENGTH)
