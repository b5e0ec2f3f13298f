"""A form filler's page in Chromium: shows a Questionnaire, and gives the response at any time."""

import json
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from playwright.sync_api import Page, Route

from imr_fhir.ehr.json_writer import write_json
from imr_fhir.scale import ITEM_COUNT
from tests.renderers.renderer import Renderer

_ORIGIN = "http://forms.example/"  # of nobody: all that it asks for comes from the renderer's folders


@dataclass
class Form:
    """``asked``: what the page wanted of any other address; it got nothing. ``errors``: what its scripts threw."""

    renderer: Renderer
    page: Page
    asked: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def open(self) -> None:
        self.renderer.folders()  # the first time this takes longer than a page may
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.route("**/*", self._serve)
        self.page.goto(f"{_ORIGIN}page.html")

    def show(self, questionnaire: Mapping[str, Any], response: Mapping[str, Any] | None = None) -> None:
        """The form anew, with what ``response`` says filled in."""
        told = [write_json(questionnaire).decode(), write_json(response).decode() if response else "null"]
        self.page.evaluate("told => show(...told.map((text) => JSON.parse(text)))", told)
        self.page.wait_for_function(f"document.querySelectorAll('[role=radiogroup]').length === {ITEM_COUNT}")

    def response(self) -> dict[str, Any]:
        """The QuestionnaireResponse when nothing is left to work out."""
        self.page.wait_for_function("settled()")
        told: dict[str, Any] = json.loads(self.page.evaluate("JSON.stringify(taken())"), parse_float=Decimal)
        return told

    def _serve(self, route: Route) -> None:
        path = route.request.url.removeprefix(_ORIGIN)
        for folder in self.renderer.folders():
            if (folder / path).is_file():
                return route.fulfill(path=folder / path, content_type=mimetypes.guess_type(path)[0])
        if path != "favicon.ico":
            self.asked.append(route.request.url)
        return route.abort()
