"""What became of the answers that a patient handed in alone, in words for the patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smart_app.delivery import to_print
from smart_app.language import Words
from smart_app.placing import Down
from smart_app.plan import Plan
from smart_app.step_down import next_rung
from smart_app.store.filing import Filing
from smart_app.store.filing_states import State

_SENTENCES: Mapping[State, str] = {
    State.DONE: "own.done.saved",
    State.SENDING: "save.unknown",
    State.UNKNOWN: "save.unknown",
    State.REFUSED: "own.done.refused",
    State.DUPLICATE: "own.done.refused",
    State.WITHDRAWN: "own.done.withdrawn",
}
_GO_ON = (State.SEALED, State.PART_OK, State.WAITING, State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class OwnReceipt:
    sentence: str
    again: bool  # a press may take it on


def own_receipt(words: Words, filing: Filing, plan: Plan, *, organization: str) -> OwnReceipt:
    """``plan``: what this launch may write."""
    printed = to_print(filing)
    key = "own.done.refused" if printed else _SENTENCES.get(filing.state, "own.done.kept")
    again = (filing.state in _GO_ON and not printed) or lower_rung(filing, plan) is not None
    sentence = words.say("own.done.kept" if key == "own.done.refused" and again else key, org=organization)
    return OwnReceipt(sentence, again)


def lower_rung(filing: Filing, plan: Plan) -> Down | None:
    """The next place that the patient's press may try; what is to be printed is kept as it is."""
    down = next_rung(filing, plan)
    return down if down and (down.do, down.rung) != ("down", "print") else None
