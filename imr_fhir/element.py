"""A JSON object of a resource, read strictly: what is missing or of another type is an error with its path."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from imr_fhir.errors import ResourceError, WrongPatient
from imr_fhir.fhir_time import parse_date, parse_date_time
from imr_fhir.version import version_of

# R4, datatypes; but none of dots alone: it becomes part of a path.
_ID = re.compile(r"(?!\.+$)[A-Za-z0-9.-]{1,64}", re.ASCII)
_REFERENCE = re.compile(
    r"(?:https?://[^\s?#]+/)?([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})(?:/_history/[^/\s]+)?", re.ASCII
)
_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_NOTHING: list[Any] = []
_JSON_NAMES = {dict: "an object", list: "a list", bool: "true or false", type(None): "nothing"}

URI_IDENTIFIER = "urn:ietf:rfc:3986"
NEXT_STEP = "It is shown as it stands and counted nowhere; correct or withdraw it in the record."


def shown(value: object) -> str:
    """``value`` of a record as a piece of a sentence: quoted, 60 characters at most, no control or bidi characters."""
    if not isinstance(value, str):
        return _JSON_NAMES.get(type(value), "a number")
    clean = "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c)[0] == "C" else c for c in value[:61])
    return f"'{clean[:60]}…'" if len(clean) > 60 else f"'{clean}'"


def is_id(text: str) -> bool:
    return bool(_ID.fullmatch(text))


def type_and_id(reference: str) -> tuple[str, str]:
    """("Patient", "12") of a literal reference, relative or absolute, with a version or not; ("", "") of any other."""
    found = _REFERENCE.fullmatch(reference)
    return (found[1], found[2]) if found else ("", "")


def local_type_and_id(reference: str) -> tuple[str, str]:
    """The same of a relative one alone: what another server calls Goal/2 is not this record's. The record's own
    address is taken off where it is read (`imr_fhir.ehr.address`)."""
    return ("", "") if "://" in reference else type_and_id(reference)


def plain_reference(reference: str) -> str:
    """By what references of one record are compared: "Goal/2" of the same with a version too (R4, references); any
    other as it is."""
    found = local_type_and_id(reference)
    return "/".join(found) if found != ("", "") else reference


@dataclass(slots=True)  # not frozen: a history of 40 responses makes thousands of these
class Element:
    raw: Mapping[str, Any]
    path: str  # "QuestionnaireResponse/12, item[0]"
    error: type[ResourceError]  # raised for what can't be read

    def fault(self, what: str) -> ResourceError:
        return self.error(f"{self.path} {what}.", next_step=NEXT_STEP)

    def unmodified(self) -> None:
        """Refuse a modifier extension: R4 forbids to read an element with one that is not understood."""
        if "modifierExtension" in self.raw:
            raise self.fault("has a modifierExtension, which may change its meaning")

    def text(self, name: str) -> str:
        """The string ``name``; "" where there is none."""
        value = self.raw.get(name, "")
        if not isinstance(value, str):
            raise self.fault(f"has {shown(value)} as {name}, not text")
        return value

    def code(self, name: str, allowed: Collection[str]) -> str:
        code = self.text(name)
        if code not in allowed:
            raise self.fault(f"has {name} {shown(code)}, which is none of {', '.join(allowed)}")
        return code

    def integer(self, name: str) -> int | None:
        value = self.raw.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise self.fault(f"has {shown(value)} as {name}, not a whole number")
        return value

    def one(self, name: str) -> "Element | None":
        """The object ``name``; None where there is none."""
        value = self.raw.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.fault(f"has {shown(value)} as {name}, not an object")
        return Element(value, f"{self.path}, {name}", self.error)

    def many(self, name: str) -> "list[Element]":
        """The objects of the list ``name``; [] where there is none."""
        return [
            Element(value, f"{self.path}, {name}[{place}]", self.error)
            for place, value in enumerate(self.objects(name))
        ]

    def objects(self, name: str) -> Sequence[Mapping[str, Any]]:
        """The same as they stand."""
        values = self.raw.get(name, _NOTHING)
        if not isinstance(values, list):
            raise self.fault(f"has no list of objects as {name}")
        for value in values:
            if not isinstance(value, dict):
                raise self.fault(f"has no list of objects as {name}")
        return values

    def moment(self, name: str) -> datetime | None:
        """The dateTime or instant ``name``."""
        text = self.text(name)
        try:
            return parse_date_time(text) if text else None
        except ResourceError as fault:
            raise self.error(f"{self.path}, {name}: {fault.message}", next_step=NEXT_STEP) from fault

    def day(self, name: str) -> date | None:
        """The date ``name``; a PartialDate where it names no day."""
        text = self.text(name)
        try:
            return parse_date(text) if text else None
        except ResourceError as fault:
            raise self.error(f"{self.path}, {name}: {fault.message}", next_step=NEXT_STEP) from fault

    def reference(self, name: str) -> str:
        """The literal reference in ``name``; "" where there is none."""
        value = self.raw.get(name)
        plain = value.get("reference") if isinstance(value, dict) else None
        if isinstance(plain, str):
            return plain
        found = self.one(name)
        return found.text("reference") if found else ""

    def extension(self, url: str) -> "Element | None":
        """The one extension with ``url``; None where there is none."""
        found = [extension for extension in self.objects("extension") if extension.get("url") == url]
        if len(found) > 1:
            raise self.fault(f"has {len(found)} extensions {url}")
        return Element(found[0], f"{self.path}, extension", self.error) if found else None

    def codes(self, name: str, system: str) -> tuple[str, ...]:
        """The codes of ``system`` in the CodeableConcept ``name``, each once."""
        concept = self.one(name)
        return concept.own_codes(system) if concept else ()

    def own_codes(self, system: str) -> tuple[str, ...]:
        """The codes of ``system`` in this element, a CodeableConcept, each once."""
        ours = [coding for coding in self.objects("coding") if coding.get("system") == system]
        codes = [Element(coding, f"{self.path}, coding", self.error).text("code") for coding in ours]
        return tuple(dict.fromkeys(codes))


def resource(raw: object, resource_type: str, error: type[ResourceError]) -> Element:
    """``raw`` as a resource of ``resource_type`` that carries nothing which may change its meaning unseen."""
    if not isinstance(raw, Mapping) or raw.get("resourceType") != resource_type:
        raise error(f"This is no {resource_type} in JSON.", next_step=NEXT_STEP)
    found = Element(raw, resource_type, error)
    if server_id(found):
        found = Element(raw, f"{resource_type}/{server_id(found)}", error)
    if "implicitRules" in raw:  # R4, resource: refuse it where the rules are not understood
        raise found.fault("has implicitRules, which may change its meaning")
    found.unmodified()
    return found


def server_id(found: Element) -> str:
    """The resource's id, which is safe in a URL; "" where it is not stored yet."""
    text = found.text("id")
    if text and not is_id(text):
        raise found.fault(f"has id {shown(text)}, which FHIR does not allow")
    return text


def version_id(found: Element) -> str:
    """The version that was read, as of `imr_fhir.version`; "" where it is not stored yet."""
    meta = found.one("meta")
    text = meta.text("versionId") if meta else ""
    if text and not is_id(text):
        raise found.fault(f"has versionId {shown(text)}, which FHIR does not allow")
    return version_of(found.raw) if "id" in found.raw else ""


def uuid_identifier(identifiers: Iterable[Element]) -> str:
    """The first identifier that is a UUID's URI, as ours are ("urn:uuid:..."); "" where none is: others write whatever
    they number by behind the same words, and of that no identifier of a score follows."""
    for identifier in identifiers:
        value = identifier.text("value")
        if identifier.text("system") == URI_IDENTIFIER and _UUID.fullmatch(value):
            return value
    return ""


def require_patient(found: Element, name: str, patient: str) -> None:
    """Raise WrongPatient unless the reference ``name`` is the patient with id ``patient``."""
    reference = found.reference(name)
    if local_type_and_id(reference) != ("Patient", patient):
        raise WrongPatient(
            f"{found.path} has {name} {shown(reference)}, not the patient of this chart.",
            next_step="It is left out; tell those who run the record that it answered for another patient.",
        )
