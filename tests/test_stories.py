"""The packaged stories: what each shows, that they could be lives, and that they are in the record once."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from joserfc.jwk import ECKey

from imr_fhir.change import CannotSay, Change, change
from imr_fhir.course import courses, first_of
from imr_fhir.due import current
from imr_fhir.ehr.chart import Chart, read_chart
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.token import private_key_jwt, public_jwks
from imr_fhir.errors import EhrError
from imr_fhir.history import listed
from imr_fhir.pairing import gaps, pairs
from imr_fhir.response import Response
from imr_fhir.scale import NA, Rater
from smart_app.sandbox import BACKEND_GRANTS, Client, HospitalConfig, RunningHospital, running_hospital
from smart_app.sandbox.seed import read_records
from smart_app.stories import Setting, Story, backend_client, parts, seed, stories
from smart_app.stories.story import Rating

OSLO = ZoneInfo("Europe/Oslo")
STORIES = {story.patient: story for story in stories()}


@dataclass(frozen=True)
class Told:
    hospital: RunningHospital
    client: FhirClient
    lines: list[str]

    def seed(self) -> None:
        seed(self.client, zone=OSLO, tell=self.lines.append)

    def chart(self, patient: str) -> Chart:
        return read_chart(self.client, patient, zone=OSLO)

    def count(self) -> tuple[int, int]:
        """How many resources there are, and versions of them."""
        connection = self.hospital.hospital.database.connection
        return tuple(
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("resource", "version")
        )


def hospital_with_backend(path: Path) -> Iterator[Told]:
    backend = private_key_jwt("seeding", ECKey.generate_key("P-384").as_pem(private=True))
    client = Client("seeding", "Seeding", ("system/*.cruds",), grant_types=BACKEND_GRANTS, jwks=public_jwks([backend]))
    with running_hospital(HospitalConfig(path / "hospital.sqlite", (client,), seed=("north.json",))) as hospital:
        yield Told(hospital, backend_client(hospital.fhir_base, backend, now=datetime.now(UTC)), [])


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Told]:
    """A hospital that knows its patients and no IMR."""
    yield from hospital_with_backend(tmp_path)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    for hospital in hospital_with_backend(tmp_path_factory.mktemp("told")):
        hospital.seed()
        yield hospital


@dataclass(frozen=True)
class Life:
    """One story as the app reads it back."""

    chart: Chart
    today: date

    def of(self, rater: Rater) -> list[Response]:
        return [each for each in listed(self.chart.responses) if each.rater == rater]

    def change(self, rater: Rater) -> Change | CannotSay:
        course = courses(self.chart.episodes, self.chart.responses, today=self.today)[-1]
        return change(self.of(rater), first=first_of(course, self.chart.responses, rater))

    @property
    def status(self) -> str:
        return self.chart.episodes[-1].status


Read = Callable[[str], Life]


@pytest.fixture
def life(told: Told) -> Read:
    def read(patient: str) -> Life:
        return Life(told.chart(patient), datetime.now(OSLO).date())

    return read


@pytest.mark.parametrize("patient", STORIES)
def test_the_chart_reads_all_of_it(told: Told, patient: str) -> None:
    story, chart = STORIES[patient], told.chart(patient)
    steps = [step for goal in story.goals for step in goal.steps]
    said = [each for aim in (*story.goals, *steps) for each in (*aim.helps, *aim.hinders, *aim.reviews)]
    assert chart.problems == ()
    assert len(chart.responses) == len(story.ratings)
    assert len(chart.goals) == len(story.goals) + len(steps)
    assert len(chart.notes) == len(said) + len(story.not_rated)
    assert {goal.text for goal in chart.goals if goal.parent} == {step.text for step in steps}


def test_every_patient_of_the_clinic_has_a_story_and_a_clinician_there() -> None:
    records = [entry["resource"] for entry in read_records("north.json")["entry"]]
    here = {
        kind: {each["id"] for each in records if each["resourceType"] == kind} for kind in ("Patient", "Practitioner")
    }
    assert STORIES.keys() == here["Patient"]
    names = {story.clinician for story in STORIES.values()} | {
        r.by for s in STORIES.values() for r in s.ratings if r.by
    }
    assert names <= here["Practitioner"]


def test_steady_gain_without_medication(life: Read) -> None:
    eva = life("eva-berg")
    found = eva.change("client")
    assert (found.flag, found.calendar_phrase, found.also_before) == ("higher", False, True)
    means = [each.score.mean for each in eva.of("client")]
    assert means == sorted(means)
    assert all(each.ratings[13] == NA for each in eva.chart.responses)
    assert len(eva.of("clinician")) == len(eva.of("client")) - 1


def test_relapse_and_return(life: Read) -> None:
    jonas = life("jonas-lie")
    lowest = min(jonas.of("client"), key=lambda each: each.score.sum)
    assert lowest not in (jonas.of("client")[0], jonas.of("client")[-1])
    assert lowest.ratings[10] == 1
    assert jonas.change("client").flag == "within"
    assert any(hold.covers(lowest.measured.date() - timedelta(50), lowest.measured.date() - timedelta(50))
               for hold in jonas.chart.episodes[0].on_hold)  # fmt: skip
    assert {each.language for each in jonas.chart.responses} == {"nb"}


def test_raters_far_apart(life: Read) -> None:
    amina = life("amina-hassan")
    latest = gaps(pairs(amina.chart.responses, amina.chart.episodes).pairs[-1])
    assert [gap.item for gap in latest.offered] == [3, 4, 5]
    assert latest.folded


def test_item_13_not_applicable_any_more(life: Read) -> None:
    per = life("per-olsen")
    assert [each.ratings[13] == NA for each in per.of("client")] == [False, True]
    assert per.change("client").items14
    assert per.change("clinician") == CannotSay("rater_changed")


def test_client_scale_only(life: Read) -> None:
    solveig = life("solveig-dahl")
    assert (len(solveig.of("client")), solveig.of("clinician")) == (3, [])
    assert solveig.change("client").hard_time


def test_one_visit(life: Read) -> None:
    mikkel = life("mikkel-strand")
    assert mikkel.change("client") == mikkel.change("clinician") == CannotSay("one_rating")
    assert len(mikkel.chart.responses) == 2


def test_left_and_finished_the_programme(life: Read) -> None:
    ingrid = life("ingrid-moen")
    assert (ingrid.status, ingrid.of("client")[-1].status) == ("left", "stopped")
    assert life("henrik-aas").status == "finished"


def test_ten_years_with_forty_visits(life: Read) -> None:
    tor = life("tor-haugen")
    answered = tor.of("client")
    assert len(answered) == len({each.encounter for each in answered}) == 40
    assert (answered[-1].measured - answered[0].measured).days > 9.5 * 365
    assert len([goal for goal in tor.chart.goals if not goal.parent]) == 10


def test_new_in_the_programme(life: Read) -> None:
    nora = life("nora-vik")
    assert (nora.status, nora.chart.responses) == ("offered", ())


def test_somebody_is_due_on_the_first_day(life: Read) -> None:
    for patient in ("jonas-lie", "per-olsen", "tor-haugen"):
        found = life(patient)
        occasion = current(found.chart.episodes[0], found.today)
        assert occasion is not None
        assert all(each.measured.date() < occasion.opens for each in found.chart.responses)


# Of items 9 and 10: rating -> the days since, with a week's grace: people round.
GRACE = 7
SINCE = {1: (0, 30), 2: (31, 106), 3: (107, 198), 4: (199, 380), 5: (366, 10**5)}


@pytest.mark.parametrize("item", [9, 10])
@pytest.mark.parametrize("rater", ["client", "clinician"])
@pytest.mark.parametrize("patient", STORIES)
def test_time_since_relapse_and_hospital_stay_goes_with_the_calendar(patient: str, rater: str, item: int) -> None:
    rated = [(each.day, each.ratings[item]) for each in STORIES[patient].ratings if each.rater == rater]
    for (day, before), (next_day, after) in pairwise(rated):
        passed = next_day - day
        low, high = SINCE[after]
        same_event = SINCE[before][0] + passed <= high + GRACE and SINCE[before][1] + passed >= low - GRACE
        another_since = low <= passed + GRACE
        assert same_event or another_since, f"day {next_day}: {before} became {after} in {passed} days"


def test_each_answer_was_given_in_the_course_and_each_client_answer_at_a_visit(told: Told) -> None:
    for patient in STORIES:
        chart = told.chart(patient)
        for each in chart.responses:
            assert any(course.takes(each.measured.date()) for course in chart.episodes), (patient, each.measured)
            assert each.encounter or each.rater == "clinician", (patient, each.measured)


def test_told_again_nothing_is_filed_twice(told: Told) -> None:
    before = told.count()
    told.lines.clear()
    told.seed()
    assert told.count() == before
    assert told.lines == []


def test_what_was_changed_since_stays(new: Told) -> None:
    new.seed()
    (goal,) = new.client.search("Goal", [("patient", "per-olsen"), ("lifecycle-status", "completed")]).resources
    new.client.update(goal | {"lifecycleStatus": "cancelled"})
    new.seed()
    assert new.client.read("Goal", goal["id"])["lifecycleStatus"] == "cancelled"


def test_an_interrupted_telling_goes_on_with_the_day_on_which_it_began(new: Told) -> None:
    new.hospital.hospital.faults.switch_on("forbid-create")
    with pytest.raises(EhrError):
        new.seed()
    new.hospital.hospital.faults.switch_off("forbid-create")
    new.hospital.hospital.database.connection.execute(
        """UPDATE resource SET body = replace(body, '"period":{"start":"' || date(), '"period":{"start":"2020-01-31')
           WHERE id = 'eva-berg-today'"""
    )
    assert new.client.read("Encounter", "eva-berg-today")["period"]["start"].startswith("2020-01-31")
    new.seed()
    assert max(each.measured.date() for each in new.chart("eva-berg").responses) == date(2020, 1, 31) - timedelta(56)


def test_told_on_any_day_by_anyone_the_identifiers_are_the_same() -> None:
    one, other = (Setting(day, OSLO, {}) for day in (date(2026, 11, 23), date(2030, 2, 28)))

    def urls(setting: Setting) -> list[str]:
        return [part.full_url for story in STORIES.values() for part in parts(story, setting)]

    assert urls(one) == urls(other)
    assert len(set(urls(one))) == len(urls(one))


@pytest.mark.parametrize("answers", ["", "1" * 14, "1" * 16, "1111111111111x1", "0" * 15, "６" * 15])
def test_answers_are_fifteen_known_characters(answers: str) -> None:
    with pytest.raises(ValueError, match="15"):
        _ = Rating(day=0, rater="client", answers=answers).ratings


def test_a_mistyped_field_of_a_story_is_refused() -> None:
    with pytest.raises(TypeError, match="coment"):
        Rating(**json.loads('{"day": 0, "rater": "client", "answers": "", "coment": "Hi"}'))


def test_each_story_says_what_it_shows() -> None:
    assert all(isinstance(story, Story) and story.story and story.name for story in STORIES.values())
