"""What every template has: strict names, the header, addresses of static files that change when the file does."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, g, url_for
from jinja2 import StrictUndefined

from smart_app.presenters.header import Header


@cache
def _fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def init_pages(app: Flask) -> None:
    """A forgotten name in a template is an error, never an empty line (a safety message could hide there).

    ``g.header`` (a `Header`) is set by whoever knows the patient; without it base.html shows none.
    """
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    static = Path(app.static_folder or "")

    def static_url(filename: str) -> str:
        return url_for("static", filename=filename, v=_fingerprint(static / filename))

    def page_header() -> Header | None:
        header: Header | None = g.get("header")
        return header

    app.add_template_global(static_url)
    app.add_template_global(page_header)
