"""Scoring from ratings, and the clinical rules against the length of the history."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from benchmarks.measure import Line, median_seconds
from imr_fhir.change import change
from imr_fhir.course import Course, responses_in
from imr_fhir.pairing import pairs
from imr_fhir.response import Response
from imr_fhir.scale import ITEM_COUNT, NA, NA_ITEM, Rater, scale
from imr_fhir.scoring import score
from imr_fhir.trend import trend

RESPONSES = 20_000
LENGTHS = (1, 10, 100, 1_000)
START = datetime(2000, 1, 3, 9, tzinfo=UTC)


def ratings(seed: int) -> dict[int, int]:
    found = {item: (seed * 7 + item * 3) % 5 + 1 for item in range(1, ITEM_COUNT + 1)}
    return found | {NA_ITEM: NA} if seed % 4 == 0 else found


def response(number: int, rater: Rater) -> Response:
    at = START + timedelta(days=30 * number)
    source = "Patient/p" if rater == "client" else "Practitioner/k"
    return Response(
        rater=rater, status="completed", ratings=ratings(number), comment="", identifier=f"urn:uuid:{rater}-{number}",
        id=f"{rater}-{number}", version_id="1", patient="p", source=source,
        author="Practitioner/k", encounter="", measured=at, authored=at, language="en",
        questionnaire=scale(rater).canonical,
    )  # fmt: skip


def lines() -> Iterator[Line]:
    answered = [ratings(seed) for seed in range(RESPONSES)]
    seconds = median_seconds(lambda: [score(each) for each in answered], runs=7)
    a_second = RESPONSES / seconds
    yield Line("scores from ratings", f"{a_second:,.0f} a second on one core", "100,000 a second", a_second >= 100_000)
    costs = {length: _cost(length) / length for length in LENGTHS}
    growth = costs[1_000] / costs[100]
    shown = ", ".join(f"{length:,}: {cost * 1e6:.0f} µs" for length, cost in costs.items())
    yield Line(
        "change, pairs and trend, cost a response by history length",
        f"{shown}; 1,000 against 100: {growth:.2f} times",
        "linear: 1.3 times at most",
        growth <= 1.3,
    )


def _cost(length: int) -> float:
    runs = 15 if length < 1_000 else 7
    # a new one each time: responses keep what was worked out of them
    histories = iter([_history(length) for _ in range(runs + 1)])
    course = Course(START.date(), None, "active", "", "episode")
    today = START.date() + timedelta(days=30 * length)

    def work() -> None:
        history = next(histories)
        for rater in ("client", "clinician"):
            own = [each for each in responses_in(course, history) if each.rater == rater]
            change(own, first=own[0])
            trend(rater, history, [course], today=today)  # type: ignore[arg-type]
        pairs(history, [course])

    return median_seconds(work, runs=runs)


def _history(length: int) -> list[Response]:
    return [response(number, rater) for number in range(length) for rater in ("client", "clinician")]  # type: ignore[arg-type]
