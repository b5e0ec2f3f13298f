"""One cell: the flow up to its request, the fault, what came of it, and how it ends once the hospital is well again."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, dataclass
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import requests

from smart_app.state import state_of
from smart_app.store.filing import Filing
from smart_app.store.filing_states import State
from smart_app.store.filings import _same_patient
from smart_app.store.owner import Owner
from tests.faults import invariants
from tests.faults.answers import FAULTS, LATE, REFUSED, SILENCE, Wrong
from tests.faults.flows import LOG_OUT, Scene, as_if_just_started
from tests.faults.places import Place
from tests.flows import filings, steps
from tests.flows.steps import heading, text
from tests.flows.wrong import Wsgi, in_front, is_send
from tests.running import SITE, Chart, Running
from tests.web.steps import record_of

CLOSED = "http://127.0.0.1:9"  # the port that "discards": nobody listens
REASON = "Looked it up with a colleague"
# What a person presses, the first that is offered, until nothing is left to press.
_PRESSES = ("send", "apart", "down", "change", "without", "printed", "choose", "drop")


@dataclass(frozen=True)
class World:
    """What all cells share: a hospital, a record to be looked at, another patient's, and a host that is none of the
    site's."""

    run: Running
    shown: str
    stranger: Mapping[str, str]
    elsewhere: str
    called_elsewhere: list[str]


@dataclass(frozen=True)
class Came:
    """What came of it: the columns of the table."""

    sees: str
    record: str
    outbox: str
    then: str

    @property
    def cells(self) -> tuple[str, ...]:
        return astuple(self)


def run_cell(world: World, place: Place, fault: str) -> Came:
    """Raises AssertionError where an invariant does not hold."""
    run = world.run
    run.clock.right()
    as_if_just_started(run)
    run.store.launches.end_all("end of the cell before", run.clock())
    scene = Scene(run, world.shown if place.flow.shown else steps.new_patient(run, course=True))
    with invariants.watched(world, scene) as watch, ExitStack() as stack:
        place.flow.before(scene)
        known = {each.id for each in filings_of(scene) if each.finished}
        hits = stack.enter_context(_wrong(world, place, fault, scene))
        page = place.flow.press(scene)
        if fault != LATE:
            stack.close()  # the hospital is well again
        assert hits, "the flow did not make this request"
        watch.page(page)
        new = [each for each in filings_of(scene) if each.id not in known] if place.flow.files else []
        if place.flow.files:
            invariants.kept(scene, page, new)
        filing = next(iter(new), None)
        record = recorded(run, filing)
        outbox = "–" if filing is None or filing.finished else str(filing.state)
        then = settled(scene, filing) if filing else _again(scene, place)
    return Came(_seen(page), record, outbox, then)


def filings_of(scene: Scene) -> tuple[Filing, ...]:
    """All of this patient, those that were taken back too."""
    if scene.chart is None:
        return ()
    owner = owner_of(scene)
    return scene.run.store.filings._find(*_same_patient(owner))


def chart_of(scene: Scene) -> Chart:
    assert scene.chart
    return scene.chart


def owner_of(scene: Scene) -> Owner:
    return record_of(scene.run, chart_of(scene)).owner


@contextmanager
def _wrong(world: World, place: Place, fault: str, scene: Scene) -> Iterator[list[str]]:
    """The fault at the place; the list holds each request that met it."""
    hits: list[str] = []
    lost = [place.lost]
    lock = Lock()
    answer = place.faults()[fault]

    def make(hospital: Wsgi) -> Wsgi:
        def answering(environ: Any, start_response: Any) -> Any:
            method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
            with lock:
                loses = lost[0] and is_send(environ)
                lost[0] = lost[0] and not loses
            if loses:
                return FAULTS["reset when it is done"](wrong, environ, start_response)
            if fault == LATE and hits and place.hits(method, path):
                wrong.let_go()
            elif fault != REFUSED and place.hits(method, path):
                hits.append(f"{method} {path}")
                return answer(wrong, environ, start_response)
            return hospital(environ, start_response)

        return answering

    wrong = Wrong(world.run.hospital.app.wsgi_app, scene.patient, world.stranger, world.elsewhere)
    with ExitStack() as stack:
        stack.enter_context(in_front(world.run, make))
        if fault in (REFUSED, SILENCE, LATE):
            stack.enter_context(_on_the_line(world.run, place, fault, hits))
        yield hits
        wrong.let_go()


