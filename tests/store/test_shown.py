"""What becomes of an answer that is posted: by what its page showed, what that sent before, and what another kept."""

import pytest

from smart_app.store import Store
from smart_app.store.drafts import COMMENT
from smart_app.store.errors import StaleAnswer
from smart_app.store.launch import Launch
from smart_app.store.shown import Answer, Shown, changes, mark, showing
from tests.store.make import NOW, draft

MINE, OTHER = "mine", "other"

# what the page showed, what it posts as its request number `sent`; what the draft has by then, from which page and
# request of it; and what becomes of it: the answer that stands, "clash", or nothing
CASES = [
    ("", "a", 0, None, Answer("a", 1, MINE, 0)),
    ("", "", 0, None, None),
    ("a", "b", 0, Answer("a", 1), Answer("b", 2, MINE, 0)),
    ("a", "a", 0, Answer("a", 1), None),
    ("a", "a", 0, Answer("b", 2, OTHER), None),  # untouched here: no answer
    ("", "", 0, Answer("words", 1, OTHER), None),
    ("a", "", 0, Answer("a", 1), Answer("", 2, MINE, 0)),  # a comment taken out
    ("a", "c", 0, Answer("b", 2, OTHER), "clash"),
    ("a", "", 0, Answer("b", 2, OTHER), "clash"),
    ("a", "b", 0, Answer("b", 2, OTHER), None),  # both pages say the same
    ("a", "c", 3, Answer("b", 2, MINE, 2), Answer("c", 3, MINE, 3)),  # the same page, later
    ("a", "a", 3, Answer("b", 2, MINE, 2), Answer("a", 3, MINE, 3)),  # put back to what was shown
    ("a", "c", 1, Answer("b", 2, MINE, 2), None),  # overtaken
    ("a", "a", 2, Answer("a", 1), Answer("a", 1, MINE, 2)),  # put back before the first request arrived
    ("", "", 2, None, Answer("", 1, MINE, 2)),
    ("a", "b", 1, Answer("a", 1, MINE, 2), None),  # which then is overtaken
    ("a", "c", 0, Answer("b", 2, MINE, 0), Answer("c", 3, MINE, 0)),  # without script nothing overtakes
    # other line ends, and one at the very beginning, are how a browser gives back what nobody touched
    ("\na\r\nb\rc", "a\nb\nc", 0, Answer("\na\r\nb\rc", 1), None),
    ("\na\r\nb\rc", "a\nb\nc", 2, Answer("\na\r\nb\rc", 1), Answer("\na\r\nb\rc", 1, MINE, 2)),
    ("\n\na", "\na", 0, Answer("\n\na", 1), None),  # and of several one
    ("\n\na", "a", 0, Answer("\n\na", 1), None),  # on each page that it passes
    ("\r\n\na", "\r\na", 0, Answer("words", 2, OTHER), None),
    ("a\r\nb", "a\nb", 0, Answer("words", 2, OTHER), None),
    ("a\r\nb", "a\n b", 0, Answer("a\r\nb", 1), Answer("a\n b", 2, MINE, 0)),
    ("a\r\nb", "a\nc", 0, Answer("words", 2, OTHER), "clash"),
]


@pytest.mark.parametrize(("shown", "posted", "sent", "there", "becomes"), CASES)
def test_what_becomes_of_an_answer(
    shown: str, posted: str, sent: int, there: Answer | None, becomes: Answer | str | None
) -> None:
    page = Shown({"06": mark(shown)} if shown else {}, MINE, sent)
    found = changes({"06": posted}, {"06": there} if there else {}, page)
    assert found.answers == ({"06": becomes} if isinstance(becomes, Answer) else {})
    assert found.clashes == ({"06": posted} if becomes == "clash" else {})
    assert bool(found.changed) == (isinstance(becomes, Answer) and becomes.value != (there.value if there else ""))


def test_a_clash_is_told_and_the_rest_is_kept(store: Store, launch: Launch) -> None:
    made = draft(store, launch)
    older, newer = showing(made.answers), showing(made.answers)
    store.drafts.set_answers(made.id, launch.owner, {"06": "06-3", COMMENT: "Tired"}, NOW, newer)
    with pytest.raises(StaleAnswer) as caught:
        store.drafts.set_answers(made.id, launch.owner, {"06": "06-5", "07": "07-1", COMMENT: ""}, NOW, older)
    assert caught.value.values == {"06": "06-5"}
    kept = store.drafts.get(made.id, launch.owner)
    assert (kept.codes, kept.comment) == ({"06": "06-3", "07": "07-1"}, "Tired")


def test_what_is_put_back_before_it_arrived_stays_put_back(store: Store, launch: Launch) -> None:
    made = draft(store, launch)
    page = showing(made.answers)
    first, second = Shown(page.marks, page.page, 1), Shown(page.marks, page.page, 2)
    back = store.drafts.set_answers(made.id, launch.owner, {COMMENT: ""}, NOW, second)
    assert (back.revision, back.comment, back.empty) == (made.revision, "", True)
    assert store.drafts.set_answers(made.id, launch.owner, {COMMENT: "I am"}, NOW, first).comment == ""
