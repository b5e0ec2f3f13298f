"""Where the server makes no export: plain search, page by page, of a type for all patients or for each of a group."""

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from itertools import islice
from urllib.parse import urlencode

from imr_fhir.ehr.address import local_reference
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.compartment import belongs
from imr_fhir.ehr.paging import PAGE, Page
from imr_fhir.errors import BadReply, ExportError, Forbidden, HttpFailure, ImrError, Invalid, NotFound
from imr_fhir.reporting.export.asking import QUESTIONNAIRES, narrow
from imr_fhir.reporting.export.ledger import Part
from imr_fhir.reporting.export.patience import Patience, Stopped, Tell
from imr_fhir.reporting.export.taking import Into, Taking

PATIENTS = 20  # of a group, searched through between two states that a later run can go on from
OVERLAP = timedelta(minutes=5)  # a server may index late what it has: to be told twice is better than never


def members(client: FhirClient, group: str) -> tuple[str, ...]:
    """Ids of the patients of a Group. Raises EhrError, ExportError where it lists none."""
    listed = client.read("Group", group).get("member")
    entities = [each.get("entity") for each in listed or [] if isinstance(each, Mapping)]
    named = [local_reference(each.get("reference"), client.base) for each in entities if isinstance(each, Mapping)]
    found = dict.fromkeys(each.id for each in named if each and each.type == "Patient")
    if not found:
        raise ExportError(f"Group/{group} lists no patients.", next_step="Name one that does, or leave --group out.")
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Searching:
    """``patients``: ids of those of a group, None for all of the server. ``now``: where the server says no time.
    ``threads``: in which pages are asked for. ``ahead``: of so many patients while one's are taken."""

    client: FhirClient
    taking: Taking
    patients: tuple[str, ...] | None
    now: datetime
    threads: Executor
    ahead: int
    patience: Patience
    tell: Tell

    def take(self, part: Part) -> None:
        """All of one type; where the server has no such type or does not give it to us, the part says so.

        Raises ExportError, EhrError.
        """
        try:
            self._take(part)
        except NotFound as error:
            if not part.url:
                self._unavailable(part, error)
                return
            part.afresh()  # the place where it had stopped ran out at the server
            part.url = ""
            self._take(part)
        except Forbidden as error:
            self._unavailable(part, error)

    def _unavailable(self, part: Part, error: HttpFailure) -> None:
        """What the server says of it is not kept: the manifest leaves the hospital."""
        self.tell(str(error))
        part.unavailable, part.done = f"The server refused it ({error.status}).", True
        self.taking.ledger.save()

    def _take(self, part: Part) -> None:
        turns = self._turns(part)
        with self.taking.into(part, self.taking.ids_in(part)) as into:
            reached = into.part
            try:
                for member, page in self._pages(reached, turns):
                    patient = turns[member]
                    self._take_page(into, page, patient)
                    reached.member = member + (not page.next)
                    # the address of a page of one patient's would name the patient: begun anew, and taken once
                    reached.url = "" if patient else page.next
                    self.tell(f"{part.type}: {reached.given:,}")
                    if not patient or into.due or member % PATIENTS == 0:
                        into.checkpoint()
                    self.patience.check()
            except (ImrError, Stopped):
                into.checkpoint()
                raise
            into.checkpoint(done=True)

    def _take_page(self, into: Into, page: Page, patient: str) -> None:
        for resource in page.resources:
            if resource.get("resourceType") == "OperationOutcome":  # what the server wants to say
                continue
            if patient and not belongs(resource, patient, self.client.base):
                into.leave("other-patient")  # some servers ignore what they can't search by
            else:
                into.take(resource)

    def _pages(self, part: Part, turns: tuple[str, ...]) -> Iterator[tuple[int, Page]]:
        """Each with the number of its turn, from where ``part`` is; the next ones are on their way meanwhile."""
        members = iter(range(part.member, len(turns)))
        coming = deque(map(partial(self._begin, part, turns), islice(members, self.ahead)))
        for member in range(part.member, len(turns)):
            page, seen = coming.popleft().result(), set[str]()
            coming.extend(map(partial(self._begin, part, turns), islice(members, 1)))
            while page.next:
                if page.next in seen:
                    raise BadReply("The EHR's pages lead in a circle.", next_step="Tell the EHR's administrator.")
                seen.add(page.next)
                following = self.threads.submit(self._page, page.next)
                yield member, page
                page = following.result()
            yield member, page

    def _begin(self, part: Part, turns: tuple[str, ...], member: int) -> Future[Page]:
        went_on = part.url if member == part.member else ""
        first = partial(self._page, went_on) if went_on else partial(self._first, part, turns[member])
        return self.threads.submit(first)

    def _turns(self, part: Part) -> tuple[str, ...]:
        """A search each: of one patient, or "" of all."""
        return ("",) if self.patients is None or part.type == "Questionnaire" else self.patients

    def _first(self, part: Part, patient: str) -> Page:
        """The first page, of a wider search where the server does not take the narrow one."""
        whose = [("_id" if part.type == "Patient" else "patient", patient)] if patient else []
        since = [("_lastUpdated", f"ge{self.taking.ledger.since}")] if self.taking.ledger.since else []
        if part.type == "Questionnaire":
            steps = [(False, [*QUESTIONNAIRES]), (False, [])]
        else:
            ours = narrow(self.taking.release.systems).get(part.type, ())
            steps = [(True, [*ours, *since])] if part.narrow else []
            steps += [(False, [*since]), (False, [])]
        for narrowed, params in steps:
            query = urlencode([*params, *whose, ("_count", str(PAGE))])
            try:
                page = self._page(f"{part.type}?{query}")
            except Invalid:
                if (narrowed, params) == steps[-1]:
                    raise
                continue
            part.narrow = narrowed
            self._began(page)
            return page
        raise AssertionError("a search has a last step")

    def _page(self, url: str) -> Page:
        return self.patience.insist(partial(self.client.page, url))

    def _began(self, page: Page) -> None:
        ledger = self.taking.ledger
        if ledger.transaction_time:
            return
        try:
            time = parsedate_to_datetime(page.date)
        except ValueError:
            time = self.now
        ledger.transaction_time = (time.astimezone(UTC) - OVERLAP).isoformat(timespec="seconds")
