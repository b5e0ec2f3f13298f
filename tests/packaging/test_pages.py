"""The pages: everything of the artefact is on them, in both languages; nothing is fetched or let through raw."""

import html
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from imr_fhir import artefacts
from imr_fhir.packaging.examples import examples
from imr_fhir.packaging.profile_page import profile_page
from imr_fhir.packaging.questionnaire_page import questionnaire_page
from imr_fhir.packaging.site import pages
from imr_fhir.packaging.words import LANGUAGES, WORDS
from imr_fhir.scale import RATERS, scale
from imr_fhir.translation_status import TranslationStatus, with_status
from tests.browser import axe
from tests.browser.conftest import NewContext, new_context

__all__ = ["new_context"]  # a fixture

ARTEFACTS = artefacts.artefact_resources()
PAGES = pages(ARTEFACTS)
WIDTHS = (1280, 400)


def text_of(page: str) -> str:
    """What stands on the page, spaces as one."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.S))).split())


class TestQuestionnaire:
    @pytest.mark.parametrize("rater", RATERS)
    @pytest.mark.parametrize("lang", LANGUAGES)
    def test_every_string_and_code_is_there_in_both_languages(self, rater: Any, lang: str) -> None:
        form = scale(rater)
        page = text_of(PAGES[f"Questionnaire-imr-{rater}{'' if lang == 'en' else '.nb'}.html"])
        for item in form.items:
            for text in (item.label, item.prompt, *(anchor.text for anchor in item.anchors)):
                assert text.en in page
                assert text.nb
                assert text.nb in page
            for anchor in item.anchors:
                assert f" {anchor.code} " in page
        assert form.canonical in page
        assert artefacts.content_hash(artefacts.questionnaire(rater)) in page
        assert artefacts.questionnaire(rater)["copyright"] in page

    @pytest.mark.parametrize("lang", LANGUAGES)
    def test_what_is_not_verified_is_said(self, lang: str) -> None:
        words = WORDS[lang]
        client, clinician = (questionnaire_page(artefacts.questionnaire(rater), lang) for rater in RATERS)
        assert client.trust[0].said == words["verified"]
        assert clinician.trust[0].said == words["unverified"]
        assert client.tags == (f"Bokmål: {words['draft'].lower()}",)
        assert len(clinician.tags) == 2

    @pytest.mark.parametrize(("status", "tagged"), [("draft", True), ("reviewed", True), ("validated", False)])
    def test_a_translation_is_tagged_until_it_is_validated(self, status: Any, tagged: bool) -> None:
        form = with_status(artefacts.questionnaire("client"), TranslationStatus("nb", status, "Kari", "2027-01-02"))
        page = questionnaire_page(form, "en")
        assert bool(page.tags) == tagged
        assert page.trust[1].said == f"{WORDS['en'][status]}. Said by Kari, 2027-01-02."

    def test_a_third_language_stands_beside_the_two(self) -> None:
        text = json.dumps(artefacts.questionnaire("client"), default=float).replace(
            '"valueCode": "nb"', '"valueCode": "nn"'
        )
        form = json.loads(text)
        shown = questionnaire_page(form, "en").questions[5]
        assert [(each.lang, each.name) for each in shown.prompt] == [("en", "English"), ("nn", "Nynorsk")]


class TestProfile:
    def test_every_demand_and_rule_is_there(self) -> None:
        for structure in (each for each in ARTEFACTS if each["resourceType"] == "StructureDefinition"):
            page = text_of(PAGES[f"StructureDefinition-{structure['url'].rsplit('/', 1)[-1]}.html"])
            for element in structure["differential"]["element"]:
                for constraint in element.get("constraint", ()):
                    for said in ("key", "human", "requirements", "expression"):
                        assert constraint[said] in page, structure["url"]
                if {"min", "max", "binding", "type"} & set(element):
                    assert element["id"].partition(".")[2] in page
            assert structure["description"] in page

    def test_codes_that_it_binds(self) -> None:
        review = next(each for each in ARTEFACTS if each["url"] == artefacts.REVIEW_PROFILE)
        sets = [each for each in ARTEFACTS if each["resourceType"] == "ValueSet"]
        page = profile_page(review, sets, examples())
        assert [codes.codes for codes in page.codes] == [
            (("done", "Done"), ("partly", "Partly"), ("not-yet", "Not yet"), ("not-wanted", "Not what I want any more"))
        ]
        assert [name for name, _ in page.examples] == ["Observation/example-review"]


def test_the_words_are_there_in_each_language() -> None:
    keys = {lang: list(words) for lang, words in WORDS.items()}
    assert keys["en"] == keys["nb"]
    for key, said in WORDS["en"].items():
        assert set(re.findall(r"{\w+}", said)) == set(re.findall(r"{\w+}", WORDS["nb"][key])), key


def test_whatever_an_artefact_says_is_text() -> None:
    bad = "<script>alert(1)</script>\"'&"
    changed = json.loads(json.dumps(ARTEFACTS, default=float))
    for artefact in changed:
        artefact.update(title=bad, description=bad, copyright=bad, purpose=bad)
        if artefact["resourceType"] == "Questionnaire":
            item = artefact["item"][-3]["item"][0]
            item["text"] = bad
            item["answerOption"][0]["valueCoding"]["display"] = bad
            item["_text"]["extension"][0]["extension"][1]["valueString"] = bad
        for element in artefact.get("differential", {}).get("element", ()):
            element["requirements"] = bad
    for name, page in pages(changed).items():
        assert "<script" not in page, name
        assert bad in text_of(page.replace("&lt;", "‹").replace("&gt;", "›")).replace("‹", "<").replace("›", ">"), name


def test_nothing_is_fetched_and_every_link_is_there() -> None:
    for name, page in PAGES.items():
        assert not re.search(r"<(script|link|img|iframe|object)|url\(|@import|\son\w+=", page), name
        ids = set(re.findall(r'\sid="([^"]+)"', page))
        for link in re.findall(r'href="([^"]+)"', page):
            assert (link[1:] in ids) if link.startswith("#") else (link in PAGES), (name, link)


@pytest.mark.browser
def test_each_page_is_accessible_and_fits(new_context: NewContext, tmp_path: Path) -> None:
    """PICTURES=folder keeps a picture of each."""
    found: dict[str, object] = {}
    page = new_context().new_page()
    for name, text in PAGES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    for name in PAGES:
        page.goto((tmp_path / name).as_uri())
        axe.load(page)
        assert page.locator("html").get_attribute("lang") == ("nb" if name.endswith(".nb.html") else "en")
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            if picture := os.environ.get("PICTURES"):
                page.screenshot(path=Path(picture) / f"{name}-{width}.png", full_page=True)
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > width or (violations := axe.violations(page)):
                found[f"{name} at {width}"] = f"{wide} px wide" if wide > width else violations
    assert found == {}
