"""The report's figures once more, from the NDJSON alone: plain Python that shares nothing with imr_fhir.

Written from the clinical rules' text, not from the report's code. Where the rules leave room, ``READINGS`` says what
was read, so that a difference from the report is either an error or a reading that somebody can see.
"""

import csv
import json
import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

READINGS = """
- A day is a day in the site's zone; what has no time zone counts as it stands.
- An occasion is closed from the day after its due window's last day; due dates run to the course's last day.
- The first answering window opens with the first due window, 28 days before the start.
- "On hold for the whole window" and "died before" speak of the due window, as "an occasion counts once its due window
  has closed" does. A patient who died in it was alive to be asked.
- What became of a due occasion is said of the occasion, so it counts for both raters. "Not asked" is no offer; the
  EpisodeOfCare's "planned" offers the course, not a rating.
- Of several in one window the first of: answered, stopped, incomplete, an outcome. Of several outcomes the one that was
  said last, also where another one of them was an offer. A day alone is its noon.
- Offers are recorded at a unit where one of its occasions has an outcome that is an offer.
- A rating of a course is one from 28 days before its start to its last day. An occasion is answered in its answering
  window, also after the course's last day, where no other course runs then.
- A course that only gaps tell of lasts to its last response, or goes on where that is 274 days ago or less. Whether it
  was left is not recorded.
- Who died after the course's last day ended it as it was ended.
- Of two by one rater within 28 days (28 counts) the later complete one counts; the later one where neither is complete.
- The latest rating may be incomplete: then the reason is `incomplete`. No rating at all is `one_rating`, as fewer than
  two. `too_close` where the other one does not count, as it is too close.
- At 12 months: the rating nearest to 12 months after the first one.
- Left, silent: at month 3 as at month 3, in the lines of change as at the export. Silent: neither a response of any
  status nor an outcome in the last due window that has closed. Whoever neither left nor is silent stayed.
- A pair is blind unless a seen-first was recorded of one of its ratings, or of a copy of it. It may be of stopped
  ones: each response once.
- A review of a step is a review of its goal. A goal is active to its status date when it is completed or cancelled.
- What is dated after the export has not been said. A review of no goal that counts, and an outcome outside every course
  and its occasions, stand in no figure.
- A rating or goal that a patient's record holds twice is the copy last written, with the reviews of both.
- Of records that were merged one person is left: what they say is of the record in which all links end. Where they end
  in none of the export, or nobody can tell in which, each stays a person of its own. A test patient's record is merged
  into nobody's.
- Quarter: of the due date, and of month 3, 6, 9 and 12; of courses and goals, their start; of a block, its goal's.
"""
BASE = "https://w3id.org/imr-fhir"
CODES = f"{BASE}/CodeSystem/imr"
FIRST_COMPLETED = f"{BASE}/StructureDefinition/first-completed"
SHOWN_LANGUAGE = f"{BASE}/StructureDefinition/shown-language"
PART_OF = "http://hl7.org/fhir/StructureDefinition/goal-relationship"
KNOWN = {f"{BASE}/Questionnaire/imr-{rater}|0.1.0": rater for rater in ("client", "clinician")}
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
RATERS = ("client", "clinician")
ITEMS = tuple(f"{number:02}" for number in range(1, 16))
CALENDAR = {"09", "10"}
STANDS = ("final", "amended", "corrected")  # R4, observation-status: others are no result yet, or none
OFFERED = ("planned", "waitlist")
OFFERS = ("declined", "too-unwell", "not-today")
ALL = "all"
# SD of the sum and its retest r with the n of that sample: ACT+IMR at baseline, and the Dutch IMRS.
PARAMETERS = {"client": (8.7, 0.79, 111), "clinician": (7.6, 0.86, 40)}
Z = 1.959963984540054  # two-sided 95 % of the normal distribution
ENDS = ("T", "the lower end of T's band", "the upper end of T's band")

Key = tuple[str, str, str, str]  # quantity, unit, quarter, rater


@dataclass(frozen=True)
class Rating:
    id: str
    identifier: str
    rater: str
    day: date
    status: str
    answers: dict[str, int | None]  # None: no medication is prescribed
    language: str
    source: str

    @property
    def complete(self) -> bool:
        return self.status in ("completed", "amended") and set(self.answers) == set(ITEMS)

    @property
    def mean(self) -> float:
        return statistics.mean(value for value in self.answers.values() if value is not None)


