"""A scale on one page as its template shows it: what is asked and why, what is answered, where it will be kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import url_for

from imr_fhir.response import Response
from imr_fhir.scale import Item, Rater, Scale
from smart_app.drafting import form_of, ratings_of
from smart_app.language import say, words
from smart_app.open_launch import Launch
from smart_app.presenters.header import addressed
from smart_app.presenters.plan_lines import answers_lines, changes, changes_lines, readers_line, reason_label
from smart_app.presenters.purpose import help_now, purpose
from smart_app.saving import plan_of
from smart_app.store.drafts import Draft
from smart_app.store.shown import Shown, showing


@dataclass(frozen=True)
class Page:
    """``language`` is that of the items; ``errors`` are by the id of the part of the page that each is about."""

    post_to: str
    title: str
    window: str  # for <title>: names nobody
    language: str
    items: tuple[Item, ...]
    ratings: Mapping[int, int]
    comment: str
    where: tuple[str, ...]
    save: str
    correcting: bool
    shown: Shown  # what stands in the draft, so that only what is changed on this page is written
    asks: str = ""  # for the reason of a correction
    purpose: tuple[str, ...] = ()
    introduction: str = ""
    marks: tuple[str, ...] = ()
    missing: tuple[Item, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


def new_page(launch: Launch, draft: Draft) -> Page:
    """Of a new rating: the clinician's own, or the patient's answers typed as they are said."""
    shown = form_of(draft)
    return Page(
        post_to=url_for("form.answer", lid=launch.id, did=draft.id),
        title=title(launch, draft.rater),
        window=say(f"form.{draft.rater}.window"),
        language=draft.language,
        items=shown.items,
        ratings=ratings_of(draft),
        comment=draft.comment,
        where=_where(launch, draft.rater),
        save=say("form.keep_to_print" if plan_of(launch).rung("answers") == "print" else "form.save"),
        correcting=False,
        shown=showing(draft.answers),
        purpose=(*_seen(launch, draft), *_purpose(launch)) if draft.rater == "client" else (),
        introduction=shown.introduction.in_(draft.language) if shown.introduction else "",
        marks=_marks(shown, draft.language),
    )


def correction_page(launch: Launch, draft: Draft, filed: Response) -> Page:
    """Of a correction of ``filed``, in the language and on the version of the form in which it was answered."""
    shown = form_of(draft)
    plan, stands = plan_of(launch), filed.reference.partition("/")[0]
    there = changes(plan, stands)
    return Page(
        post_to=url_for("form.answer", lid=launch.id, did=draft.id),
        title=say("form.correct.title", day=words().day(filed.measured)),
        window=say("form.correct.window"),
        language=draft.language,
        items=shown.items,
        ratings=ratings_of(draft),
        comment=draft.comment,
        where=changes_lines(words(), plan, filed.reference),
        save=say("form.save_correction" if there else "form.keep_correction"),
        correcting=True,
        shown=showing(draft.answers),
        asks=reason_label(words(), plan, there=there),
        purpose=(
            title(launch, draft.rater),
            *((say("form.correct.what"),) if there else ()),
            *(() if filed.ratings else (say("form.correct.unread", reference=filed.reference),)),
        ),
        marks=_marks(shown, draft.language),
    )


def title(launch: Launch, rater: Rater) -> str:
    return say("form.clinician.title") if rater == "clinician" else say("form.client.title", name=_name(launch))


def missing(draft: Draft) -> tuple[Item, ...]:
    answered = ratings_of(draft)
    return tuple(item for item in form_of(draft).items if item.number not in answered)


def _name(launch: Launch) -> str:
    return addressed(words(), launch.patient_name)


def _where(launch: Launch, rater: Rater) -> tuple[str, ...]:
    """What is kept where, said before anyone types."""
    plan = plan_of(launch)
    return (say("form.edited"),) if rater in plan.edited else answers_lines(words(), plan)


def _seen(launch: Launch, draft: Draft) -> tuple[str, ...]:
    return (say("blind.noted", name=_name(launch)),) if draft.seen_by else ()


def _purpose(launch: Launch) -> tuple[str, ...]:
    who, site = launch.user_name, launch.site
    return (
        say("form.typed", name=_name(launch)),
        purpose(words(), who, site.organization),
        readers_line(words(), plan_of(launch), organization=site.organization, who=who or site.organization),
        say("form.stop"),
        help_now(words(), who, site.phone),
    )


def _marks(shown: Scale, language: str) -> tuple[str, ...]:
    unverified = () if shown.verified else (say("form.unverified"),)
    return (*unverified, *(() if shown.validated_in(language) else (say("form.translation"),)))