@contextmanager
def _on_the_line(run: Running, place: Place, fault: str, hits: list[str]) -> Iterator[None]:
    """What the app's own side of the connection meets: a closed port, or a deadline that is soon over."""
    transport: Any = state_of(run.app).hospitals[SITE].transport
    send, exchange = transport.send, transport._adapter.send

    def soon(method: str, url: str, **options: Any) -> Any:
        hit = fault != REFUSED and not (fault == LATE and hits) and place.hits(method, urlsplit(url).path)
        return send(method, url, **options | ({"seconds": 0.3} if hit else {}))

    def elsewhere(request: requests.PreparedRequest, **options: Any) -> Any:
        if fault == REFUSED and place.hits(str(request.method), urlsplit(str(request.url)).path):
            hits.append(f"{request.method} {request.url}")
            request.url, request.origin = CLOSED, CLOSED  # type: ignore[attr-defined]
        return exchange(request, **options)

    transport.send, transport._adapter.send = soon, elsewhere
    try:
        yield
    finally:
        del transport.send, transport._adapter.send


def _seen(page: requests.Response) -> str:
    notes = len(re.findall(r"<li>", page.text.partition('class="notice notices')[2].partition("</ul>")[0]))
    return heading(page) + (f" ({notes} noted)" if notes else "")


def recorded(run: Running, filing: Filing | None) -> str:
    """How much of what was to be filed is in the record."""
    if filing is None:
        return "–"
    there = sum(len(found) for found in invariants.tagged(run, filing).values())
    wanted = len([part for part in filing.parts if not part.replaced and not part.unsent])
    return {wanted: "all", 0: "nothing"}.get(there, f"{there} of {wanted} parts")


def _again(scene: Scene, place: Place) -> str:
    """Nothing was sealed: the same once more, when what the app remembers of a failure is over."""
    if place.flow is LOG_OUT:
        return "–"
    as_if_just_started(scene.run)
    page = place.flow.press(scene)
    assert page.status_code == 200, text(page)
    return f"{_seen(page)}, once more"


def settled(scene: Scene, filing: Filing) -> str:
    """A person presses what the filing's page offers until it is done: what was pressed, and how it ended."""
    owner, chart = owner_of(scene), chart_of(scene)
    pressed: list[str] = []
    chosen: set[str] = set()
    if not filing.finished:
        filings.let_time_pass(scene.run, 11)
    while not filing.finished and len(pressed) < 6:
        if len(pressed) == 2 and filing.state is State.WAITING:
            chart = scene.enter()
            pressed.append("open the app again")
        page = scene.browser.get(chart.at(f"saved/{filing.id}"))
        do = next(each for each in _PRESSES if each in filings.buttons(page) and each not in chosen)
        chosen |= {do} & {"choose"}  # where it is not taken, there is nothing to be chosen
        invariants.is_ours(filings.act(chart, page, do, REASON))
        pressed.append(html.unescape(re.findall(rf'name="do" value="{do}"[^>]*>([^<]+)</button>', page.text)[0]))
        filing = scene.run.store.filings.get(filing.id, owner)
    assert filing.finished, f"still {filing.state} after {pressed}"
    invariants.once(scene.run, scene.patient, filing)
    if filing.state is State.DONE:
        invariants.equal(scene.run, filing)
    there = recorded(scene.run, filing)
    saved = "the rest is saved" if any(part.request["rung"] == "print" for part in filing.kept) else "saved"
    return "; ".join([*pressed, f"taken back, {there} there" if filing.state is State.WITHDRAWN else saved])