@dataclass
class Life:
    """One course with what belongs to it."""

    patient: str
    unit: str
    start: date
    end: date | None
    status: str
    holds: list[tuple[date, date]]
    died: date | None
    recorded: bool  # False: only gaps tell of it
    ratings: list[Rating] = field(default_factory=list)  # of the course
    to_pair: list[Rating] = field(default_factory=list)  # those that are of no other course first
    late: list[Rating] = field(default_factory=list)  # of no course
    outcomes: list[tuple[date, str]] = field(default_factory=list)  # as they were said
    goals: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Recomputed:
    counts: Counter[Key] = field(default_factory=Counter)
    change: dict[tuple[str, str, str, str], dict[str, Any]] = field(default_factory=dict)  # part, standing, unit, rater
    items: dict[int, dict[str, Any]] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    pairs: Counter[str] = field(default_factory=Counter)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)  # kind, reason


def months_after(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError


def recompute(folder: Path, exported: date, zone: ZoneInfo) -> Recomputed:
    read = _read(folder)
    found = Recomputed()
    tests = {
        each["id"]
        for each in read["Patient"]
        if any(label.get("system") == ACT_REASON and label.get("code") == "HTEST" for label in _labels(each))
    }
    table = folder / "courses.csv"
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines())) if table.exists() else []
    _merge(read, rows, tests, found)
    lives = _lives(read, rows, tests, exported, zone, found)
    add = _adder(found)
    _occasions(lives, exported, add)
    _left(lives, exported, add)
    _changes(lives, exported, add, found)
    _agreement(lives, read, found)
    _goals(read, tests, lives, exported, zone, add, found)
    return found


def _read(folder: Path) -> dict[str, list[dict[str, Any]]]:
    types = ("Patient", "EpisodeOfCare", "QuestionnaireResponse", "Observation", "Goal")
    return {
        name: [
            json.loads(line)
            for file in sorted(folder.glob(f"{name}*.ndjson"))
            for line in file.read_text(encoding="utf-8").splitlines()
            if line.strip()
        ]
        for name in types
    }


def _merge(
    read: dict[str, list[dict[str, Any]]], rows: list[dict[str, str]], tests: set[str], found: Recomputed
) -> None:
    """What ``read`` and ``rows`` say of a record that was merged into another, they then say of the other."""
    there = {each["id"]: each for each in read["Patient"]}

    def next_of(patient: str) -> str:
        links = [link for link in there[patient].get("link", []) if link["type"] == "replaced-by"]
        others = {_owner(link, "other") for link in links}
        return others.pop() if len(others) == 1 and patient not in tests else ""

    last: dict[str, str] = {}
    for patient in there:
        passed = [patient]
        while (other := next_of(passed[-1])) in there and other not in passed:
            passed.append(other)
        circle = other in passed
        last[patient] = patient if circle else passed[-1]
        merged = last[patient] != patient
        reason = "test patient" if patient in tests else "merged into another record" if merged else "counted"
        found.left_out["patients", reason] += 1
    elements = {
        "EpisodeOfCare": ("patient",),
        "QuestionnaireResponse": ("subject",),
        "Observation": ("subject",),
        "Goal": ("subject", "expressedBy"),
    }
    for name, element in [(name, element) for name, own in elements.items() for element in own]:
        for each in read[name]:
            owner = _owner(each, element)
            if owner in last:
                each[element] = {"reference": f"Patient/{last[owner]}"}
    for row in rows:
        row["patient"] = last.get(row["patient"], row["patient"])


