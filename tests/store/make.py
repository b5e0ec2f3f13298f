"""What the store's tests begin with: a launch, a draft, a filing."""

import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, create_engine
from sqlalchemy.engine import URL

from smart_app.store import Store
from smart_app.store.audit import Entry
from smart_app.store.drafts import Draft
from smart_app.store.filing import Filing, NewPart, Receipt, Sealing
from smart_app.store.filing_states import Event, State
from smart_app.store.launch import Context, Launch, Started, Tokens

NOW = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)
ANNA = Context(
    site="sandbox",
    iss="https://ehr.example/fhir",
    fhir_base="https://ehr.example/fhir",
    issuer="https://ehr.example",
    patient="anna",
    sub="kari",
    user_name="Kari Nordmann",
    fhir_user="Practitioner/kari",
    role="clinician",
    patient_name="Anna Berg",
    birth_date="1990-02-03",
)
TOKENS = Tokens("access-1", NOW, ("patient/*.rs",), "refresh-1")


@contextmanager
def behind(place: Path | URL) -> Iterator[Connection]:
    """The tables without the store, as another process sees them; what is done to them is committed at the end."""
    engine = create_engine(place if isinstance(place, URL) else f"sqlite:///{place}")
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def start(store: Store, now: datetime = NOW, presented: Collection[str] = (), **context: object) -> Started:
    return store.launches.start(replace(ANNA, **context), TOKENS, presented, now)  # type: ignore[arg-type]


def draft(store: Store, launch: Launch, now: datetime = NOW) -> Draft:
    return store.drafts.start(
        launch.owner,
        "client",
        questionnaire="https://w3id.org/imr-fhir/Questionnaire/imr-client|0.1.0",
        language="nb",
        identifier=f"urn:uuid:{uuid.uuid4()}",
        now=now,
    )


def entry(launch: Launch, action: str = "save", purpose: str = "") -> Entry:
    return Entry(
        action=action,
        outcome="success",
        who=launch.who,
        site=launch.context.site,
        patient=launch.context.patient,
        patient_key=launch.patient_key,
        purpose=purpose,
    )


def parts(count: int = 3) -> tuple[NewPart, ...]:
    types = ("QuestionnaireResponse", "Observation", "Provenance")[:count]
    return tuple(NewPart(type, f'{{"resourceType":"{type}"}}'.encode(), {"method": "POST"}) for type in types)


def sealing(launch: Launch, *, count: int = 3, in_transaction: bool = True, of: Draft | None = None) -> Sealing:
    return Sealing(
        id=str(uuid.uuid4()),
        owner=launch.owner,
        parts=parts(count),
        in_transaction=in_transaction,
        plan={"answers": "response"},
        details={"kind": "response", "author": "Kari Nordmann"},
        draft=of,
        form="" if of else str(uuid.uuid4()),
    )


def seal(store: Store, launch: Launch, *, count: int = 3, in_transaction: bool = True) -> Filing:
    made = sealing(launch, count=count, in_transaction=in_transaction)
    return store.filings.seal(made, entry(launch), NOW)


def receipts(filing: Filing) -> tuple[Receipt, ...]:
    return tuple(Receipt(part.type, f"id-{part.number}", "1", 201) for part in filing.current)


def claim(store: Store, launch: Launch, filing: Filing) -> Filing:
    return store.filings.claim(filing, launch.owner, entry(launch, "send"), NOW)


def later(store: Store, seconds: int) -> None:
    """Moves the filings' clocks back, since the database's own can't be moved on."""
    with store.writing() as connection:
        for column in ("lease_until", "lost_at", "not_before"):
            connection.exec_driver_sql(f"UPDATE filing SET {column} = {column} - {seconds * 1000}")


STEPS: dict[Event, Callable[[Store, Launch, Filing], Filing]] = {
    Event.CLAIM: claim,
    Event.ACCEPTED: lambda store, _, filing: store.filings.accepted(filing, receipts(filing)),
    Event.LOST: lambda store, _, filing: store.filings.lost(filing, "reset by peer"),
    Event.WAIT: lambda store, _, filing: store.filings.wait(filing, "not connected"),
    Event.REFUSE: lambda store, _, filing: store.filings.refused(filing, "405", plan={"answers": "observation"}),
    Event.FOUND: lambda store, _, filing: store.filings.found(filing, receipts(filing)),
    Event.NOT_FOUND: lambda store, _, filing: store.filings.not_found(filing),
    Event.CLASH: lambda store, _, filing: store.filings.duplicate(filing, ["Observation/1", "Observation/2"], "two"),
    Event.VOUCH: lambda store, launch, filing: store.filings.vouch(filing, launch.owner, entry(launch, "decide"), NOW),
    Event.SEND_AGAIN: lambda store, launch, filing: store.filings.send_again(
        filing, launch.owner, entry(launch, "decide"), NOW
    ),
    Event.CHOOSE: lambda store, launch, filing: store.filings.choose(
        filing, receipts(filing), launch.owner, entry(launch, "decide"), NOW
    ),
    Event.REPLAN: lambda store, launch, filing: store.filings.replan(
        filing,
        parts(1),
        plan={"answers": "document"},
        in_transaction=False,
        by=launch.owner,
        audit=entry(launch, "decide"),
        now=NOW,
    ),
    Event.HOLD: lambda store, launch, filing: store.filings.hold(filing, "clock", entry(launch, "send"), NOW),
    Event.FINISH: lambda store, _, filing: store.filings.finish(filing),
    Event.WITHDRAW: lambda store, launch, filing: store.filings.withdraw(
        filing, "wrong form", launch.owner, entry(launch, "withdraw"), NOW
    ),
}
STEPS[Event.REPLAN_REST] = STEPS[Event.REPLAN]

PATHS: dict[State, tuple[Event, ...]] = {
    State.SEALED: (),
    State.SENDING: (Event.CLAIM,),
    State.PART_OK: (Event.CLAIM, Event.ACCEPTED),
    State.UNKNOWN: (Event.CLAIM, Event.LOST),
    State.WAITING: (Event.CLAIM, Event.WAIT),
    State.REFUSED: (Event.CLAIM, Event.REFUSE),
    State.DUPLICATE: (Event.CLAIM, Event.LOST, Event.CLASH),
    State.DONE: (Event.CLAIM, Event.ACCEPTED, Event.FINISH),
    State.WITHDRAWN: (Event.WITHDRAW,),
}
"""The shortest way from SEALED to each state."""


def bring(
    store: Store,
    launch: Launch,
    state: State,
    *,
    count: int = 3,
    in_transaction: bool = True,
    accepted: bool = False,
) -> Filing:
    """A filing in the state; ``accepted``: its first part is in the EHR already, where the state allows that."""
    filing = seal(store, launch, count=count, in_transaction=in_transaction)
    if accepted and state in (State.REFUSED, State.DUPLICATE):
        filing = STEPS[Event.ACCEPTED](store, launch, claim(store, launch, filing))
    for event in PATHS[state]:
        filing = STEPS[event](store, launch, filing)
    assert filing.state is state
    return filing
