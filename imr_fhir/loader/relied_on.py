"""Whether answers, scores, notes or goals in the record rely on an artefact: then it stays. "Can't tell" is not "no".

Servers read searches differently (HAPI gives all versions of a form where none is asked for, Medplum those without one;
others know no such search, or ignore it), so what comes is looked through.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from imr_fhir.artefacts import artefact_resources
from imr_fhir.checking.statement import read_statement
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.paging import PAGE, PAGES
from imr_fhir.errors import EhrError, Invalid, NotFound
from imr_fhir.loader.there import Resource, There

_PROFILED = ("QuestionnaireResponse", "Observation", "Goal")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A search of the record. ``of``: the artefacts that what it finds may use; ``saying``: how it uses them."""

    kind: str
    params: tuple[tuple[str, str], ...]
    of: tuple[Resource, ...]
    saying: str


def relied_on(client: FhirClient, artefacts: Sequence[Resource], there: There) -> Mapping[str, str]:
    """Canonical URL -> why that one of ``artefacts`` stays, as a sentence; without those that nothing relies on."""
    begun = [client.beside(partial(_found, client, asked, there)) for asked in _searches(artefacts)]
    return {url: why for each in begun for url, why in each.result().items()}


def _searches(artefacts: Sequence[Resource]) -> Iterator[_Asked]:
    for form in (each for each in artefacts if each["resourceType"] == "Questionnaire"):
        named = f"{form['url']}|{form['version']},{form['url']}"
        yield _Asked(
            "QuestionnaireResponse", (("questionnaire", named), ("_elements", "questionnaire")), (form,), "point to it"
        )
    systems = tuple(each for each in artefacts if each["resourceType"] == "CodeSystem")
    if systems:
        # A score has the items' codes in its components, which few servers search by.
        ours = {each["url"] for each in artefact_resources() if each["resourceType"] == "CodeSystem"}
        codes = ",".join(f"{url}|" for url in sorted(ours | {each["url"] for each in systems}))
        yield _Asked("Observation", (("code", codes), ("_elements", "code,component")), systems, "use its codes")
        yield _Asked("Goal", (("category", codes), ("_elements", "category")), systems, "use its codes")
    for kind in _PROFILED:
        of = tuple(each for each in artefacts if each.get("type") == kind)
        if of:
            named = ",".join(name for each in of for name in (each["url"], f"{each['url']}|{each['version']}"))
            yield _Asked(kind, (("_profile", named), ("_elements", "meta")), of, "name it as their profile")


def _found(client: FhirClient, asked: _Asked, there: There) -> Mapping[str, str]:
    query = f"{asked.kind}?{urlencode([*asked.params, ('_count', str(PAGE))])}"
    left = {each["url"]: each for each in asked.of}
    found: dict[str, str] = {}
    try:
        for _ in range(PAGES):
            page = client.page(query)
            used = set(_used(page.resources))
            for url in [url for url, each in left.items() if _names(used, each, there)]:
                found[url] = f"{asked.kind}s in the record {asked.saying}."
                del left[url]
            query = page.next
            if not left or not query:
                return found
    except EhrError as error:
        if _has_none(client, asked, error):
            return found
        why = f"{error.message} The log-in needs system/{asked.kind}.s for that."
    else:
        why = "There are too many to look through."
    return found | dict.fromkeys(left, f"Whether {asked.kind}s {asked.saying} can't be seen: {why}")


def _has_none(client: FhirClient, asked: _Asked, error: EhrError) -> bool:
    """Whether the refusal itself says that there are none: a type that the server does not have. What names one of our
    profiles has our codes as well, so that a server that can't search by profile was asked all the same."""
    if asked.saying.endswith("profile") and isinstance(error, Invalid):
        return True
    if not isinstance(error, NotFound | Invalid):
        return False
    try:
        return read_statement(client).offers(asked.kind, "search-type") is False
    except EhrError:
        return False


def _names(used: set[tuple[str, str]], artefact: Resource, there: There) -> bool:
    """What names no version may mean any: of a form always, else where no other version is there that it can mean."""
    url, version = artefact["url"], artefact["version"]
    unsaid = artefact["resourceType"] == "Questionnaire" or not there.others(artefact)
    return (url, version) in used or (unsaid and (url, "") in used)


def _used(value: Any) -> Iterator[tuple[str, str]]:
    """(canonical URL, version or "") of each form, profile and code system that is named anywhere in it."""
    if isinstance(value, Mapping):
        if isinstance(value.get("system"), str):
            yield value["system"], str(value.get("version", ""))
        for name, inner in value.items():
            if name in ("questionnaire", "profile"):
                for each in inner if isinstance(inner, list) else [inner]:
                    url, _, version = str(each).partition("|")
                    yield url, version
            else:
                yield from _used(inner)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _used(each)