def _labels(resource: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = resource.get("meta", {}).get("security", [])
    return found


def _adder(found: Recomputed) -> Callable[..., None]:
    def add(quantity: str, unit: str, day: date, rater: str = "", n: int = 1) -> None:
        quarter = f"{day.year}-Q{(day.month + 2) // 3}"
        for of_unit in {unit, ALL}:
            for of_quarter in {quarter, ALL}:
                found.counts[quantity, of_unit, of_quarter, rater] += n

    return add


def _code(resource: dict[str, Any], element: str = "code", system: str = CODES) -> str:
    concept = resource.get(element) or {}
    return next((each["code"] for each in concept.get("coding", []) if each.get("system") == system), "")


def _day(value: str, zone: ZoneInfo) -> date:
    return _moment(value, zone).date()


def _moment(value: str, zone: ZoneInfo) -> datetime:
    """A day alone is its noon."""
    if len(value) == 10:
        return datetime.combine(date.fromisoformat(value), time(12), zone)
    return datetime.fromisoformat(value.replace("Z", "+00:00")).astimezone(zone)


def _owner(resource: dict[str, Any], element: str = "subject") -> str:
    reference: str = resource.get(element, {}).get("reference", "")
    return reference.removeprefix("Patient/")


# Who, when, in which course


def _ratings(
    rows: Iterable[dict[str, Any]], tests: set[str], zone: ZoneInfo, found: Recomputed
) -> dict[str, list[Rating]]:
    by_patient: dict[str, list[Rating]] = {}
    told: set[tuple[str, str]] = set()
    for row in sorted(rows, key=lambda row: row["id"]):
        patient, extensions = _owner(row), {each["url"]: each for each in row.get("extension", [])}
        when = extensions.get(FIRST_COMPLETED, {}).get("valueDateTime") or row.get("authored")
        answers = _answers(row)
        reason = next(
            (
                reason
                for reason, holds in (
                    ("test patient", patient in tests),
                    ("entered in error", row["status"] == "entered-in-error"),
                    ("unknown version", row.get("questionnaire") not in KNOWN),
                    ("no readable time", not when),
                    ("an answer that is none of the scale's", answers is None),
                    ("duplicate", (patient, row["identifier"]["value"]) in told),
                )
                if holds
            ),
            "",
        )
        if reason:
            found.left_out["ratings", reason] += 1
            continue
        told.add((patient, row["identifier"]["value"]))
        assert answers is not None
        by_patient.setdefault(patient, []).append(
            Rating(
                id=row["id"],
                identifier=row["identifier"]["value"],
                rater=KNOWN[row["questionnaire"]],
                day=_day(when, zone),
                status=row["status"],
                answers=answers,
                language=extensions.get(SHOWN_LANGUAGE, {}).get("valueCode", ""),
                source=row["source"]["reference"],
            )
        )
    return by_patient


def _answers(row: dict[str, Any]) -> dict[str, int | None] | None:
    """None where a code is not one of its item's."""
    found: dict[str, int | None] = {}
    for group in row.get("item", []):
        for item in group.get("item", []) if group["linkId"] == "imr" else ():
            for answer in item.get("answer", []):
                number, _, value = answer["valueCoding"]["code"].partition("-")
                if number != item["linkId"]:
                    return None
                found[number] = None if value == "na" else int(value)
    return found


def _lives(
    read: dict[str, list[dict[str, Any]]],
    rows: list[dict[str, str]],
    tests: set[str],
    exported: date,
    zone: ZoneInfo,
    found: Recomputed,
) -> list[Life]:
    died = {
        each["id"]: _day(each["deceasedDateTime"], zone) for each in read["Patient"] if each.get("deceasedDateTime")
    }
    lives: dict[str, list[Life]] = {}
    for each in read["EpisodeOfCare"]:
        patient = _owner(each, "patient")
        reason = _dropped(patient in tests, each["status"])
        found.left_out["courses", reason or "counted"] += 1
        if reason:
            continue
        end = each["period"].get("end")
        holds = [
            (_day(past["period"]["start"], zone), _day(past["period"]["end"], zone))
            for past in each.get("statusHistory", [])
            if past["status"] == "onhold"
        ]
        lives.setdefault(patient, []).append(
            Life(patient, each.get("managingOrganization", {}).get("reference", ""),
                 _day(each["period"]["start"], zone), _day(end, zone) if end else None, each["status"], holds,
                 died.get(patient), True)
        )  # fmt: skip
    known = {each["id"] for each in read["Patient"]}
    _from_table(rows, known, tests, died, exported, lives, found)
    ratings = _ratings(read["QuestionnaireResponse"], tests, zone, found)
    for patient, given in ratings.items():
        if patient not in lives:
            lives[patient] = list(_from_gaps(patient, given, died.get(patient), exported))
    for patient, courses in lives.items():
        begun = [life for life in courses if life.start <= exported and life.status not in OFFERED]
        found.left_out["courses", "not begun"] += len(courses) - len(begun)
        found.left_out["courses", "counted"] -= len(courses) - len(begun)
        courses[:] = sorted(begun, key=lambda life: life.start)
        for rating in ratings.get(patient, ()):
            running = [life for life in courses if _takes(life, rating.day)]
            for life in running:
                life.ratings.append(rating)
            if running:
                begun = [life for life in running if life.start <= rating.day]
                (max(begun, key=lambda life: life.start) if begun else running[0]).to_pair.append(rating)
            for life in courses if not running else ():
                life.late.append(rating)
            reason = "counted" if _in_course(courses, rating.day, exported) else "outside every course"
            found.left_out["ratings", reason] += 1
    said = [each for each in read["Observation"] if _code(each) == "due-outcome"]
    for each in sorted(said, key=lambda each: _moment(each["effectiveDateTime"], zone).timestamp()):
        day, courses = _day(each["effectiveDateTime"], zone), lives.get(_owner(each), [])
        reason = _unsaid(_owner(each) in tests, each["status"], day > exported)
        if not reason and not _in_course(courses, day, exported):
            reason = "outside every course"
        found.left_out["outcomes of due occasions", reason or "counted"] += 1
        if not reason:
            for life in [life for life in courses if _takes(life, day)] or courses:
                life.outcomes.append((day, _code(each, "valueCodeableConcept")))
    return [life for courses in lives.values() for life in courses]


def _from_table(
    rows: list[dict[str, str]],
    known: set[str],
    tests: set[str],
    died: dict[str, date],
    exported: date,
    lives: dict[str, list[Life]],
    found: Recomputed,
) -> None:
    """The hospital's own courses, of those of whom no EpisodeOfCare tells."""
    told = set(lives)
    for row in rows:
        patient, start, end = (row[name] for name in ("patient", "start", "end"))
        reason = "patient not in the export" if patient not in known else _dropped(patient in tests, "")
        if not reason and patient in told:
            reason = "the patient has an EpisodeOfCare"
        if not reason and (not start or date.fromisoformat(start) > exported):
            reason = "not begun"
        found.left_out["rows of the hospital's table of courses", reason or "counted"] += 1
        if reason in ("", "not begun") and start:
            lives.setdefault(patient, [])  # no gaps tell of whom the table tells
        if not reason:
            ends = {"completed": "finished", "moved": "moved", "died": "died", "": "ended"}.get(
                row["reason"], "cancelled"
            )
            last = date.fromisoformat(end) if end else None
            how = ends if last else "active"
            begun = date.fromisoformat(start)
            lives[patient].append(Life(patient, row["unit"], begun, last, how, [], died.get(patient), True))


def _in_course(courses: list[Life], day: date, exported: date) -> bool:
    """Whether a course takes it, or one of its occasions."""
    answers = any(each.opens <= day < each.until for life in courses for each in _due(life, exported))
    return answers or any(_takes(life, day) for life in courses)


def _unsaid(test: bool, status: str, ahead: bool) -> str:
    """Why an Observation counts nowhere."""
    return _dropped(test, status) or (
        "unknown status" if status not in STANDS else "dated after the export" if ahead else ""
    )


def _dropped(test: bool, status: str) -> str:
    return "test patient" if test else "entered in error" if status == "entered-in-error" else ""


def _from_gaps(patient: str, ratings: list[Rating], died: date | None, exported: date) -> Iterator[Life]:
    spans: list[list[date]] = []
    for day in sorted(rating.day for rating in ratings if rating.status != "in-progress"):
        if spans and (day - spans[-1][-1]).days <= 274:
            spans[-1].append(day)
        else:
            spans.append([day])
    for days in spans:
        runs = (exported - days[-1]).days <= 274
        yield Life(patient, "", days[0], None if runs else days[-1], "", [], died, False)


def _takes(life: Life, day: date) -> bool:
    return life.start - timedelta(days=28) <= day and (life.end is None or day <= life.end)


# Occasions


@dataclass(frozen=True)
class Occasion:
    due: date
    opens: date  # the due window, its first and last day
    closes: date
    until: date  # the answering window has the days from opens to before this one


def _due(life: Life, by: date) -> list[Occasion]:
    """The occasions that count, of those closed on the day ``by``."""
    found, k = [], 0
    while (due := months_after(life.start, 3 * k)) <= min(life.end or by, by):
        opens, closes = due - timedelta(days=14 if k else 28), due + timedelta(days=28)
        until = months_after(life.start, 3 * k + 3) - timedelta(days=14)
        held = any(start <= opens and closes <= end for start, end in life.holds)
        if closes < by and not held and not (life.died and life.died < opens):
            found.append(Occasion(due, opens, closes, until))
        k += 1
    return found


def _state(life: Life, rater: str, occasion: Occasion) -> str:
    given = [each for each in (*life.ratings, *life.late) if each.rater == rater]
    within = [each for each in given if occasion.opens <= each.day < occasion.until]
    if any(each.complete for each in within):
        return "answered"
    for status in ("stopped", "incomplete"):
        if any(("stopped" if each.status == "stopped" else "incomplete") == status for each in within):
            return status
    return ["nothing", *_said(life, occasion)][-1]


def _said(life: Life, occasion: Occasion) -> list[str]:
    """What became of it, as it was said."""
    return [outcome for day, outcome in life.outcomes if occasion.opens <= day < occasion.until]


def _occasions(lives: list[Life], exported: date, add: Callable[..., None]) -> None:
    states = [
        (life, rater, occasion, _state(life, rater, occasion))
        for life in lives
        for occasion in _due(life, exported)
        for rater in RATERS
    ]
    recording = {life.unit for life, _, occasion, _ in states if any(said in OFFERS for said in _said(life, occasion))}
    for life, rater, occasion, state in states:
        cell = life.unit, occasion.due, rater
        offered = state not in ("nothing", "not-asked") or any(said in OFFERS for said in _said(life, occasion))
        add("due", *cell)
        add(state, *cell)
        if life.unit in recording:
            add("due, offers recorded", *cell)
            add("offered" if offered else "not offered", *cell)
            if offered:
                add(f"offered: {state}", *cell)
        timely = any(
            each.complete and each.rater == rater and occasion.opens <= each.day <= occasion.closes
            for each in (*life.ratings, *life.late)
        )
        add("timely" if timely else "not timely", *cell)
        if state == "answered" and not timely:
            add("late", *cell)


# Courses


def _standing(life: Life, on: date) -> str:
    """On the day ``on``: left, completed, died, ongoing or silent."""
    if life.died and life.died <= on and life.died <= (life.end or life.died):
        return "died"
    if life.end and life.end <= on:
        said = {"cancelled": "left", "finished": "completed", "moved": "moved", "died": "died"}
        return said.get(life.status, "ended")
    closed = _due(life, on)
    if closed and not _anything(life, closed[-1]):
        return "silent"
    return "ongoing"


def _anything(life: Life, occasion: Occasion) -> bool:
    days = [each.day for each in (*life.ratings, *life.late)] + [day for day, _ in life.outcomes]
    return any(occasion.opens <= day <= occasion.closes for day in days)


def _left(lives: list[Life], exported: date, add: Callable[..., None]) -> None:
    for life in lives:
        for month in (3, 6, 9, 12):
            if life.recorded and (on := months_after(life.start, month)) <= exported:
                add(f"begun, month {month}", life.unit, on)
                add(f"month {month}: {_standing(life, on)}", life.unit, on)


def _counting(ratings: Iterable[Rating], rater: str) -> list[Rating]:
    kept: list[Rating] = []  # the latest first
    given = [each for each in ratings if each.rater == rater and each.status != "in-progress"]
    for each in sorted(given, key=lambda each: (each.day, each.id), reverse=True):
        if kept and (kept[-1].day - each.day).days <= 28:
            if each.complete and not kept[-1].complete:
                kept[-1] = each
            continue
        kept.append(each)
    return kept[::-1]


def _cannot(first: Rating | None, last: Rating | None) -> str:
    if first is None or last is None or first.id == last.id:
        return "one_rating"
    if not (first.complete and last.complete):
        return "incomplete"
    if abs((last.day - first.day).days) < 28:
        return "too_close"
    if first.language != last.language:
        return "language_changed"
    if first.rater == "clinician" and first.source != last.source:
        return "rater_changed"
    return ""


def _delta(first: Rating, last: Rating, without: Iterable[str] = ()) -> tuple[int, int]:
    """ΔΣ and the number of items rated both times."""
    moved = [
        now - before
        for item in ITEMS
        if item not in without
        and (before := first.answers[item]) is not None
        and (now := last.answers[item]) is not None
    ]
    return sum(moved), len(moved)


def limits(rater: str) -> tuple[float, float, float]:
    """T, and T at the lower and at the upper end of its band."""
    sd, r, n = PARAMETERS[rater]
    z, spread = math.atanh(r), 1.96 / math.sqrt(n - 3)

    def limit(reliability: float) -> float:
        return 1.96 * math.sqrt(2) * sd * math.sqrt(1 - reliability) / 15

    return limit(r), limit(math.tanh(z + spread)), limit(math.tanh(z - spread))


def _changes(lives: list[Life], exported: date, add: Callable[..., None], found: Recomputed) -> None:
    groups: dict[tuple[str, str, str, str], list[float]] = {}
    for life in lives:
        standing = {"left": "left", "silent": "silent"}.get(_standing(life, exported), "stayed")
        for rater in RATERS:
            ratings = _counting(life.ratings, rater)
            complete = [each for each in ratings if each.complete]
            first = complete[0] if complete else (ratings[0] if ratings else None)
            last = ratings[-1] if ratings else None
            reason = _cannot(first, last)
            others = [each for each in life.ratings if each.rater == rater and each.complete and each is not first]
            if reason == "one_rating" and first and any(abs((each.day - first.day).days) < 28 for each in others):
                reason = "too_close"
            cell = life.unit, life.start, rater
            add("courses", *cell)
            add(f"cannot say: {reason}" if reason else "can be compared", *cell)
            _reliable(life, rater, None if reason else (first, last), exported, add)
            year = months_after(first.day, 12) if first else life.start
            near = [each for each in complete if abs((each.day - year).days) <= 42]
            at_year = min(near, key=lambda each: (abs((each.day - year).days), each.day), default=None)
            for part, other in (("to the latest", last), ("at 12 months", at_year)):
                if not _cannot(first, other):
                    assert first
                    assert other
                    for name, without in (("all items", ()), ("without items 9 and 10", CALENDAR)):
                        total, items = _delta(first, other, without)
                        for of in (ALL, standing):
                            for unit in {life.unit, ALL}:
                                groups.setdefault((f"{part}, {name}", of, unit, rater), []).append(total / items)
    for key, values in groups.items():
        found.change[key] = described(values)


def _reliable(life: Life, rater: str, pair: Any, exported: date, add: Callable[..., None]) -> None:
    if months_after(life.start, 6) > exported:
        return
    cell = life.unit, life.start, rater
    add("begun 6 months ago", *cell)
    if pair:
        add("comparable", *cell)
    for end, limit in zip(ENDS, limits(rater), strict=True):
        verdict = "cannot say"
        if pair:
            total, items = _delta(*pair)
            verdict = "within" if abs(total) <= limit * items else "higher" if total > 0 else "lower"
        add(f"{end}: {verdict}", *cell)


def described(values: list[float]) -> dict[str, Any]:
    n, mean = len(values), statistics.fmean(values)
    sd = statistics.stdev(values) if n > 1 else None
    half = t_quantile(n - 1) * sd / math.sqrt(n) if sd is not None else None
    interval = None if half is None else (mean - half, mean + half)
    return {"n": n, "mean": mean, "sd": sd, "median": statistics.median(values), "interval": interval}


def wilson(n: int, of: int) -> tuple[float, float]:
    """The two shares from which ``n`` of ``of`` is just 1.96 standard errors away (Wilson 1927)."""
    a, b, c = of * of + of * Z * Z, -(2 * n * of + of * Z * Z), n * n
    root = math.sqrt(max(0.0, b * b - 4 * a * c))
    return max(0.0, (-b - root) / (2 * a)), min(1.0, (-b + root) / (2 * a))


def t_quantile(freedom: int) -> float:
    """Student's t for a two-sided 95 % interval, by halving over Simpson's rule."""
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)

    def area(upper: float, steps: int = 2000) -> float:
        step = upper / steps
        heights = [(1 + (i * step) ** 2 / freedom) ** (-(freedom + 1) / 2) for i in range(steps + 1)]
        return scale * step / 3 * (heights[0] + heights[-1] + 4 * sum(heights[1:-1:2]) + 2 * sum(heights[2:-1:2]))

    low, high = 1.0, 13.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if area(middle) < 0.475 else (low, middle)
    return low


