"""A form's version, once given out, says the same for ever, and stays here."""

from collections.abc import Callable
from typing import Any

import pytest

from imr_fhir.artefacts import questionnaire
from tests.released import all_faults, faults, line_of, lost_lines

Form = dict[str, Any]


def test_what_is_packaged_is_what_was_released() -> None:
    assert all_faults() == []


def reworded(form: Form, version: str = "") -> Form:
    return form | {"title": "Other words"} | ({"version": version} if version else {})


@pytest.fixture
def form() -> Form:
    return questionnaire("client")


CASES: list[tuple[str, Callable[[Form], tuple[list[Form], Form, list[str]]], str]] = [
    ("as released", lambda old: ([old], old, [line_of(old)]), ""),
    ("reformatted", lambda old: ([dict(reversed(old.items()))], old, [line_of(old)]), ""),
    (
        "changed, its version raised, the one before kept",
        lambda old: ([new := reworded(old, "0.2.0"), old], new, [line_of(old), line_of(new)]),
        "",
    ),
    ("changed, its version not", lambda old: ([new := reworded(old)], new, [line_of(old)]), "does not say what was"),
    (
        "changed, its version raised, the one before not kept",
        lambda old: ([new := reworded(old, "0.2.0")], new, [line_of(old), line_of(new)]),
        "is no more in questionnaires/",
    ),
    (
        "the one before kept under the new version",
        lambda old: ([new := reworded(old, "0.2.0"), old | {"version": "0.2.0"}], new, [line_of(old), line_of(new)]),
        "with two contents",
    ),
    (
        "not told",
        lambda old: ([new := reworded(old, "0.2.0"), old], new, [line_of(old)]),
        line_of(reworded(questionnaire("client"), "0.2.0")),
    ),
    (
        "the old one in use",
        lambda old: ([old, new := reworded(old, "0.10.0")], old, [line_of(old), line_of(new)]),
        "0.10.0 is not lower",
    ),
]


@pytest.mark.parametrize(("case", "make", "said"), CASES)
def test_what_a_maintainer_may_do(
    case: str, make: Callable[[Form], tuple[list[Form], Form, list[str]]], said: str, form: Form
) -> None:
    forms, in_use, lines = make(form)
    found = faults(forms, [in_use], lines)
    assert (said in "\n".join(found), bool(found)) == (True, bool(said)), case


def test_lines_are_only_added() -> None:
    history = "+++ b/released.txt\n+https://a|1 aa\n-https://a|1 aa\n+https://a|1 bb\n"
    assert lost_lines(history, ["https://a|1 aa"]) != []
    assert lost_lines(history, ["https://a|1 bb"]) != []
    assert lost_lines("+https://a|1 aa\n", ["https://a|1 aa", "https://a|2 bb"]) == []
