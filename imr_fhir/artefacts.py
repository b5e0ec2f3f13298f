"""The only reader of questionnaires/ and profiles/: in a checkout, an editable install and a wheel."""

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from imr_fhir.errors import ArtefactError

BASE = "https://w3id.org/imr-fhir"
VERSION = "0.1.0"

CODES = f"{BASE}/CodeSystem/imr"
FILING = f"{BASE}/filing"
LOADED = f"{BASE}/loaded"  # tag of what we put on a server; its code is the content hash of that

RESPONSE_PROFILE = f"{BASE}/StructureDefinition/imr-response"
SCORE_PROFILE = f"{BASE}/StructureDefinition/imr-score"
GOAL_PROFILE = f"{BASE}/StructureDefinition/imr-goal"
REVIEW_PROFILE = f"{BASE}/StructureDefinition/imr-review"

SHOWN_LANGUAGE = f"{BASE}/StructureDefinition/shown-language"
SHOWN_WORDING = f"{BASE}/StructureDefinition/shown-wording"
FIRST_COMPLETED = f"{BASE}/StructureDefinition/first-completed"
TRANSLATION_STATUS = f"{BASE}/StructureDefinition/translation-status"

# A server that checks references takes them in this order; Questionnaires name CodeSystems, profiles name ValueSets.
_ORDER = ("CodeSystem", "ValueSet", "StructureDefinition", "Questionnaire")

_ASSIGNED = ("id", "meta", "text")
# What servers work out of the rest: HAPI puts both into each profile that it installs with a package.
_DERIVED: Mapping[str, tuple[str, ...]] = {"StructureDefinition": ("snapshot", "mapping"), "ValueSet": ("expansion",)}

# The order of these says nothing.
UNORDERED = ("extension", "modifierExtension")


def _folders() -> tuple[Traversable, Traversable]:
    packaged = files("imr_fhir") / "_artefacts"
    root = packaged if packaged.is_dir() else Path(__file__).parents[1]  # a checkout or an editable install
    return root / "profiles", root / "questionnaires"


@cache
def _texts() -> dict[str, str]:
    """File name -> JSON text. Only files directly in the two folders: profiles/views/ holds what is no R4 resource."""
    texts = {
        entry.name: entry.read_text(encoding="utf-8")
        for folder in _folders()
        if folder.is_dir()
        for entry in folder.iterdir()
        if entry.name.endswith(".json")
    }
    if not texts:
        raise ArtefactError(
            "There are no artefacts beside the package imr_fhir.",
            next_step="Install the wheel again, or run from a whole checkout.",
        )
    return texts


def _parse(name: str) -> dict[str, Any]:
    resource: dict[str, Any] = json.loads(_texts()[name], parse_float=Decimal)
    return resource


def questionnaire(rater: str) -> dict[str, Any]:
    """The packaged Questionnaire of ``rater`` ("client" or "clinician"), parsed afresh: the caller may change it."""
    name = f"Questionnaire-imr-{rater}.json"
    if name not in _texts():
        raise ArtefactError(
            f"No Questionnaire is packaged for rater {rater!r}.", next_step="Ask for client or clinician."
        )
    return _parse(name)


def questionnaires() -> list[dict[str, Any]]:
    """Each Questionnaire that anything was begun or filed with, parsed afresh: the two in use first, then those of
    ``questionnaires/earlier``. Whoever gives a form a new version moves the one before there, under any name.
    """
    packaged = [_parse(name) for name in _texts() if name.startswith("Questionnaire-")]
    return [*packaged, *(json.loads(text, parse_float=Decimal) for text in _earlier())]


@cache
def _earlier() -> tuple[str, ...]:
    folder = _folders()[1] / "earlier"
    if not folder.is_dir():
        return ()
    return tuple(entry.read_text(encoding="utf-8") for entry in folder.iterdir() if entry.name.endswith(".json"))


def artefact_resources() -> list[dict[str, Any]]:
    """Every resource that a server needs, each after what it refers to, parsed afresh."""

    def place(resource: Mapping[str, Any]) -> tuple[int, bool, str]:
        return _ORDER.index(resource["resourceType"]), resource.get("type") != "Extension", resource["url"]

    return sorted((_parse(name) for name in _texts()), key=place)


def view_definitions() -> list[dict[str, Any]]:
    """The ViewDefinitions (SQL on FHIR v2) of the tables, by name: no R4 resources, so no server is given them."""
    names = (entry for entry in (_folders()[0] / "views").iterdir() if entry.name.endswith(".json"))
    found = [json.loads(entry.read_text(encoding="utf-8")) for entry in names]
    return sorted(found, key=lambda view: str(view["name"]))


def content_hash(resource: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of what the resource says: an edited copy in an EHR differs, a server's own additions do not.

    Left out: what servers assign or generate, and the order of names and of extensions, which says nothing. 1 and 1.0
    are the same.
    """
    return hashlib.sha256(canonical(content(resource)).encode()).hexdigest()


def content(resource: Mapping[str, Any]) -> dict[str, Any]:
    """What the resource says, without what servers assign or generate."""
    left_out = (*_ASSIGNED, *_DERIVED.get(str(resource.get("resourceType")), ()))
    return {key: value for key, value in resource.items() if key not in left_out}


def canonical(value: Any) -> str:
    """One text for all that say the same."""
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def loaded_tag(resource: Mapping[str, Any]) -> dict[str, str]:
    """The tag by which `imr-fhir load` knows ``resource`` again as ours, as long as nobody edits it."""
    return {"system": LOADED, "code": content_hash(resource)}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _sorted(inner) if key in UNORDERED and isinstance(inner, list) else _plain(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return ["number", format(Decimal(str(value)).normalize(), "f")]
    return value


def _sorted(values: list[Any]) -> list[Any]:
    plain = [_plain(value) for value in values]
    return sorted(plain, key=lambda each: json.dumps(each, sort_keys=True)) if len(plain) > 1 else plain