# Agreement


def _pairs(life: Life) -> list[tuple[Rating, Rating]]:
    one, other = (_counting(life.to_pair, rater) for rater in RATERS)
    close = sorted(
        (abs((client.day - clinician.day).days), client.day, client.id, clinician.id, client, clinician)
        for client in one
        for clinician in other
        if abs((client.day - clinician.day).days) <= 28
    )
    taken: set[str] = set()
    found = []
    for _, _, first, second, client, clinician in close:
        if not {first, second} & taken:
            taken |= {first, second}
            found.append((client, clinician))
    return sorted(found, key=lambda pair: pair[0].day)


def _agreement(lives: list[Life], read: dict[str, list[dict[str, Any]]], found: Recomputed) -> None:
    kept_as = {each["id"]: each["identifier"]["value"] for each in read["QuestionnaireResponse"]}
    seen = {
        kept_as.get(derived["reference"].removeprefix("QuestionnaireResponse/"))
        for each in read["Observation"]
        if _code(each) == "seen-first" and each["status"] in STANDS
        for derived in each.get("derivedFrom", [])
    }
    latest = []
    for life in lives:
        pairs = _pairs(life)
        blind = [pair for pair in pairs if not {pair[0].identifier, pair[1].identifier} & seen]
        found.pairs += Counter({"all": len(pairs), "blind": len(blind), "seen first": len(pairs) - len(blind)})
        latest += blind[-1:]
    for number, item in enumerate(ITEMS, 1):
        both = [
            (first, second)
            for client, clinician in latest
            if (first := client.answers.get(item)) is not None and (second := clinician.answers.get(item)) is not None
        ]
        apart = Counter(min(abs(first - second), 2) for first, second in both)
        found.items[number] = {
            "equal": apart[0], "1 apart": apart[1], "2 or more apart": apart[2],
            "mean_difference": statistics.fmean(first - second for first, second in both) if both else None,
            "kappa": kappa(both) if len(both) >= 30 else None,
        }  # fmt: skip
    found.pairs["latest"] = len(latest)
    found.scores = score_agreement(
        [(client.mean, clinician.mean) for client, clinician in latest if client.complete and clinician.complete]
    )


