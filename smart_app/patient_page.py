"""What the patient's pages show: the questions, the own answers, and nothing of the record or of any figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import g, request

from imr_fhir.scale import ITEM_COUNT, Item
from smart_app.drafting import form_of, ratings_of
from smart_app.language import LANGUAGES, use_language, words
from smart_app.open_launch import full_date
from smart_app.presenters.header import addressed, header
from smart_app.presenters.plan_lines import readers_line
from smart_app.presenters.purpose import help_now, purpose
from smart_app.sitting import Sitting
from smart_app.state import now, state
from smart_app.store.shown import Shown, showing


@dataclass(frozen=True)
class PatientPage:
    """``errors`` by part of the page."""

    sitting: Sitting
    name: str
    who: str  # enters the PIN
    purpose: str
    help_now: str
    organization: str
    readers: str
    language: str
    translated: bool  # the instrument's words are shown in a translation that nobody has validated
    here: str
    introduction: str
    items: tuple[Item, ...]
    ratings: Mapping[int, int]
    comment: str
    shown: Shown  # what stands in the draft, so that only what is changed on this page is written
    item: Item | None = None
    came: str = ""  # "check" or "rest": from the page before handing in, to change one answer or to give the rest
    errors: Mapping[str, str] = field(default_factory=dict)
    languages: tuple[tuple[str, str], ...] = tuple(LANGUAGES.items())
    total: int = ITEM_COUNT

    @property
    def finished(self) -> bool:
        return self.sitting.state != "open"

    @property
    def answered(self) -> int:
        return len(self.ratings)

    @property
    def unanswered(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.number not in self.ratings)

    @property
    def rating(self) -> int | None:
        return self.ratings.get(self.item.number) if self.item else None

    @property
    def next(self) -> int:
        """The first question without an answer."""
        return self.unanswered[0].number if self.unanswered else 1


def patient_page(sitting: Sitting) -> PatientPage:
    """Sets the request's language and header, too: none once the screen was handed in or taken back."""
    site = state().config.sites[sitting.owner.site]
    draft = state().store.drafts.get(sitting.draft_id, sitting.owner)
    session = sitting.session
    use_language(draft.language)
    if sitting.lid or sitting.state == "open":  # a tablet that is handed on names nobody; an own launch is still theirs
        g.header = header(
            words(),
            name=session.patient_name,
            birth_date=full_date(session.birth_date),
            organization=site.organization,
            today=now().astimezone(site.zone).date(),
            lid=sitting.lid,
        )
    form, who = form_of(draft), sitting.who or site.organization
    return PatientPage(
        sitting=sitting,
        name=addressed(words(), session.patient_name),
        who=who,
        purpose=purpose(words(), sitting.who, site.organization),
        help_now=help_now(words(), sitting.who, site.phone),
        organization=site.organization,
        readers=readers_line(words(), session.plan, organization=site.organization, who=who),
        language=draft.language,
        translated=not form.validated_in(draft.language),
        here=request.path if request.method == "GET" else sitting.url("start"),
        introduction=form.introduction.in_(draft.language) if form.introduction else "",
        items=form.items,
        ratings=ratings_of(draft),
        comment=draft.comment,
        shown=showing(draft.answers),
    )
