"""Every POST comes from a page of ours: its `Origin` is the app's own, its token fits the launch and role it acts in.

The session's cookies are SameSite=None because an EHR shows the app in a frame, so they say nothing about who posts.
"""

from collections.abc import Mapping

from flask import g, request
from markupsafe import Markup
from werkzeug.exceptions import Forbidden

from smart_app.state import state

FIELD = "csrf"
_PURPOSE = "csrf"
_SAFE = ("GET", "HEAD", "OPTIONS")
# Never shown back: proofs and secrets, and what no person typed.
_HIDDEN = frozenset(
    {FIELD, "ticket", "sealed", "pin", "code", "secret", "do", "go", "came", "once", "version", "factors"}
    | {"shown", "page", "sent", "next"}
)
_GIVEN = ("asked-", "step-id-", "step-version-")


class PostRefused(Forbidden):
    """A POST that is not from a page of ours; ``typed`` is what a person may want to copy out of it."""

    def __init__(self, reason: str, typed: Mapping[str, str]) -> None:
        super().__init__(reason)
        self.typed = typed


def bind_forms(binding: str) -> None:
    """Forms of this request act for ``binding`` (launch, role and secret, never guessable by another site)."""
    g.csrf_binding = binding
    g.pop("csrf_field", None)


def csrf_field() -> Markup:
    """The hidden input of all forms of a page; one without launch or hand-over has none and raises."""
    if "csrf_field" not in g:
        token = state().seal.token(_PURPOSE, g.csrf_binding)
        g.csrf_field = Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token)
    field: Markup = g.csrf_field
    return field


def typed() -> dict[str, str]:
    """What a person wrote or chose in the posted form, by field name."""
    return {
        name: value
        for name, value in request.form.items()
        if value and name not in _HIDDEN and not name.startswith(_GIVEN)
    }


def is_own_post() -> bool:
    """Whether the request says that it comes from a page of ours."""
    return request.method == "POST" and request.headers.get("Origin") == state().config.public_url


def check_origin() -> None:
    """Refuses a null, missing or foreign Origin."""
    if request.method not in _SAFE and not is_own_post():
        raise PostRefused("origin", typed())


def check_token() -> None:
    """Refuses a form that was not made for this launch and role; comes after ``bind_forms``."""
    if request.method not in _SAFE and not state().seal.is_token(_PURPOSE, g.csrf_binding, request.form.get(FIELD, "")):
        raise PostRefused("token", typed())
