"""What the app reads: each of its own reads and searches is made once, by its own code, and what came of it is told.

Without a patient nobody's record is read: then all is searched for a patient that can't be there.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from imr_fhir.artefacts import artefact_resources
from imr_fhir.checking.failed import GIVE_PATIENT, failed
from imr_fhir.checking.finding import Finding, verdict
from imr_fhir.checking.needs import needed, without
from imr_fhir.checking.samples import DOCUMENT_TYPE, Samples
from imr_fhir.checking.statement import Statement
from imr_fhir.checking.watch import Tried, WatchedClient
from imr_fhir.ehr.changes import changes
from imr_fhir.ehr.chart import read_chart
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.forms import check_forms
from imr_fhir.ehr.lookup import find
from imr_fhir.ehr.scopes import NEEDED
from imr_fhir.errors import ImrError, NotFound
from imr_fhir.loader.plan import Ours, make_plan
from imr_fhir.loader.there import look


def tried(client: FhirClient, patient: str | None, now: datetime) -> tuple[Tried, ...]:
    """All that the app reads and searches for, in its own order."""
    nobody = f"imr-check-{uuid.uuid4()}"
    watched = WatchedClient(client, patient or nobody, impossible=patient is None)
    absent = WatchedClient(client, patient or nobody, impossible=True)
    document_type = f"{DOCUMENT_TYPE['system']}|{DOCUMENT_TYPE['code']}"
    _try(lambda: read_chart(watched, patient or nobody, zone=UTC, document_type=document_type))
    _try(lambda: changes(absent, [f"QuestionnaireResponse/{nobody}"], zone=UTC))
    forms = WatchedClient(client, None)
    _try(lambda: check_forms(forms))
    for part in Samples(patient or nobody, now).one_of_each():
        find(absent, part)
    searches = ((each.type, each.names) for each in (*watched.tried, *forms.tried))
    for names in dict.fromkeys(search for search in searches if set(search[1]) - {"patient"}):
        _try(lambda names=names: absent.search(names[0], _impossible(names[1], patient or nobody)))  # type: ignore[misc]
    return (*watched.tried, *absent.tried, *forms.tried)


def findings(statement: Statement, done: Iterable[Tried], patient: str | None) -> Iterator[Finding]:
    groups: dict[tuple[str, tuple[str, ...]], list[Tried]] = {}
    for each in done:
        groups.setdefault((each.type, each.names), []).append(each)
    types = dict.fromkeys([*(need.resource for need in NEEDED), *(kind for kind, _ in groups)])
    order = {name: number for number, name in enumerate(types)}
    for (resource_type, names), group in sorted(groups.items(), key=lambda one: (order[one[0][0]], one[0][1])):
        found = (
            _search(statement, resource_type, names, group, patient)
            if names
            else _read(statement, resource_type, group, patient)
        )
        yield replace(found, needed=needed(resource_type))


def _search(
    statement: Statement, resource_type: str, names: tuple[str, ...], group: Sequence[Tried], patient: str | None
) -> Finding:
    what = f"{resource_type}?{'&'.join(names)}"
    advertised = statement.searches_by(resource_type, names)
    error = next((each.error for each in group if each.error), None)
    if error is not None:
        about_nobody = patient is None and not _ABOUT_A_PATIENT.isdisjoint(names)
        return failed("read", what, error, advertised=advertised, patient=None if about_nobody else "")
    ignored = [
        each for each in group if each.impossible and each.found and (each.found.resources or each.found.foreign)
    ]
    foreign = sum(each.found.foreign for each in group if each.found and not each.impossible)
    if foreign or ignored:
        by = [name for name in names if name != "patient"] if not foreign else ["patient"]
        evidence = f"200, but {' and '.join(by) or 'patient'} is ignored: it gives what was not searched for"
        return Finding("read", what, verdict(advertised=advertised, works=False), evidence, _IGNORED)
    if all(each.impossible for each in group):
        evidence = "200, finds nothing that is not there"
        return Finding("read", what, verdict(advertised=advertised, works=True), evidence)
    found = sum(len(each.found.resources) for each in group if each.found)
    more = " or more" if any(each.found and each.found.truncated for each in group) else ""
    return Finding("read", what, verdict(advertised=advertised, works=True), f"200, {found or 'none'} found{more}")


def _read(statement: Statement, resource_type: str, group: Sequence[Tried], patient: str | None) -> Finding:
    what, advertised = f"{resource_type}/[id]", statement.offers(resource_type, "read")
    error = next((each.error for each in group if each.error), None)
    if error is None:
        return Finding("read", what, verdict(advertised=advertised, works=True), "200")
    if isinstance(error, NotFound) and patient is not None:
        next_step = f"Check the id: {resource_type}/{patient} is not there, or this log-in may not see it."
        return Finding("read", what, "unknown", error.message, next_step)
    if patient is None:
        said = {True: "advertised", False: "not advertised", None: "not told"}[advertised]
        return Finding("read", what, "unknown", f"{said}; not tried, since no patient was given", GIVE_PATIENT)
    return failed("read", what, error, advertised=advertised, patient=patient)


def people(client: FhirClient, statement: Statement) -> Iterator[Finding]:
    """Those who log in, read by their ids. None is known here, so one that the server shows is read."""
    for need in NEEDED:
        if need.level != "user" or need.operations != "r":
            continue
        what, advertised = f"{need.resource}/[id]", statement.offers(need.resource, "read")
        try:
            some = client.search(need.resource, (), count=1, pages=1).resources
            ids = [str(each["id"]) for each in some if each.get("id")]
            if ids:
                client.read(need.resource, ids[0])
        except ImrError as error:
            step = without(need.resource)
            yield Finding("read", what, "unknown", f"none to try it with: {error.message}", step, needed=False)
            continue
        works = True if ids else None
        evidence = "200" if ids else "the server shows none to try it with"
        yield Finding("read", what, verdict(advertised=advertised, works=works), evidence, needed=False)


def artefacts(client: FhirClient, statement: Statement) -> list[Finding]:
    """Whether the project's Questionnaires, profiles and code lists are there, looked for as `imr-fhir load` does: its
    searches, and last what came of it."""
    watched = WatchedClient(client, None)
    resources = artefact_resources()
    what = "the project's artefacts"
    try:
        plan = make_plan(resources, look(watched, resources), Ours({}))
    except ImrError as error:
        short = failed("read", what, error, advertised=None, needed=False)
    else:
        counts = Counter(step.action for step in plan.steps)
        differ = len(resources) - counts["same"] - counts["create"]
        told = {"there as they are here": counts["same"], "not there": counts["create"], "there in another way": differ}
        evidence = f"of {len(resources)}: {', '.join(f'{count} {what}' for what, count in told.items() if count)}"
        step = f"imr-fhir load {client.base} says more, and brings them in."
        works = counts["same"] == len(resources)
        short = Finding("read", what, "yes" if works else "no", evidence, "" if works else step, needed=False)
    return [*findings(statement, watched.tried, None), short]


def by_questionnaire(
    client: FhirClient, statement: Statement, patient: str, canonical: str, expected: str
) -> Iterator[Finding]:
    """How responses can be searched for by their form; ``expected`` is the id of one. The app itself needs none."""
    url, _, version = canonical.partition("|")
    ways = (("questionnaire", url), ("questionnaire", canonical), ("questionnaire:below", url))
    for name, value in ways:
        shown = "url|version" if "|" in value else "url"
        what = f"QuestionnaireResponse?{name}={shown}"
        advertised = statement.searches_by("QuestionnaireResponse", (name,)) if ":" not in name else None
        try:
            found = client.search("QuestionnaireResponse", [("patient", patient), (name, value)]).resources
        except ImrError as error:
            yield failed("read", what, error, advertised=advertised, needed=False)
            continue
        works = expected in [each.get("id") for each in found]
        others = [each for each in found if str(each.get("questionnaire")).partition("|")[0] != url]
        evidence = f"200, a response to {'url|version' if version else 'url'} is {'' if works else 'not '}found"
        if others:
            works, evidence = False, "200, but questionnaire is ignored: it gives responses to other forms"
        yield Finding("read", what, verdict(advertised=advertised, works=works), evidence, needed=False)


def _impossible(names: Sequence[str], patient: str) -> list[tuple[str, str]]:
    nothing = str(uuid.uuid4())
    values = {
        "patient": patient,
        "target": f"QuestionnaireResponse/{nothing}",
        "url": f"urn:uuid:{nothing}",
        "version": nothing,
    }
    return [(name, values.get(name, f"urn:imr-fhir:check|{nothing}")) for name in names]


def _try(call: Callable[[], object]) -> None:
    """What stands in the way is noted by the watched client."""
    with suppress(ImrError):
        call()


_ABOUT_A_PATIENT = frozenset({"patient", "target"})  # an EHR may refuse what is asked of nobody
_IGNORED = "The app sorts out what is not ours itself, and reads more than it must."
