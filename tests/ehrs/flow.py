"""One EHR: a patient, an open launch, each act of the app in turn, and what the record has of it afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from imr_fhir.ehr.ladder import LADDERS
from imr_fhir.goal import to_resource
from smart_app.plan import Plan, plan_from
from tests.filed import FILING, GOAL
from tests.flows import steps
from tests.flows.filings import act, let_time_pass
from tests.flows.steps import filed, go, heading, say, text
from tests.running import Chart, Running, log_in, running

ORDER = ("generic", "epic", "oracle-health", "meditech", "openemr", "dips", "observation-only")
TYPES = ("QuestionnaireResponse", "Observation", "Goal", "DocumentReference")
WORDS = "The choir, again"


@dataclass
class Act:
    """``page``: the receipt's title, ``written``: what the record has more or newer ("Observation" -> how many)."""

    name: str
    page: str
    written: dict[str, int] = field(default_factory=dict)


@dataclass
class Result:
    """``acts`` in their order, ``panel`` what it says once both have answered."""

    ehr: str
    plan: Plan
    acts: list[Act]
    panel: str
    said: tuple[str, ...]

    @property
    def rungs(self) -> dict[str, str]:
        return {artefact: self.plan.rung(artefact) for artefact in LADDERS}


@contextmanager
def hospital(folder: Path, ehr: str, **settings: Any) -> Iterator[Running]:
    folder.mkdir(parents=True, exist_ok=True)
    with running(folder, ehr=ehr, **settings) as run:
        yield run


def patient_of(run: Running) -> str:
    patient = steps.new_patient(run)
    steps.put(run, {"resourceType": "Encounter", "id": f"{patient}-visit", "status": "in-progress",
                    "class": {"code": "AMB", "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode"},
                    "subject": {"reference": f"Patient/{patient}"}})  # fmt: skip
    return patient


def launch(run: Running, patient: str, *, encounter: bool = True) -> Chart:
    return log_in(run, patient=patient, encounter=f"{patient}-visit" if encounter else "")


def plan_in(run: Running, chart: Chart) -> Plan:
    secret = chart.browser.jar["127.0.0.1"][f"__Host-l-{chart.id[:8]}"]
    found = run.store.launches.access(chart.id, secret, run.clock())
    refused = run.store.refusals.of(found.owner.site, found.owner.user_key, run.clock())
    return plan_from(found.context.plan).after(refused)


def whole_flow(run: Running, ehr: str) -> Result:
    """Rate, hand over, set a goal, review it, correct the rating, withdraw it."""
    patient = patient_of(run)
    chart = launch(run, patient)
    said = tuple(re.findall(r"<li>(.*?)</li>", chart.page.text.partition('<ul class="plan')[2].partition("</ul>")[0]))
    acts: list[Act] = []

    def done(name: str, do: Callable[[], Any]) -> None:
        before = _versions(run, patient)
        page = do()
        after = _versions(run, patient)
        changed = [key[0] for key, version in after.items() if before.get(key) != version]
        acts.append(Act(name, _title(page), _counted(changed)))

    done("rate", lambda: steps.rate(chart, said=steps.answers(3)))
    let_time_pass(run, 60)  # one rating is the later one: the last that the panel lists is corrected and taken back
    done("hand over", lambda: _handed_over(run, chart))
    done("goal", lambda: _goal(chart))
    _hospital_s_own_goal(run, patient)
    done("review", lambda: _review(chart))
    panel = text(chart.browser.get(chart.url))
    done("correct", lambda: _corrected(chart))
    done("withdraw", lambda: _withdrawn(chart))
    return Result(ehr, plan_in(run, chart), acts, panel, said)


def everything(folder: Path, ehr: str) -> Result:
    """The whole flow, and what else decides there."""
    with hospital(folder, ehr) as run:
        result = whole_flow(run, ehr)
        if {"text", "pdf"} & set(result.plan.ladders["answers"]) and result.plan.documents:
            patient = patient_of(run)
            before = _versions(run, patient)
            page = steps.rate(launch(run, patient, encounter=False))
            after = _versions(run, patient)
            made = [key[0] for key in after.keys() - before.keys()]
            result.acts.append(Act("without an encounter", _title(page), _counted(made)))
        return result


def _versions(run: Running, patient: str) -> dict[tuple[str, str], str]:
    return {
        (resource_type, each["id"]): each["meta"].get("lastUpdated", "")
        for resource_type in TYPES
        for each in filed(run, patient, resource_type)
    }


def _counted(types: list[str]) -> dict[str, int]:
    return {each: types.count(each) for each in TYPES if each in types}


def _title(page: Any) -> str:
    return heading(page) if page is not None else ""


def _handed_over(run: Running, chart: Chart) -> Any:
    """The hand-back has no receipt of its own: what was saved last is looked up."""
    steps.answered_by_patient(chart, comment="It was a good week")
    secret = chart.browser.jar["127.0.0.1"][f"__Host-l-{chart.id[:8]}"]
    owner = run.store.launches.access(chart.id, secret, run.clock()).owner
    last = max([*run.store.filings.filed(owner), *run.store.filings.outbox(owner)], key=lambda each: each.sealed)
    return chart.browser.get(chart.at(f"saved/{last.id}"))


def _goal(chart: Chart) -> Any:
    form = chart.browser.get(chart.at("goal/new"))
    return go(chart.browser, form, do="save", text=WORDS, theirs="yes", **{"step-1": "Ring the choir"}, helps="The sea")


def _hospital_s_own_goal(run: Running, patient: str) -> None:
    """Where the app can set none, the hospital's people did, with the app's codes: it can be reviewed."""
    if filed(run, patient, "Goal"):
        return
    goal = to_resource(replace(GOAL, patient=patient), filing=FILING)
    steps.put(run, {**goal, "id": f"{patient}-goal"})


def _review(chart: Chart) -> Any:
    found = re.search(r'href="(/l/[^"]+/goal/[^"/]+/review)"', chart.browser.get(chart.url).text)
    if not found:
        return None
    form = chart.browser.get(chart.at(found[1]))
    return go(chart.browser, form, do="save", **{"result-goal": "going", "step-1": "Find the time of the practice"})


def _corrected(chart: Chart) -> Any:
    form = steps.listed(chart, "correct")
    return go(chart.browser, form, do="complete", reason="Misread", **{"06": "06-5"}) if form else None


def _withdrawn(chart: Chart) -> Any:
    form = steps.listed(chart, "withdraw")
    return go(chart.browser, form, reason="Another patient's") if form else None


def step_down_to_the_end(chart: Chart, page: Any) -> Any:
    """Each next rung that is offered, to the last."""
    while heading(page) == say("filing.refused.title") and 'value="down"' in page.text:
        page = act(chart, page, "down")
    return page
