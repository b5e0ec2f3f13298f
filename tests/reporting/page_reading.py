"""The tables of a report's page as a reader has them: what stands in them, by section and caption."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_CELLS = ("th", "td")


@dataclass
class PageTable:
    """``columns`` name all cells of a row; ``rows``: the cells that name the row, then the others."""

    section: str
    caption: str = ""
    columns: list[str] = field(default_factory=list)
    rows: list[tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)

    @property
    def cells(self) -> Iterator[tuple[tuple[str, ...], str, str]]:
        """Each cell that names no row: the row's names, its column, what it says."""
        for names, said in self.rows:
            yield from ((names, column, each) for column, each in zip(self.columns[len(names) :], said, strict=True))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: list[PageTable] = []
        self.drawn: dict[str, list[str]] = {}
        self._section = ""
        self._head = False
        self._text: list[str] | None = None
        self._row: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "section":
            self._section = dict(attrs)["id"] or ""
        elif tag == "table":
            self.tables.append(PageTable(self._section))
        elif tag in ("thead", "tbody"):
            self._head = tag == "thead"
        elif tag == "tr":
            self._row = []
        elif tag in (*_CELLS, "caption", "desc"):
            self._text = []

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        said = " ".join("".join(self._text or ()).split())
        if tag == "tr" and self._head:
            self.tables[-1].columns = [text for _, text in self._row]
        elif tag == "tr":
            names = tuple(text for kind, text in self._row if kind == "th")
            self.tables[-1].rows.append((names, tuple(text for kind, text in self._row if kind == "td")))
        elif tag in _CELLS:
            self._row.append((tag, said))
        elif tag == "caption":
            self.tables[-1].caption = said
        elif tag == "desc":
            self.drawn.setdefault(self._section, []).append(said)
        if tag in (*_CELLS, "caption", "desc"):
            self._text = None


def read_page(html: str) -> tuple[list[PageTable], dict[str, list[str]]]:
    """All tables, and what each section's drawings say of themselves."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.tables, reader.drawn
