"""What must fit together in one site's settings, beyond what each setting says by itself."""

import difflib
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from imr_fhir.pdf import can_make_pdf
from imr_fhir.scale import RATERS, scale

FIGURES = ("mean", "sum", "rated")

Mistake = tuple[str, str, str]  # setting, what is wrong, the line to write


def check_site(site: Mapping[str, Any]) -> Iterator[Mistake]:
    """``site``: the settings of one table as they were read; those that were wrong by themselves are missing."""
    codes = site.get("flat_codes", {})
    if site.get("observation_shape") == "flat" and "flat_codes" in site and not codes:
        yield "observation_shape", "flat needs flat_codes.", 'flat_codes = { client-mean = "system|code" }'
    yield from _flat_codes(codes)
    if site.get("document_format") == "pdf" and not can_make_pdf():
        line = 'document_format = "text", or in a shell: pip install weasyprint'
        yield "document_format", "pdf needs WeasyPrint and Pango, and one is not installed.", line
    if ca := site.get("ca_file"):
        yield from _ca_file(ca)


def flat_keys() -> tuple[str, ...]:
    """What a site may have codes for, such as ``client-mean`` and ``clinician-07``."""
    return tuple(
        f"{rater}-{figure}" for rater in RATERS for figure in (*FIGURES, *(item.link_id for item in scale(rater).items))
    )


def _flat_codes(codes: Mapping[str, str]) -> Iterator[Mistake]:
    """One code for two figures could not be read back."""
    known, first = flat_keys(), dict[str, str]()
    for key, code in codes.items():
        if key not in known:
            near = (difflib.get_close_matches(key, known, 1) or ["client-mean"])[0]
            yield "flat_codes", f"{key!r} is no figure.", f'{near} = "{code}"'
        elif (other := first.setdefault(code, key)) != key:
            yield "flat_codes", f"{key} has the code of {other}.", f'{key} = "a code of its own"'


def _ca_file(path: Path) -> Iterator[Mistake]:
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError as error:
        yield "ca_file", f"{path} has no certificate in PEM ({error.reason}).", 'ca_file = "/etc/imr/hospital-ca.pem"'
    except OSError as error:
        yield "ca_file", f"{path} can't be read ({error.strerror}).", 'ca_file = "a file that exists"'
