"""What people do, each up to the one request that goes wrong: what came before it, and the press itself."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from smart_app.hospital import Hospital
from smart_app.state import state_of
from smart_app.telling import tell
from tests.flows import steps
from tests.flows.steps import SAVED, answers, begin, filed, go, heading
from tests.flows.wrong import Wsgi, in_front
from tests.running import SITE, Browser, Chart, Running, log_in, marked
from tests.web.steps import end_unused, token_ends_now


@dataclass
class Scene:
    """One cell: a patient of its own, and where the person stands. ``typed`` stands nowhere else."""

    run: Running
    patient: str
    typed: str = field(default_factory=lambda: marked("typed"))
    browser: Browser = field(default_factory=Browser)
    chart: Chart | None = None
    page: requests.Response | None = None
    fields: Mapping[str, str] = field(default_factory=dict)

    def enter(self, *, apart: bool = False) -> Chart:
        with in_front(self.run, without_transactions) if apart else _as_it_is():
            self.chart = log_in(self.run, patient=self.patient, browser=self.browser)
        return self.chart

    def press(self, path: str = "") -> requests.Response:
        assert self.page is not None
        return go(self.browser, self.page, path, **self.fields)


Step = Callable[[Scene], Any]


@dataclass(frozen=True)
class Flow:
    """``before`` goes well; ``press`` meets the fault. ``files``: something is sealed by it, or was; else it may be
    about ``shown``, the patient whose record all such cells look at."""

    name: str
    before: Step
    press: Step
    files: bool = True
    shown: bool = False


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield


def without_transactions(hospital: Wsgi) -> Wsgi:
    """An EHR that takes parts one by one, and says so."""

    def answering(environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"] != "/fhir/metadata":
            return hospital(environ, start_response)
        said: list[Any] = []
        body = b"".join(hospital(environ, lambda status, headers, *_: said.extend((status, headers))))
        statement = json.loads(body)
        statement["rest"][0]["interaction"] = []
        start_response(said[0], [(name, value) for name, value in said[1] if name != "Content-Length"])
        return [json.dumps(statement).encode()]

    return answering


def as_if_just_started(run: Running) -> None:
    """Nothing is known of the hospital, and neither a failure nor a refusal of it is remembered."""
    with run.store.writing() as connection:
        connection.exec_driver_sql("DELETE FROM refusal")
    hospitals: Any = state_of(run.app).hospitals
    hospitals[SITE].transport._adapter.close()
    hospitals[SITE].transport._threads.shutdown(wait=False)
    hospitals[SITE] = Hospital(run.site, run.config)


def nothing(scene: Scene) -> None:
    """The first press is the one."""


def open_the_app(scene: Scene) -> requests.Response:
    return scene.browser.open(scene.run.launch_url(scene.patient))


def opened(scene: Scene) -> None:
    scene.enter()


def look(scene: Scene) -> requests.Response:
    assert scene.chart
    return scene.browser.open(scene.chart.url)


def look_and_tell(scene: Scene) -> requests.Response:
    """The EHR is told when the page is out."""
    page = look(scene)
    tell(state_of(scene.run.app))
    return page


def something_is_there(scene: Scene) -> None:
    """A rating, a goal with a step and a course: each search of the panel finds something."""
    chart = scene.enter()
    assert heading(steps.rate(chart)) == SAVED
    goal_set(scene)


def rating(apart: bool) -> Step:
    def before(scene: Scene) -> None:
        scene.page = begin(scene.enter(apart=apart))
        scene.fields = answers() | {"do": "complete", "comment": scene.typed}

    return before


def correction(apart: bool) -> Step:
    def before(scene: Scene) -> None:
        chart = scene.enter(apart=apart)
        assert heading(steps.rate(chart)) == SAVED
        (response,) = filed(scene.run, scene.patient, "QuestionnaireResponse")
        scene.page = steps.correct(chart, response["id"])
        scene.fields = answers(4) | {"do": "complete", "comment": scene.typed, "reason": "Misread"}

    return before


def goal(apart: bool) -> Step:
    def before(scene: Scene) -> None:
        scene.page = scene.browser.get(scene.enter(apart=apart).at("goal/new"))
        scene.fields = {"text": scene.typed, "theirs": "yes", "step-1": "Ring", "helps": "The sea", "do": "save"}

    return before


def goal_set(scene: Scene) -> list[dict[str, Any]]:
    assert scene.chart
    page = scene.browser.get(scene.chart.at("goal/new"))
    fields = {"text": "Sing", "theirs": "yes", "step-1": "Ring", "helps": "The sea", "do": "save"}
    done = go(scene.browser, page, **fields)
    assert heading(done) == SAVED
    return filed(scene.run, scene.patient, "Goal")


def review(apart: bool) -> Step:
    def before(scene: Scene) -> None:
        chart = scene.enter(apart=apart)
        goal, step = goal_set(scene)
        scene.page = scene.browser.get(chart.at(f"goal/{goal['id']}/review"))
        scene.fields = {"do": "save", f"result-{step['id']}": "done", f"helped-{step['id']}": scene.typed}

    return before


def handed_over(scene: Scene) -> None:
    """The patient has answered and handed in; the clinician has typed the PIN."""
    chart = scene.enter()
    assert heading(steps.rate(chart)) == SAVED, "else the clinician rates blind, and sees none of it"
    all_at_once = scene.browser.get(urljoin(steps.give(chart).url, "all"))
    check = go(scene.browser, all_at_once, go="check", comment=scene.typed, **answers())
    steps.hand_in(scene.browser, check)
    scene.page = go(scene.browser, scene.browser.get(chart.at("locked")), chart.at("back"), pin=steps.PIN)
    assert urlsplit(scene.page.url).path.endswith("/received")


def token_about_to_end(scene: Scene) -> None:
    rating(apart=False)(scene)
    assert scene.chart
    token_ends_now(scene.run, scene.chart)


def log_out(scene: Scene) -> requests.Response:
    assert scene.chart
    page = scene.browser.submit(scene.chart.page, scene.chart.at("log-out"))
    end_unused(scene.run)
    return page


def press(scene: Scene) -> requests.Response:
    return scene.press()


def receive(scene: Scene) -> requests.Response:
    assert scene.chart
    return scene.press(scene.chart.at("received"))


OPEN = Flow("Opening the app", nothing, open_the_app, files=False)
PANEL = Flow("Looking at the panel", opened, look, files=False, shown=True)
TELL = Flow("Telling the EHR who looked", opened, look_and_tell, files=False, shown=True)
RATE = Flow("Saving a rating", rating(apart=False), press)
RATE_APART = Flow("Saving a rating, one by one", rating(apart=True), press)
CORRECT = Flow("Correcting a rating", correction(apart=False), press)
CORRECT_APART = Flow("Correcting a rating, one by one", correction(apart=True), press)
GOAL = Flow("Setting a goal", goal(apart=False), press)
GOAL_APART = Flow("Setting a goal, one by one", goal(apart=True), press)
REVIEW = Flow("Reviewing a step", review(apart=False), press)
REVIEW_APART = Flow("Reviewing a step, one by one", review(apart=True), press)
HAND_OVER = Flow("Filing what the patient handed in", handed_over, receive)
REFRESH = Flow("Saving a rating when the token ends", token_about_to_end, press)
LOG_OUT = Flow("Logging out", opened, log_out, files=False)
