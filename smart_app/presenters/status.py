"""What is not in the record yet, what could not be read of it, and what it takes: said before anyone types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from imr_fhir.documented import standing
from imr_fhir.ehr.chart import Chart
from imr_fhir.ehr.host_clock import NO_FILING, WARN
from imr_fhir.history import ahead, copies, day
from imr_fhir.scale import ITEM_COUNT, Rater
from smart_app.language import Words
from smart_app.presenters.situation import OpenDraft


@dataclass(frozen=True, slots=True)
class DraftLine:
    """``id`` of one that is only read."""

    rater: Rater
    text: str
    id: str


def draft_lines(words: Words, drafts: Iterable[OpenDraft], names: Mapping[Rater, str]) -> tuple[DraftLine, ...]:
    """Forms begun and not handed in, with the day until which they are kept once it is near."""
    lines = []
    for draft in drafts:
        text = words.say(
            f"draft.{draft.kind}",
            name=names.get(draft.rater, draft.rater),
            n=draft.answered,
            total=ITEM_COUNT,
            date=words.day(draft.touched),
        )
        if draft.expiring or draft.id:
            text = f"{text} {words.say('draft.expiring', date=words.day(draft.expires))}"
        lines.append(DraftLine(draft.rater, text, draft.id))
    return tuple(lines)


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """``link``: in the app's addresses, "" where nothing of it is to be changed."""

    text: str
    link: str


def document_lines(
    words: Words, chart: Chart, names: Mapping[Rater, str], *, may_write: bool
) -> tuple[DocumentLine, ...]:
    """Ratings that are in the record as documents, the latest first."""
    stand = standing(chart.documents)
    lines = []
    for document in sorted(chart.documents, key=lambda document: (document.day, document.id), reverse=True):
        old = document not in stand
        gone = "withdrawn" if document.withdrawn else "replaced" if old else "" if document.complete else "early"
        said = f" ({words.say(f'documents.{gone}')})" if gone else ""
        text = f"{words.short_day(document.day)}: {names.get(document.rater, document.rater)}{said}"
        lines.append(DocumentLine(text, f"DocumentReference~{document.id}" if may_write and not old else ""))
    return tuple(lines)


def clock_lines(words: Words, off: timedelta) -> tuple[str, ...]:
    """``off``: how far the EHR's clock is from ours."""
    key = "stop" if off > NO_FILING else "warn" if off > WARN else ""
    return (words.say(f"panel.clock.{key}", minutes=round(off / timedelta(minutes=1))),) if key else ()


def problem_lines(words: Words, chart: Chart, today: date) -> tuple[str, ...]:
    """What must be known before anything else, and what of the record is missing on this page, and why."""
    copied = tuple(
        words.say("problem.copies", n=len(found), dates=", ".join(dict.fromkeys(words.day(day(one)) for one in found)))
        for found in copies(chart.responses)
    )
    later = tuple(words.say("problem.ahead", date=words.day(one.measured)) for one in ahead(chart.responses, today))
    died = (words.say("panel.deceased"),) if chart.patient.deceased else ()
    merged = (words.say("panel.merged"),) if chart.patient.merged else ()
    return (
        died
        + merged
        + tuple(
            words.say(
                f"problem.{problem.kind}",
                n=problem.count,
                what=words.say(f"problem.what.{problem.about.partition('/')[0]}"),
                about=problem.about,
                reason=problem.reason,
            )
            for problem in chart.problems
        )
        + copied
        + later
    )
