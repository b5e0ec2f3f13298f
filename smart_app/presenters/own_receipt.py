"""What became of the answers that a patient handed in alone, in words for the patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smart_app.delivery import next_rung
from smart_app.language import Words
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


def own_receipt(words: Words, filing: Filing, *, organization: str, who: str) -> OwnReceipt:
    key = _SENTENCES.get(filing.state, "own.done.kept")
    again = filing.state in _GO_ON or bool(next_rung(filing))
    sentence = words.say("own.done.kept" if key == "own.done.refused" and again else key, org=organization, who=who)
    return OwnReceipt(sentence, again)
