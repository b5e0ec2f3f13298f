"""Goals and reviews are kept as they are typed: a page that closes, covers itself or changes language loses no word.

Nor does one whose record was merged into this one: its page shows it here, with that said, once what was typed here on
the same page is saved or given up.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import abort, redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from imr_fhir.ehr.address import is_id
from smart_app.access import with_launch
from smart_app.filing_page import places
from smart_app.language import say, words
from smart_app.open_launch import Launch
from smart_app.state import now, state
from smart_app.store.errors import DraftSealed
from smart_app.store.goal_drafts import GoalDraft

_OF_THE_PAGE = ("csrf", "do")
# What a page has in its form before anybody typed.
_GIVEN = ("once", "version", "factors", "theirs", "step-id-", "step-version-", "asked-")


@dataclass(frozen=True)
class Begun:
    """What was typed on a page and not saved. ``said`` tells so, with the day."""

    fields: MultiDict[str, str]
    said: str


@dataclass(frozen=True)
class Open:
    """``merged``: it was typed for a record that was merged into this one."""

    draft: GoalDraft
    merged: bool


@with_launch("clinician")
def keep(launch: Launch, page: str) -> tuple[str, int]:
    """For the script: the whole form, as it is typed. 204 means that it is kept."""
    goal_id, _, doing = page.rpartition("/")
    if page != "new" and not (is_id(goal_id) and doing in ("edit", "review")):
        abort(404)
    return ("", 204) if keep_typed(launch, page) else (say("goals.closed"), 409)


def keep_typed(launch: Launch, page: str) -> bool:
    """What was just posted, of an empty form nothing; not where it was saved or given up meanwhile."""
    fields = [(name, text) for name, text in request.form.items(multi=True) if name not in _OF_THE_PAGE]
    drafts, owner = state().store.goal_drafts, launch.record.owner
    if any(text.strip() and not name.startswith(_GIVEN) for name, text in fields):
        try:
            drafts.keep(owner, page, request.form.get("once", ""), fields, now())
        except DraftSealed:
            return False
    else:
        drafts.drop(owner, page)
    return True


def begun(launch: Launch, page: str) -> Begun | None:
    """What this user typed on ``page`` before, for it to be shown again."""
    found = next((each for each in open_for(launch) if each.draft.page == page), None)
    if found is None:
        return None
    told = say("goals.begun", date=words().day(found.draft.touched.astimezone(launch.site.zone)))
    if found.merged:
        told = f"{told} {say('goals.begun.merged')}"
    return Begun(MultiDict(found.draft.fields), told)


def open_for(launch: Launch) -> tuple[Open, ...]:
    """All that this user typed and did not save, of each page one."""
    drafts = state().store.goal_drafts
    found: dict[str, Open] = {}
    for owner, _ in places(launch):
        for draft in drafts.open_for(owner):
            found.setdefault(draft.page, Open(draft, merged=owner != launch.record.owner))
    return tuple(found.values())


def put_off(launch: Launch, page: str) -> Response | None:
    """Where the form was put off, or given up: to the summary, from where what was kept is gone on with."""
    do = request.form.get("do")
    if do == "later":
        keep_typed(launch, page)
    elif do == "cancel":
        close(launch, page)
    return redirect(url_for("panel.show", lid=launch.id), 303) if do in ("later", "cancel") else None


def close(launch: Launch, page: str) -> None:
    """What was just posted is saved or given up: no draft of it is left, nor comes back."""
    for owner, _ in places(launch):
        state().store.goal_drafts.close(owner, page, request.form.get("once", ""), now())