def kappa(pairs: list[tuple[int, int]]) -> float:
    """Weighted with the square of the distance (Cohen 1968)."""
    seen = sum((a - b) ** 2 for a, b in pairs) / len(pairs)
    expected = sum((a - b) ** 2 for a, _ in pairs for _, b in pairs) / len(pairs) ** 2
    return 1 - seen / expected


def score_agreement(pairs: list[tuple[float, float]]) -> dict[str, Any]:
    """Limits of agreement (Bland and Altman), and ICC(A,1) (McGraw and Wong 1996) by the two-way table of variance."""
    n = len(pairs)
    differences = [a - b for a, b in pairs]
    mean, sd = statistics.fmean(differences), statistics.stdev(differences)
    grand = statistics.fmean(value for pair in pairs for value in pair)
    rows = 2 * sum((statistics.fmean(pair) - grand) ** 2 for pair in pairs)
    columns = n * sum((statistics.fmean(column) - grand) ** 2 for column in zip(*pairs, strict=True))
    total = sum((value - grand) ** 2 for pair in pairs for value in pair)
    between, judges, rest = rows / (n - 1), columns, (total - rows - columns) / (n - 1)
    icc = (between - rest) / (between + rest + 2 * (judges - rest) / n)
    return {"n": n, "mean": mean, "limits": (mean - Z * sd, mean + Z * sd), "icc": icc}


