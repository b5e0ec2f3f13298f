"""How far a translation in a Questionnaire or CodeSystem can be trusted: an extension says it.

The description repeats it in a sentence made from it, for whoever sees the artefact in an EHR.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from imr_fhir import artefacts
from imr_fhir.errors import ArtefactError

Status = Literal["draft", "reviewed", "validated"]
STATUSES: tuple[Status, ...] = get_args(Status)

_NAMES = {
    "nb": "Bokmål",
    "nn": "Nynorsk",
    "se": "Northern Sámi",
    "sv": "Swedish",
    "da": "Danish",
    "nl": "Dutch",
    "es": "Spanish",
}
_WHERE = {"Questionnaire": "translation extensions", "CodeSystem": "designations"}
_TYPES = {"lang": "valueCode", "status": "valueCode", "by": "valueString", "on": "valueDate", "note": "valueString"}


@dataclass(frozen=True, slots=True)
class TranslationStatus:
    lang: str  # BCP 47
    status: Status  # draft; reviewed: read by someone competent; validated: tested with those who answer
    by: str  # who says so
    on: str  # the day, YYYY-MM-DD
    note: str = ""  # how it was made, what is missing

    def sentence(self, resource_type: str) -> str:
        """For the description: "Bokmål (nb), in translation extensions: draft: by two machines; not validated."."""
        name = f"{_NAMES[self.lang]} ({self.lang})" if self.lang in _NAMES else f"Translation ({self.lang})"
        said = ": ".join(filter(None, (self.status, self.note)))
        return f"{name}, in {_WHERE[resource_type]}: {said}{'' if self.status == 'validated' else '; not validated'}."


def statuses(resource: Mapping[str, Any]) -> tuple[TranslationStatus, ...]:
    """Of each language in ``resource``, in its order. Raises ArtefactError for one that does not say all."""
    found = (each for each in resource.get("extension", ()) if each.get("url") == artefacts.TRANSLATION_STATUS)
    return tuple(_read(each, str(resource.get("url"))) for each in found)


def status_of(resource: Mapping[str, Any], lang: str) -> TranslationStatus | None:
    """That of ``lang``; None where nothing is said of it."""
    return next((each for each in statuses(resource) if each.lang == lang), None)


def with_status(resource: Mapping[str, Any], status: TranslationStatus) -> dict[str, Any]:
    """``resource`` with ``status`` in the place of what was said of that language, or after the others."""
    before = status_of(resource, status.lang)
    extensions = list(resource.get("extension", ()))
    kind, description = resource["resourceType"], resource.get("description", "")
    ours = (number for number, each in enumerate(extensions) if _is_of(each, status.lang))
    place = next(ours, len(extensions))
    extensions[place : place + 1] = [_extension(status)]
    if before and before.sentence(kind) in description:
        description = description.replace(before.sentence(kind), status.sentence(kind))
    else:
        description = f"{description} {status.sentence(kind)}".strip()
    return {**resource, "extension": extensions, "description": description}


def _is_of(extension: Mapping[str, Any], lang: str) -> bool:
    part = {"url": "lang", "valueCode": lang}
    return extension.get("url") == artefacts.TRANSLATION_STATUS and part in extension.get("extension", ())


def _read(extension: Mapping[str, Any], url: str) -> TranslationStatus:
    parts = {part["url"]: part.get(_TYPES.get(part["url"], ""), "") for part in extension.get("extension", ())}
    if parts.get("status") not in STATUSES or not all(parts.get(name) for name in ("lang", "by", "on")):
        raise ArtefactError(
            f"{url} does not say of a translation in which language, of what status ({', '.join(STATUSES)}), by whom "
            "and when.",
            next_step=f"Complete its extension {artefacts.TRANSLATION_STATUS}.",
        )
    return TranslationStatus(**{name: str(parts.get(name, "")) for name in _TYPES})  # type: ignore[arg-type]


def _extension(status: TranslationStatus) -> dict[str, Any]:
    parts = [{"url": name, kind: getattr(status, name)} for name, kind in _TYPES.items() if getattr(status, name)]
    return {"url": artefacts.TRANSLATION_STATUS, "extension": parts}
