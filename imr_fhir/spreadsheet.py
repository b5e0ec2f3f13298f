"""Cells of a CSV that a spreadsheet opens: none is run as a formula, and each comes back as it was.

Excel, LibreOffice and Google run a cell that begins with one of these, some after spaces (OWASP, CSV injection). Such a
cell gets an apostrophe in front, and so does one that begins with apostrophes and then such a character: taking one off
gives back every text.
"""

import re

_RUN = re.compile(r"'*\s*[=+\-@＝＋－＠]|'*[\t\r\n]")
_ESCAPED = re.compile(r"'+\s*[=+\-@＝＋－＠]|'+[\t\r\n]")


def escaped(text: str) -> str:
    return f"'{text}" if _RUN.match(text) else text


def unescaped(cell: str) -> str:
    return cell[1:] if _ESCAPED.match(cell) else cell
