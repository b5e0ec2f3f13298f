"""A plain text as a PDF, laid out by WeasyPrint: the extra ``pdf``. Nothing is fetched for it, from nowhere."""

from html import escape
from typing import Any

from imr_fhir.errors import ArtefactError

_STYLE = "@page { size: A4; margin: 2cm } body { font: 11pt sans-serif; line-height: 1.45; white-space: pre-wrap }"


def can_make_pdf() -> bool:
    """Whether the extra is installed, and Pango, which it draws with, is on this machine."""
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError):  # OSError: there is no Pango
        return False
    return True


def pdf_of(text: str, language: str) -> bytes:
    """The same text on pages, its first line as the title. Raises ArtefactError where no PDF can be made."""
    if not can_make_pdf():
        raise ArtefactError(
            "A PDF can't be made: WeasyPrint or Pango is not installed.",
            next_step="Install imr-fhir[pdf] and Pango, or use text.",
        )
    from weasyprint import HTML

    title, _, rest = text.partition("\n")
    page = (
        f'<!doctype html><html lang="{escape(language)}"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><body><h1>{escape(title)}</h1>{escape(rest)}</body></html>"
    )
    made: bytes = HTML(string=page, url_fetcher=_refuses).write_pdf()
    return made


def _refuses(url: str, *_: Any, **__: Any) -> Any:
    """Everything that a page may show stands in it."""
    raise ValueError(f"{url[:60]} is not fetched: a PDF is made of what is here.")
