"""An export that the server makes itself ($export): asked for, waited for, its files taken, and thrown away there."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from imr_fhir.ehr import bulk_data
from imr_fhir.ehr.bulk_data import Kickoff, Manifest, Waiting
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.failure import read_failed
from imr_fhir.ehr.transport import Incoming
from imr_fhir.errors import BadReply, EhrError, ExportLost, Forbidden, Invalid, LostReply, NotFound, ServerFault
from imr_fhir.reporting.export.ledger import Ledger, Part
from imr_fhir.reporting.export.lines import lines, resource
from imr_fhir.reporting.export.patience import Patience, Tell
from imr_fhir.reporting.export.taking import Into, Taking

FIRST_WAIT = 10.0  # seconds; each longer than the last, where the server does not say
LONGEST_WAIT = 30.0


def begin(client: FhirClient, ledger: Ledger, asked: Kickoff, *, post: bool, patience: Patience) -> None:
    """Asks for the export, for less exactly what we want where the server refuses more; the rest is left out here.

    Raises NotFound, Forbidden (405) or Invalid where it has no such export, EhrError.
    """
    last: EhrError | None = None
    for narrower, note in _ladder(asked):
        try:
            ledger.job = patience.insist(partial(_begin, client, narrower, post))
        except Invalid as error:
            last = error
            continue
        ledger.how, ledger.narrow = "bulk", bool(narrower.filters) or not asked.filters
        ledger.since = narrower.since
        ledger.notes += [note] if note else []
        ledger.save()
        return
    assert last is not None
    raise last


def _ladder(asked: Kickoff) -> Sequence[tuple[Kickoff, str]]:
    steps = [(asked, "")]
    if asked.filters:
        steps.append((replace(asked, filters=()), "The server took no _typeFilter: what is no IMR was left out here."))
    if asked.types:
        without = replace(asked, filters=(), types=())
        steps.append((without, "The server took no _type: what was not asked for was left out here."))
    if asked.since:
        steps.append((Kickoff(asked.level, asked.group), "The server took no _since: everything came anew."))
    return steps


def _begin(client: FhirClient, asked: Kickoff, post: bool) -> str:
    try:
        return bulk_data.begin(client, asked, post=post)
    except Forbidden as error:
        if post or error.status != 405:
            raise
        return bulk_data.begin(client, asked, post=True)
    except ServerFault as error:
        if error.status != 501:
            raise
        raise Forbidden(error.message, status=501, next_step=error.next_step) from error  # it will not be had later


def wait(client: FhirClient, ledger: Ledger, *, patience: Patience, tell: Tell) -> None:
    """Until the server has made the files, which then stand in the ledger. Raises ExportLost, EhrError."""
    seconds = FIRST_WAIT
    tell("The server is preparing the export")
    patience.pause(seconds)  # asked at once it would say no, and HAPI then: not before two minutes have passed
    while True:
        found = patience.insist(partial(bulk_data.poll, client, ledger.job))
        if isinstance(found, Waiting):
            tell(f"The server is preparing the export{f': {found.said}' if found.said else ''}")
            patience.pause(seconds if found.seconds is None else max(found.seconds, 1))
            seconds = min(seconds * 1.5, LONGEST_WAIT)
            continue
        _list(ledger, found)
        return


def _list(ledger: Ledger, found: Manifest) -> None:
    ledger.transaction_time, ledger.token = found.transaction_time, found.token
    asked = {*ledger.asked["types"]} - {"Questionnaire"}  # which are searched for, being of no patient
    strange = sorted({each.type for each in found.output if each.type not in asked})
    listed = dict.fromkeys((each.type, each.url) for each in found.output)
    if twice := len(found.output) - len(listed):
        ledger.notes.append(f"The server listed {twice} files twice: each was fetched once.")
    for each in found.output:
        if each.type in asked and (each.type, each.url) in listed:
            del listed[each.type, each.url]
            ledger.add("output", each.type, each.url, each.count)
    for each in found.deleted:
        ledger.add("deleted", "", each.url, each.count)
    for each in found.error:
        ledger.add("error", "", each.url, each.count)
    if strange:
        ledger.notes.append(f"Files of {len(strange)} other types were not fetched.")


def take(client: FhirClient, taking: Taking, part: Part, *, patience: Patience, tell: Tell) -> None:
    """One file. Raises ExportLost, ExportError, EhrError."""
    try:
        patience.insist(partial(_take, client, taking, part, patience, tell), gained=lambda: part.offset)
    except (NotFound, Forbidden) as error:
        raise ExportLost(f"The EHR no longer gives {part.name}. {error.message}", next_step=bulk_data.ANEW) from error


def _take(client: FhirClient, taking: Taking, part: Part, patience: Patience, tell: Tell) -> None:
    headers = {"Accept": bulk_data.NDJSON}
    if part.offset:
        headers |= {"Range": f"bytes={part.offset}-", "If-Range": part.etag, "Accept-Encoding": "identity"}
    with client.open(part.url, headers=headers, token=taking.ledger.token) as incoming:
        if incoming.status == 416:  # there is nothing after what we have, or it is another file now
            part.afresh()
            raise LostReply(f"{part.name} is not the file that it was.")
        if incoming.status not in (200, 206):
            raise read_failed(incoming, f"to give {part.name}")
        _begin_where_it_does(incoming, part)
        with taking.into(part) as into:
            try:
                _lines(incoming, into, patience, tell)
            except LostReply:
                if part.etag:
                    into.checkpoint()
                raise
            missing = (into.part.count or 0) - into.part.given
            if missing > 0:
                into.part.leave("missing", f"{part.name}: {missing} resources fewer than the server says.", missing)
            into.checkpoint(done=True)


def _begin_where_it_does(incoming: Incoming, part: Part) -> None:
    """What comes is the rest of what is there (206), or the whole file: then that is begun anew."""
    if incoming.status == 200:
        etag = incoming.headers.get("ETag", "")
        packed = incoming.headers.get("Content-Encoding", "identity") != "identity"
        part.afresh()
        part.etag = "" if packed or etag.startswith("W/") else etag
    elif not incoming.headers.get("Content-Range", "").startswith(f"bytes {part.offset}-"):
        raise BadReply("The EHR answered with another part of the file.", next_step=bulk_data.ANEW)


def _lines(incoming: Incoming, into: Into, patience: Patience, tell: Tell) -> None:
    part = into.part
    for line, taken in lines(incoming.pieces):
        part.offset += taken
        if line is None:
            into.unreadable("too-long", "it is too long to be a resource of ours.")
        elif line.strip():
            _line(line, into)
        if part.given % 500 == 0:
            patience.check()
            tell(f"{part.name}: {part.given:,}")
        if part.etag and into.due:
            into.checkpoint()


def _line(line: bytes, into: Into) -> None:
    found = resource(line)
    if isinstance(found, str):
        into.unreadable("no-json", found)
    elif into.part.kind == "output":
        into.take(found, line)
    else:
        into.note(found)


def end(client: FhirClient, ledger: Ledger) -> None:
    """The files are ours: the server need not keep them. It is no fault of ours where it can't be told."""
    with suppress(EhrError):
        bulk_data.end(client, ledger.job)
