"""Several clinicians with the same patients at once: each page says what is its patient's alone, and what each of them
filed is in the record once. What the app keeps of the EHR's texts is let go all the time meanwhile."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError

import pytest
import requests

from imr_fhir.ehr.resource_cache import ResourceCache
from smart_app.hospital import Hospital
from smart_app.state import state_of
from tests.flows import steps
from tests.flows.steps import SAVED, answers, filed, go, heading
from tests.running import SITE, Browser, Running, log_in

CLINICIANS, PATIENTS = range(4), range(3)
BORN = 1931  # and the years after: no page has such a date for another reason
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _id(patient: int) -> str:
    return f"many-{patient}-at-once"


def _hospitals(run: Running) -> list[Hospital]:
    return [state_of(app).hospitals[SITE] for app in filter(None, (run.app, run.twin))]


@pytest.fixture
def many(run: Running) -> Iterator[Running]:
    for number in PATIENTS:
        steps.put(run, {"resourceType": "Patient", "id": _id(number), "birthDate": f"{BORN + number}-04-12",
                        "name": [{"given": [f"Of{number}only"], "family": "Berg"}]})  # fmt: skip
    for number in CLINICIANS:
        name = [{"given": ["Kari"], "family": f"Nummer {number}"}]
        steps.put(run, {"resourceType": "Practitioner", "id": f"many-{number}", "name": name})
    hospitals = _hospitals(run)
    before = [hospital.cache for hospital in hospitals]
    for hospital in hospitals:
        hospital.cache = ResourceCache(most=600_000)  # some two thirds of what there is
    yield run
    for hospital, cache in zip(hospitals, before, strict=True):
        hospital.cache = cache


def is_of(patient: int, page: requests.Response) -> requests.Response:
    """What is some patient's alone on this page is this one's: name, words, dates, addresses."""
    assert page.status_code == 200, page.text
    said = UUID.sub("", page.text)
    assert set(re.findall(r"Of(\d)only", said)) == {str(patient)}
    assert set(re.findall(r"many-(\d)-at-once", said)) <= {str(patient)}
    assert {int(year) for year in re.findall(r"\b193\d\b", said)} <= {BORN + patient}
    return page


class Clinician:
    """In one browser, with one patient after the other; all do the same step at once."""

    def __init__(self, run: Running, number: int, together: Barrier) -> None:
        self.run, self.number, self.together = run, number, together
        self.browser = Browser()

    def see_all(self) -> None:
        for turn in PATIENTS:
            self.see((self.number + turn) % len(PATIENTS))

    def see(self, patient: int) -> None:
        words = f"Of{patient}only, says {self.number}"
        self.together.wait()
        user = f"Practitioner/many-{self.number}"
        chart = log_in(self.run, patient=_id(patient), user=user, browser=self.browser)
        is_of(patient, chart.page)
        self.together.wait()
        wish = is_of(patient, self.browser.get(chart.at("goal/new")))
        self.save(patient, wish, text=f"{words}: sing", theirs="yes", do="save")
        assert f"{words}: sing" in is_of(patient, self.browser.get(chart.url)).text
        self.together.wait()
        form = is_of(patient, steps.begin(chart))
        self.save(patient, form, do="complete", comment=f"{words}: first", **answers(1 + patient))
        (own,) = [
            each for each in filed(self.run, _id(patient), "QuestionnaireResponse") if f"{words}: first" in str(each)
        ]
        self.together.wait()
        form = is_of(patient, steps.correct(chart, own["id"]))
        self.save(patient, form, do="complete", reason=words, comment=f"{words}: then", **answers(2 + patient))
        assert f"/response/{own['id']}/withdraw" in is_of(patient, self.browser.get(chart.url)).text
        is_of(patient, self.browser.get(chart.at("how")))
        self.together.wait()
        if self.number % 2:
            page = self.browser.get(chart.at(f"response/{own['id']}/withdraw"))
            self.save(patient, is_of(patient, page), reason=words)
        steps.post(self.browser, self.browser.get(chart.at("idle")), chart.at("log-out"))
        assert self.browser.get(chart.url).status_code == 404

    def save(self, patient: int, page: requests.Response, **fields: str) -> None:
        receipt = is_of(patient, go(self.browser, page, **fields))
        assert heading(receipt) == SAVED


def shown(run: Running) -> list[str]:
    """What the pages of all patients say to one who has done nothing here."""
    charts = [log_in(run, patient=_id(number)) for number in PATIENTS]
    return [steps.text(chart.browser.get(chart.at(path))) for chart in charts for path in ("", "how")]


def test_each_page_is_its_patient_s_and_what_was_filed_is_there_once(many: Running) -> None:
    together = Barrier(len(CLINICIANS), timeout=60)

    def work(number: int) -> None:
        try:
            Clinician(many, number, together).see_all()
        except BaseException:
            together.abort()  # or the others would wait for this one
            raise

    with ThreadPoolExecutor(len(CLINICIANS)) as all_of:
        ends = [done.exception() for done in [all_of.submit(work, number) for number in CLINICIANS]]
    for error in sorted(filter(None, ends), key=lambda error: isinstance(error, BrokenBarrierError)):
        raise error  # what it was, before that others could not go on
    for patient in PATIENTS:
        ratings = filed(many, _id(patient), "QuestionnaireResponse")
        comments = sorted((re.findall(r"says (\d): (\w+)", str(each)), each["status"]) for each in ratings)
        assert comments == [
            ([(str(number), "then")], "entered-in-error" if number % 2 else "amended") for number in CLINICIANS
        ]
        assert len(steps.of_code(filed(many, _id(patient), "Observation"), "score-clinician")) == len(CLINICIANS)
        goals = sorted(each["description"]["text"] for each in filed(many, _id(patient), "Goal"))
        assert goals == [f"Of{patient}only, says {number}: sing" for number in CLINICIANS]
    known = shown(many)
    for hospital in _hospitals(many):
        hospital.cache = ResourceCache(seconds=0)
    assert known == shown(many), "what is kept of the EHR's texts says what they say"
