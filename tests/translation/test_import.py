"""Tables back into the artefacts: what is wrong with one, what changes where, and that nothing else does."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imr_fhir import artefacts
from imr_fhir.ehr.json_writer import write_file
from imr_fhir.errors import ArtefactError, TranslationError
from imr_fhir.scale import scale_from
from imr_fhir.translation.check import check
from imr_fhir.translation.export import rows
from imr_fhir.translation.taking import next_minor, take
from imr_fhir.translation_status import statuses
from tests.test_artefacts import TOP
from tests.translation.build import CLIENT, KEYS, PRESENT, code_system, lines, status, translated
from tests.validator import Validator

CODES = code_system()


def taken(lang: str = "nn", but: Mapping[str, str] = MappingProxyType({})) -> Any:
    checked = check(CLIENT, lines(translated(lang, but)))
    assert checked.findings == ()
    return take(CLIENT, CODES, checked.taken, status(lang=lang))


class TestFindings:
    def test_a_whole_table_has_none(self) -> None:
        checked = check(CLIENT, lines(translated()))
        assert (checked.lang, checked.findings, set(checked.taken)) == ("nn", (), set(KEYS))

    @pytest.mark.parametrize(
        ("change", "kind", "said"),
        [
            ({"translation": " "}, "missing", 'Line 6: item.01.text has no translation of "In the past 3 months'),
            ({"fingerprint": "en-0"}, "stale", "Line 6: item.01.text was translated from another English text"),
            ({"fingerprint": ""}, "stale", "Line 6: item.01.text was translated from another English text"),
            ({"key": "item.44.text"}, "unknown", f"Line 6: {CLIENT['url']} has no string item.44.text."),
            ({"key": "title"}, "twice", "Line 6: title stands on line 2 already."),
            ({"language": "nb"}, "other language", "Line 6: item.01.text is in nb, the table in nn"),
            ({"form": "urn:x|1"}, "other form", f"Line 6: item.01.text is of urn:x, not of {CLIENT['url']}."),
            ({"translation": "a\x0bb"}, "not text", "Line 6: The translation of item.01.text holds"),
        ],
    )
    def test_each_is_named_with_its_line(self, change: dict[str, str], kind: str, said: str) -> None:
        table = list(translated())
        table[4] = replace(table[4], **change)
        checked = check(CLIENT, lines(table))
        assert checked.findings[0].kind == kind
        assert str(checked.findings[0]).startswith(said)
        assert "item.01.text" not in checked.taken
        assert len(checked.taken) == len(KEYS) - 1

    def test_a_row_that_was_taken_out_is_missing(self) -> None:
        (finding,) = check(CLIENT, lines(translated()[1:])).findings
        assert str(finding).startswith("The table has no row for title (Title of the form): ")

    def test_an_older_version_of_the_form_is_no_fault_where_its_english_is_the_same(self) -> None:
        older = [replace(row, form=row.form.replace("0.1.0", "0.0.9")) for row in translated()]
        assert check(CLIENT, lines(older)).findings == ()

    @pytest.mark.parametrize("lang", ["en", "norsk", ""])
    def test_a_table_in_no_language(self, lang: str) -> None:
        with pytest.raises(TranslationError):
            check(CLIENT, lines(replace(row, language=lang) for row in translated()))


class TestTaken:
    def test_bokmal_comes_back_byte_for_byte(self) -> None:
        for rater in ("client", "clinician"):
            form, codes = artefacts.questionnaire(rater), code_system(rater)
            checked = check(form, lines(rows(form, "nb")))
            done = take(form, codes, checked.taken, PRESENT)
            assert done.changed == 0
            for folder, resource in (("questionnaires", done.questionnaire), ("profiles", done.code_system)):
                file = TOP / folder / f"{resource['resourceType']}-imr-{rater}.json"
                assert write_file(resource) == file.read_bytes()

    @settings(max_examples=25, deadline=None)
    @given(
        st.dictionaries(
            st.sampled_from(KEYS),
            st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), min_size=1).filter(str.strip),
        )
    )
    def test_what_went_in_comes_out(self, texts: dict[str, str]) -> None:
        table = [replace(row, translation=texts.get(row.key, row.english)) for row in translated()]
        done = take(CLIENT, CODES, check(CLIENT, lines(table)).taken, status())
        out = rows(done.questionnaire, "nn")
        assert [row.translation for row in out] == [row.translation for row in table]
        again = take(done.questionnaire, done.code_system, check(done.questionnaire, lines(out)).taken, status())
        assert (again.questionnaire, again.code_system) == (done.questionnaire, done.code_system)

    def test_displays_and_designations_stay_in_step(self) -> None:
        done = taken(but={"item.06.answer.06-3": "x", "item.06.label": "y"})
        designations = {
            concept["code"]: {each["language"]: each["value"] for each in concept["designation"]}
            for outer in done.code_system["concept"]
            for concept in (outer, *outer["concept"])
        }
        assert len(designations) == 91
        for row in rows(done.questionnaire, "nn"):
            if ".answer." in row.key or row.key.endswith(".label"):
                code = row.key.split(".")[3 if ".answer." in row.key else 1]
                assert designations[code]["nn"] == row.translation, row.key
        assert designations["01"] == {"nb": "Fremgang mot personlige mål", "nn": "(nn) Progress towards personal goals"}

    def test_nothing_else_changes(self) -> None:
        done = taken()

        def without(value: Any) -> Any:
            """Less what was added, and the versions."""
            if isinstance(value, dict):
                return {key: without(inner) for key, inner in value.items() if key not in ("id", "version", "date")}
            if isinstance(value, list):
                return [without(each) for each in value if "nn" not in str(each) or not _is_added(each)]
            return value

        def _is_added(each: Any) -> bool:
            return each.get("language") == "nn" or {"url": "lang", "valueCode": "nn"} in each.get("extension", ())

        for before, after in ((CLIENT, done.questionnaire), (CODES, done.code_system)):
            described = {**after, "description": before["description"]}
            assert write_file(without(described)) == write_file(without(before))

    def test_a_translation_is_a_new_minor_version(self) -> None:
        done = taken()
        for resource in (done.questionnaire, done.code_system):
            assert (resource["id"], resource["version"], resource["date"]) == (
                "imr-client-0.2.0",
                "0.2.0",
                "2027-01-02",
            )
        versions = {
            (coding["system"].rsplit("/", 1)[-1], coding["version"])
            for coding in _codings(done.questionnaire)
            if "version" in coding
        }
        assert versions == {("imr-client", "0.2.0"), ("imr", "0.1.0")}

    def test_or_the_version_that_was_told(self) -> None:
        done = take(CLIENT, CODES, {"title": "x"}, status(), version="0.1.0")
        assert (done.questionnaire["id"], done.questionnaire["version"]) == ("imr-client-0.1.0", "0.1.0")

    def test_the_status_is_said_in_both_and_in_words(self) -> None:
        done = take(CLIENT, CODES, {"title": "x"}, status(status="reviewed", note="read by two teachers"))
        for resource, where in ((done.questionnaire, "translation extensions"), (done.code_system, "designations")):
            assert statuses(resource) == (PRESENT, status(status="reviewed", note="read by two teachers"))
            assert resource["description"].endswith(
                f" Nynorsk (nn), in {where}: reviewed: read by two teachers; not validated."
            )

    def test_a_later_status_takes_the_place_of_the_earlier(self) -> None:
        done = take(CLIENT, CODES, {}, status(lang="nb", status="validated"))
        assert statuses(done.questionnaire) == (status(lang="nb", status="validated"),)
        assert "not validated" not in done.questionnaire["description"]
        assert "Bokmål (nb), in translation extensions: validated." in done.questionnaire["description"]

    def test_two_that_are_not_in_step(self) -> None:
        other = copy.deepcopy(CODES)
        other["concept"][0]["display"] = "Something else"
        with pytest.raises(ArtefactError, match=r"item.01.label is 'Progress towards personal goals'"):
            take(CLIENT, other, {"item.01.label": "x"}, status())

    def test_the_arguments_stay_as_they_are(self) -> None:
        form, codes = artefacts.questionnaire("client"), code_system()
        take(form, codes, {"title": "x", "item.01.label": "y"}, status())
        assert (form, codes) == (CLIENT, CODES)

    def test_the_app_shows_what_was_taken(self) -> None:
        done = taken("nb", {"item.06.answer.06-3": "Litt plaget", "item.06.text": "Hvor plaget?", "title": "IMR"})
        form = scale_from(done.questionnaire)
        assert form.item(6).anchor(3).text.in_("nb") == "Litt plaget"
        assert form.item(6).prompt.in_("nb") == "Hvor plaget?"
        assert form.title.in_("nb") == "IMR"
        assert form.item(6).anchor(3).text.in_("en") == scale_from(CLIENT).item(6).anchor(3).text.en

    def test_the_app_shows_bokmal_beside_a_third_language(self) -> None:
        assert scale_from(taken("se").questionnaire).items == scale_from(CLIENT).items

    @pytest.mark.validator
    @pytest.mark.parametrize(("lang", "version"), [("nn", ""), ("nn", "0.1.0"), ("sv", "")])
    def test_validator_finds_no_error(self, lang: str, version: str, fhir_validator: Validator) -> None:
        checked = check(CLIENT, lines(translated(lang)))
        done = take(CLIENT, CODES, checked.taken, status(lang=lang), version=version)
        for resource in (done.questionnaire, done.code_system):
            assert fhir_validator.validate(resource) == []


@pytest.mark.parametrize(("version", "following"), [("0.1.0", "0.2.0"), ("1.9.7", "1.10.0")])
def test_next_minor(version: str, following: str) -> None:
    assert next_minor(version) == following


@pytest.mark.parametrize("version", ["1", "0.1.0-draft", "2026-11", "a.b.c"])
def test_a_version_that_has_no_next(version: str) -> None:
    with pytest.raises(ArtefactError, match="--version"):
        next_minor(version)


def _codings(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        own = [value] if {"system", "code"} <= set(value) else []
        return own + [found for inner in value.values() for found in _codings(inner)]
    return [found for inner in value for found in _codings(inner)] if isinstance(value, list) else []
