"""The parts of a filing: many of one kind are folded, each still there to be opened."""

from datetime import UTC, datetime
from types import MappingProxyType

import pytest

from smart_app.presenters.receipt import part_groups
from smart_app.store.filing import Filing, Part, Receipt
from smart_app.store.filing_states import State
from smart_app.store.owner import Owner
from tests.presenters.build import words

AT = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


def filing(*names: str) -> Filing:
    parts = tuple(
        Part(
            number=number,
            type="Observation",
            state=State.DONE,
            attempt=1,
            replaced=False,
            unsent=False,
            sha256="",
            request=MappingProxyType({"name": name}),
            receipt=Receipt("Observation", str(number), "1", 201),
        )
        for number, name in enumerate(names)
    )
    return Filing(
        id="f",
        owner=Owner("nordlys", "p", "u"),
        draft_id="",
        state=State.DONE,
        attempt=1,
        in_transaction=True,
        plan={},
        details={},
        reason="",
        candidates=(),
        held="",
        sealed=AT,
        changed=AT,
        lost=None,
        not_before=None,
        parts=parts,
    )


@pytest.mark.parametrize(
    ("language", "figures", "steps"),
    [
        ("en", "18 figures saved · Show", "6 × Step: saved · Show"),
        ("nb", "18 tall lagret · Vis", "6 × Steg: lagret · Vis"),
    ],
)
def test_over_five_of_one_kind_are_folded(language: str, figures: str, steps: str) -> None:
    many = filing("response", *["figure"] * 18, *["step"] * 6, *["helps"] * 5)
    groups = part_groups(words(language), many, "")
    assert [(group.summary, len(group.lines)) for group in groups] == [("", 1), (figures, 18), (steps, 6), ("", 5)]
    assert groups[1].lines[0].reference == "Observation/1"
