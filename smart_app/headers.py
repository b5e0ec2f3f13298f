"""The headers of every answer: what a page may load, who may frame it, that nothing of it is kept."""

from collections.abc import Mapping

from flask import Flask, Response, g, request

from imr_fhir.ehr.address import origin
from smart_app.config import SiteConfig

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'{forms}; base-uri 'none'; frame-ancestors {frames}"
)
_ALWAYS: Mapping[str, str] = {
    # `no-referrer` would make our own forms send `Origin: null`, which csrf.py refuses.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()",
    # Cuts the tie to the EHR's window in a tab; browsers ignore it in a frame, where frame-ancestors decides.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# A static address carries the file's hash (pages.py), so a changed file is another address.
_STATIC = "public, max-age=31536000, immutable"


def may_be_framed_by(site: SiteConfig) -> None:
    """Let this answer stand in a frame of ``site``'s EHR; without this call nobody may frame it."""
    g.frame_ancestors = site.frame_ancestors


def forms_may_go_to(site: SiteConfig, *addresses: str) -> None:
    """Let the forms of this page be posted to ``addresses`` and to the site's other hosts: `form-action` counts for
    the redirects that follow a POST too, and a log-in may pass through them."""
    g.form_action = tuple(dict.fromkeys(origin(each) for each in (*addresses, site.iss, *site.allowed_hosts)))


def _add(response: Response) -> Response:
    ancestors: tuple[str, ...] = g.get("frame_ancestors", ())
    forms = "".join(f" {each}" for each in g.get("form_action", ()))
    response.headers["Content-Security-Policy"] = _POLICY.format(forms=forms, frames=" ".join(ancestors) or "'none'")
    for name, value in _ALWAYS.items():
        response.headers[name] = value
    if request.endpoint == "static" and response.status_code < 400:
        response.headers["Cache-Control"] = _STATIC if "v" in request.args else "no-cache"
    else:
        response.headers["Cache-Control"] = "no-store"
    return response


def init_headers(app: Flask) -> None:
    app.after_request(_add)