# Goals


def _goals(
    read: dict[str, list[dict[str, Any]]],
    tests: set[str],
    lives: list[Life],
    exported: date,
    zone: ZoneInfo,
    add: Callable[..., None],
    found: Recomputed,
) -> None:
    kinds = {each["id"]: {c["code"] for k in each["category"] for c in k["coding"]} for each in read["Goal"]}
    parents = {
        each["id"]: part["valueReference"]["reference"].removeprefix("Goal/")
        for each in read["Goal"]
        for extension in each.get("extension", [])
        if extension["url"] == PART_OF
        for part in extension["extension"]
        if part["url"] == "target"
    }
    counting, stands = _goals_once(read["Goal"], kinds, tests, found)
    reviews: dict[str, list[tuple[date, str, str, bool]]] = {}  # day, result, who, of the goal itself
    for each in read["Observation"]:
        if _code(each) != "review":
            continue
        about = each["focus"][0]["reference"].removeprefix("Goal/")
        goal = stands.get(parents.get(about, about))
        day = _day(each["effectiveDateTime"], zone)
        reason = _unsaid(_owner(each) in tests, each["status"], day > exported)
        reason = reason or ("" if goal else "of no goal that counts")
        found.left_out["reviews", reason or "counted"] += 1
        if not reason:
            assert goal
            said = (day, _code(each, "valueCodeableConcept"))
            who = "patient" if each["performer"][0]["reference"].startswith("Patient/") else "practitioner"
            reviews.setdefault(goal, []).append((*said, who, about not in parents))
    by_patient: dict[str, list[Life]] = {}
    for life in lives:
        by_patient.setdefault(life.patient, []).append(life)
    for each in counting:
        patient = _owner(each)
        start = _day(each["startDate"], zone)
        running = [life for life in by_patient.get(patient, []) if life.start <= start <= (life.end or start)]
        life = running[-1] if running else None
        unit = life.unit if life else ""
        if life:
            life.goals.append(each)
            add("goals begun in a course", unit, start)
            theirs = each.get("expressedBy", {}).get("reference") == f"Patient/{patient}"
            add("expressed by the patient" if theirs else "expressed by somebody else", unit, start)
        _one_goal(each, start, unit, reviews.get(each["id"], []), exported, zone, add)
    for life in lives:
        if life.start + timedelta(days=28) <= exported:
            add("begun 28 days ago", life.unit, life.start)
            add("with a goal" if life.goals else "without a goal", life.unit, life.start)


