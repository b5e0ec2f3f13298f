"""One time of answering alone: the draft, whose it is, and where its pages are. Either the screen was handed over, or
the patient has opened the app."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import url_for

from smart_app.session import Session
from smart_app.store.owner import Owner


@dataclass(frozen=True)
class Sitting:
    """``state`` is "open" while answers are taken; ``who`` is named as who helps, "" where nobody can be. ``leave`` is
    the page with which the patient goes away before handing in, ``leave_label`` what its link says."""

    blueprint: str
    ids: Mapping[str, str]
    draft_id: str
    owner: Owner
    session: Session
    state: str
    who: str
    leave: str
    leave_label: str
    lid: str  # of the patient's own launch, which its pages may end; "" while handed over
    touch: Callable[[], None] = field(repr=False)
    set_language: Callable[[str], None] = field(repr=False)

    def url(self, page: str, **more: Any) -> str:
        """Address of one of its pages: start, question, every, comment, check, keep, send, language; of a
        hand-over also anew."""
        return url_for(f"{self.blueprint}.{page}", **more, **dict[str, Any](self.ids))
