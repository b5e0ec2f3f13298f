"""What a posted form says about a scale: the answers, the comment, and what was pressed. Pure."""

from collections.abc import Mapping

from werkzeug.datastructures import MultiDict

from imr_fhir.answers import COMMENT_MAX
from imr_fhir.errors import ImrError
from imr_fhir.scale import Scale
from smart_app.store.drafts import COMMENT

REASON_MAX = 500


class AnswerError(ImrError):
    """What was posted can't be kept; ``key`` and ``params`` say it in the reader's language."""

    def __init__(self, key: str, **params: object) -> None:
        super().__init__(f"{key} {params}")
        self.key = key
        self.params = params


def read_answers(form: MultiDict[str, str], scale: Scale) -> dict[str, str]:
    """What ``form`` says, as drafts keep it: linkId -> code ("06" -> "06-3"), and ``comment`` where it has that field.

    Raises AnswerError for a code of another item, an unknown code, two answers to one item, or too long a comment.
    """
    values: dict[str, str] = {}
    for item in scale.items:
        codes = form.getlist(item.link_id)
        if not codes:
            continue
        if len(codes) > 1:
            raise AnswerError("form.error.two", number=item.number)
        code = codes[0]
        if code not in {anchor.code for anchor in item.anchors}:
            raise AnswerError("form.error.code", number=item.number)
        values[item.link_id] = code
    comment = read_text(form, COMMENT, COMMENT_MAX)
    return values if comment is None else {**values, COMMENT: comment}


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
