"""Which language a translation is into."""

import re

from imr_fhir.errors import TranslationError

# BCP 47 (RFC 5646) without extlangs and private use: language, script, region, variants.
_TAG = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?(-([a-z0-9]{5,8}|\d[a-z0-9]{3}))*", re.ASCII)


def require_language(lang: str) -> None:
    """Raises TranslationError for what is no language code, and for English, from which all is translated."""
    if not _TAG.fullmatch(lang):
        raise TranslationError(f"{lang!r} is no language code.", next_step="Use BCP 47's, as nb, nn, se or pt-BR.")
    if lang.split("-")[0] == "en":
        raise TranslationError("The texts are in English already.", next_step="Name the language to translate to.")
