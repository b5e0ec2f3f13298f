"""The table as CSV: what a spreadsheet makes of it, and what comes back from one."""

import csv
import io
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imr_fhir.errors import TranslationError
from imr_fhir.spreadsheet import escaped, unescaped
from imr_fhir.translation.export import rows
from imr_fhir.translation.table import COLUMNS, Row, fingerprint, read_table, write_table
from tests.translation.build import CLIENT, KEYS, lines

ROWS = rows(CLIENT, "nb")

# What an unattended spreadsheet makes a number, a date or a formula of.
TURNED = re.compile(r"[-+]?[\d.,:/\s-]*([eE][-+]?\d+)?|\d+[- /.]\w+|[=+\-@].*", re.DOTALL)

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=60)


class TestCells:
    @given(TEXT)
    def test_each_comes_back_as_it_was(self, text: str) -> None:
        assert unescaped(escaped(text)) == text

    @given(st.sampled_from("=+-@\t\r\n＝＋－＠"), TEXT)
    def test_none_is_run(self, first: str, rest: str) -> None:
        assert escaped(first + rest)[0] == "'"

    @pytest.mark.parametrize("cell", ["'Twas", "'", "''", "plain", "", "a=b"])
    def test_what_is_not_run_is_left_alone(self, cell: str) -> None:
        assert escaped(cell) == unescaped(cell) == cell


class TestWritten:
    def test_excel_reads_utf_8_by_its_mark(self) -> None:
        assert write_table(ROWS).startswith(b"\xef\xbb\xbfkey,")

    def test_no_cell_that_is_read_again_turns_into_a_number_or_a_date(self) -> None:
        for row in ROWS:
            for cell in (row.key, row.language, row.form, row.fingerprint):
                assert not TURNED.fullmatch(cell), cell

    @given(st.lists(st.builds(lambda text: replace(ROWS[0], english=text, translation=text), TEXT), max_size=4))
    def test_no_cell_begins_as_a_formula(self, table: list[Row]) -> None:
        text = write_table(tuple(table)).decode("utf-8-sig")
        for cells in csv.reader(io.StringIO(text, newline="")):
            assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in cells)


@given(st.lists(st.tuples(st.sampled_from(KEYS), TEXT), min_size=1, max_size=6), st.sampled_from([",", ";", "\t"]))
def test_what_is_written_is_read(found: list[tuple[str, str]], delimiter: str) -> None:
    table = tuple(replace(ROWS[0], key=key, translation=text) for key, text in found)
    read = read_table(write_table(table, delimiter))  # type: ignore[arg-type]
    assert [(line.key, line.translation) for line in read] == found
    assert {(line.language, line.form) for line in read} == {("nb", ROWS[0].form)}


class TestRead:
    def test_columns_in_another_order_and_one_more(self) -> None:
        text = "note,Translation,KEY,fingerprint,form,language\r\nhm,Mål,title,en-1,url|1,nb\r\n"
        (line,) = read_table(text.encode())
        assert (line.number, line.key, line.translation, line.fingerprint) == (2, "title", "Mål", "en-1")

    def test_rows_are_counted_as_the_spreadsheet_does(self) -> None:
        table = [replace(ROWS[0], translation="one\ntwo"), ROWS[1]]
        text = write_table(tuple(table)).decode("utf-8-sig") + ",,,,,,,\r\n" + "last,,,,,nb,f,p\r\n"
        assert [line.number for line in read_table(text.encode())] == [2, 3, 5]

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            ("key,translation\r\nx,Mål".encode("latin-1"), "not in UTF-8"),
            ("key;translation\r\nx;Mål".encode("utf-16"), "not in UTF-8"),
            (b"", "no column key, translation"),
            (b"key,translation,language,form\r\na,b,c,d", "no column fingerprint"),
            (b"key,key,translation,language,form,fingerprint\r\n", "two columns key"),
            (",".join(COLUMNS).encode(), "no rows"),
            (b'key,translation,language,form,fingerprint\r\n"a"b,c', "no CSV"),
            (b"PK\x03\x04", "no column"),
        ],
    )  # fmt: skip
    def test_what_is_no_such_table_is_refused_with_a_next_step(self, data: bytes, said: str) -> None:
        with pytest.raises(TranslationError, match=said) as refused:
            read_table(data)
        assert refused.value.next_step


class TestExported:
    def test_each_text_of_the_form_has_a_row(self) -> None:
        assert len(ROWS) == len(set(KEYS)) == 1 + 1 + 1 + 15 * 7 + 1 + 1 + 4  # title, introduction, heading, items ...
        assert {row.status for row in ROWS} == {"translated"}
        assert {row.status for row in rows(CLIENT, "nn")} == {"missing"}
        assert lines(ROWS)[5].translation == "Ikke satt meg noe personlig mål"

    def test_what_changed_since_is_stale(self) -> None:
        before = {**CLIENT, "title": "Another title"}
        stale = [row.key for row in rows(CLIENT, "nb", before=before) if row.status == "stale"]
        assert stale == ["title"]

    def test_before_must_be_the_same_form(self) -> None:
        with pytest.raises(TranslationError, match="no older version"):
            rows(CLIENT, "nb", before={**CLIENT, "url": "urn:other"})

    @pytest.mark.parametrize("lang", ["", "en", "en-GB", "norsk bokmål", "NB", "n", "nb_NO", "=nb"])
    def test_what_is_no_language_to_translate_to(self, lang: str) -> None:
        with pytest.raises(TranslationError):
            rows(CLIENT, lang)

    @pytest.mark.parametrize("lang", ["nn", "se", "pt-BR", "zh-Hant", "sr-Latn-RS", "es-419"])
    def test_languages(self, lang: str) -> None:
        assert rows(CLIENT, lang)[0].language == lang

    def test_another_text_has_another_fingerprint(self) -> None:
        assert fingerprint("a") != fingerprint("a ")
