"""The strings of a Questionnaire as rows for a translator."""

from typing import Any

from imr_fhir.errors import TranslationError
from imr_fhir.translation.language import require_language
from imr_fhir.translation.strings import String, strings
from imr_fhir.translation.table import Row, Status, fingerprint


def rows(questionnaire: dict[str, Any], lang: str, *, before: dict[str, Any] | None = None) -> tuple[Row, ...]:
    """A row a string, with its translation into ``lang`` where there is one.

    ``before``: an older version, for which the translations in ``questionnaire`` were made; what has another English
    text since is stale. Raises TranslationError for a language that is no code, and where ``before`` is another form.
    """
    require_language(lang)
    if before is not None and before.get("url") != questionnaire.get("url"):
        raise TranslationError(
            f"{before.get('url')} is no older version of {questionnaire.get('url')}.",
            next_step="Name an older version of the same Questionnaire.",
        )
    then = {string.key: string.english for string in strings(before)} if before is not None else {}

    def status(string: String) -> Status:
        if not string.in_(lang):
            return "missing"
        return "translated" if then.get(string.key, string.english) == string.english else "stale"

    form = canonical(questionnaire)
    return tuple(
        Row(
            key=string.key,
            shown=string.shown,
            english=string.english,
            translation=string.in_(lang),
            status=status(string),
            language=lang,
            form=form,
            fingerprint=fingerprint(string.english),
        )
        for string in strings(questionnaire)
    )


def canonical(questionnaire: dict[str, Any]) -> str:
    return f"{questionnaire['url']}|{questionnaire['version']}"