def _goals_once(
    goals: list[dict[str, Any]], kinds: dict[str, set[str]], tests: set[str], found: Recomputed
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Those that count, of copies the one last written; by id of each, a copy too, the id of the one that counts."""
    counting: dict[tuple[str, str], dict[str, Any]] = {}
    stands: dict[str, str] = {}
    for each in sorted(goals, key=lambda each: each["meta"]["lastUpdated"], reverse=True):
        if "goal" not in kinds[each["id"]]:
            continue
        reason = _dropped(_owner(each) in tests, each["lifecycleStatus"])
        key = _owner(each), each["identifier"][0]["value"]
        if not reason:
            stands[each["id"]] = counting.setdefault(key, each)["id"]
            reason = "" if stands[each["id"]] == each["id"] else "duplicate"
        found.left_out["goals", reason or "counted"] += 1
    return list(counting.values()), stands


def _one_goal(
    goal: dict[str, Any],
    start: date,
    unit: str,
    reviews: list[tuple[date, str, str, bool]],
    exported: date,
    zone: ZoneInfo,
    add: Callable[..., None],
) -> None:
    over = goal["lifecycleStatus"] in ("completed", "cancelled")
    last = _day(goal["statusDate"], zone) if over else exported
    block = start
    while (following := block + timedelta(days=30)) <= last:
        reviewed = any(block <= day < following for day, *_ in reviews)
        add("30-day blocks", unit, start)
        add("with a review" if reviewed else "without a review", unit, start)
        block = following
    if (half_year := months_after(start, 6)) > exported:
        return
    add("goals 6 months old", unit, start)
    followed = any(start + timedelta(days=14) <= day <= half_year for day, *_ in reviews)
    add("followed up" if followed else "not followed up", unit, start)
    if _code(goal, "achievementStatus", "http://terminology.hl7.org/CodeSystem/goal-achievement") == "achieved":
        judges = [who for _, result, who, own in sorted(reviews) if own and result == "done"]
        add(f"achieved, judged by the {judges[-1]}" if judges else "achieved, judge unknown", unit, start)
    elif goal["lifecycleStatus"] == "cancelled":
        add("not what I want any more", unit, start)
    else:
        add("not achieved", unit, start)
