"""What a posted form says about a scale: the answers, the comment, and what was pressed. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from imr_fhir.errors import ImrError
from imr_fhir.scale import Scale

COMMENT_MAX = 4_000
REASON_MAX = 500


class AnswerError(ImrError):
    """What was posted can't be kept; ``key`` and ``params`` say it in the reader's language."""

    def __init__(self, key: str, **params: object) -> None:
        super().__init__(f"{key} {params}")
        self.key = key
        self.params = params


@dataclass(frozen=True)
class Posted:
    ratings: dict[int, int]  # only what was answered in this post: a page may show one item of the 15
    comment: str | None  # None where the page had no comment field


def read_answers(form: Mapping[str, str], scale: Scale) -> Posted:
    """The answers in ``form``: fields named by linkId ("06") with a code ("06-3") each, and ``comment``.

    Raises AnswerError for a code of another item, an unknown code, or a comment that is too long.
    """
    ratings: dict[int, int] = {}
    for item in scale.items:
        code = form.get(item.link_id)
        if code is None:
            continue
        rating = next((anchor.rating for anchor in item.anchors if anchor.code == code), None)
        if rating is None:
            raise AnswerError("form.error.code", number=item.number)
        ratings[item.number] = rating
    return Posted(ratings, read_text(form, "comment", COMMENT_MAX))


def read_reason(form: Mapping[str, str]) -> str:
    """Why a filed answer is corrected or withdrawn. Raises AnswerError where none is given, or it is too long."""
    reason = (read_text(form, "reason", REASON_MAX) or "").strip()
    if not reason:
        raise AnswerError("form.error.reason")
    return reason


def read_text(form: Mapping[str, str], name: str, longest: int) -> str | None:
    """The text field ``name`` with plain newlines, None where the form has none. Raises AnswerError if too long."""
    text = form.get(name)
    if text is None:
        return None
    text = text.replace("\r\n", "\n")
    if len(text) > longest:
        raise AnswerError("form.error.long", length=len(text), longest=longest, over=len(text) - longest)
    return text
