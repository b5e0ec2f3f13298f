"""Looks at one EHR and tells what of the app will work there. Nothing is written unless that is asked for."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from imr_fhir.checking import reads, smart, statement, untried, update_as_create, writes
from imr_fhir.checking.finding import Finding
from imr_fhir.checking.hosts import hosts
from imr_fhir.checking.kept import kept, shape_of
from imr_fhir.checking.report import Report
from imr_fhir.checking.samples import Samples
from imr_fhir.checking.settings import Known, scopes_to_ask, site_table
from imr_fhir.checking.trial import Trial
from imr_fhir.checking.watch import Tried, WatchedClient
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.discovery import SmartConfiguration
from imr_fhir.ehr.ladder import RungName
from imr_fhir.ehr.transport import Transport
from imr_fhir.errors import BadReply, Forbidden, NotFound

_WARN, _STOP = timedelta(seconds=60), timedelta(minutes=5)

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """``patient``: an id, "" where none is to be read. ``write``: try the writes on it. ``encounter``: a reference.

    ``headers``: names of those that each call has. ``ca``: the file of certificate authorities. ``granted`` gives the
    scopes of this log-in, where they are known.
    """

    patient: str = ""
    encounter: str = ""
    write: bool = False
    headers: Collection[str] = ()
    ca: str = ""
    granted: Callable[[], Collection[str]] | None = None


def check(transport: Transport, client: FhirClient, asked: Asked, *, now: datetime, tell: Tell) -> Report:
    """``tell`` is given a word of what is done next. Raises EhrError where this is no R4 server that can be asked."""
    tell("CapabilityStatement")
    said = statement.read_statement(client)
    found = [*statement.findings(said), _clock(client, now)]
    if asked.granted:
        found.append(Finding("server", "this log-in", "yes", f"a token for {' '.join(asked.granted())}"))
    tell("SMART configuration")
    config = smart.configuration(transport, client.base)
    found += [config] if isinstance(config, Finding) else smart.findings(transport, config, now)
    tell("searches")
    done = reads.tried(client, asked.patient or None, now)
    found += reads.findings(said, done, asked.patient or None)
    found += reads.people(client, said)
    artefacts = reads.artefacts(client, said)
    found += artefacts
    refused: Collection[RungName] = ()
    opened: Collection[RungName] = ()
    if asked.write:
        tell("writes, which are taken back")
        _require_patient(done, asked.patient)
        _require_visit(client, asked)
        trial = _trial(client, asked, said, now)
        found += _tried(trial, tell)
        refused, opened = trial.refused, trial.open
    else:
        found += _by_form(client, said, asked, done)
        found += untried.not_tried(said)
    known = config if isinstance(config, SmartConfiguration) else SmartConfiguration(client.base)
    scopes = scopes_to_ask(known)
    shape = shape_of(refused)
    return Report(
        base=client.base,
        software=said.software,
        release=said.release,
        findings=tuple(found),
        kept=kept(said, scopes, refused=refused, shape=shape),
        smart=isinstance(config, SmartConfiguration),
        scopes=scopes,
        hosts=hosts(known),
        settings=site_table(
            Known(
                config=known, refused=refused, open=opened, shape=shape, headers=asked.headers, ca=asked.ca,
                profiles=artefacts[-1].verdict == "yes",
                observations=said.offers("Observation", "create") is not False,
            )
        ),
    )  # fmt: skip


def _clock(client: FhirClient, now: datetime) -> Finding:
    off = client.clock_off(now)
    seconds = round(abs(off).total_seconds())
    if abs(off) <= _WARN:
        return Finding("server", "its clock and this one", "yes", f"{seconds} s apart")
    step = "Set both by one time server; over five minutes the app files nothing."
    return Finding(
        "server", "its clock and this one", "no" if abs(off) > _STOP else "fails", f"{seconds} s apart", step
    )


def _trial(client: FhirClient, asked: Asked, said: statement.Statement, now: datetime) -> writes.Writes:
    samples = Samples(asked.patient, now, asked.encounter)
    conditional = said.says("QuestionnaireResponse", "conditionalCreate") is True
    own = WatchedClient(client, asked.patient)
    return writes.Writes(samples, said, Trial(own, samples, conditional))


def _require_patient(done: Iterable[Tried], patient: str) -> None:
    error = next((each.error for each in done if each.type == "Patient" and each.error), None)
    if error is not None:
        raise BadReply(
            f"Patient/{patient} can't be read, so nothing was written. {error.message}",
            next_step="Give --patient with the id of a test patient that this log-in may see.",
        ) from error


def _require_visit(client: FhirClient, asked: Asked) -> None:
    """Without it each write would be refused, or filed under another patient's. Who may not see it, goes on."""
    if not asked.encounter:
        return
    resource_type, _, resource_id = asked.encounter.partition("/")
    wanted = f"Give --encounter with the id of a visit of Patient/{asked.patient}."
    try:
        visit = client.read(resource_type, resource_id)
    except NotFound as error:
        said = f"{asked.encounter} can't be read, so nothing was written. {error.message}"
        raise BadReply(said, next_step=wanted) from error
    except Forbidden:
        return
    subject = visit.get("subject")
    whose = str(subject.get("reference", "")) if isinstance(subject, dict) else ""
    if whose and not f"/{whose}".endswith(f"/Patient/{asked.patient}"):
        raise BadReply(f"{asked.encounter} is of another patient, so nothing was written.", next_step=wanted)


def _tried(trial: writes.Writes, tell: Tell) -> list[Finding]:
    """Whatever stops it, what was written is taken back, and what can't be is told."""
    try:
        found = [*trial.findings(), *update_as_create.findings(trial.statement, trial.trial)]
    except BaseException:
        for each in trial.trial.take_back():
            tell(f"{each.what}: {each.evidence}")
        raise
    return [*found, *trial.trial.take_back()]


def _by_form(client: FhirClient, said: statement.Statement, asked: Asked, done: Collection[Tried]) -> Iterator[Finding]:
    """Only with a response that is there can be seen which way of searching by its form works."""
    there = [
        raw for each in done if each.type == "QuestionnaireResponse" and each.found for raw in each.found.resources
    ]
    one = next((raw for raw in there if isinstance(raw.get("questionnaire"), str) and raw.get("id")), None)
    if asked.patient and one is not None:
        watched = WatchedClient(client, asked.patient)
        yield from reads.by_questionnaire(watched, said, asked.patient, one["questionnaire"], str(one["id"]))
    else:
        why = "there is no response by which it could be seen"
        yield Finding("read", "QuestionnaireResponse?questionnaire", "unknown", why, needed=False)
