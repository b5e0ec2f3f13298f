"""Each number of the page is the files' own, and each of theirs stands on the page: read as a person reads it."""

import re
from html import unescape
from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest

from imr_fhir.change import Flag, Reason
from imr_fhir.due import OutcomeCode
from imr_fhir.reporting.figures import figure
from imr_fhir.reporting.making_report import Made
from imr_fhir.reporting.measured import CLASSES
from imr_fhir.reporting.page import page
from imr_fhir.reporting.words import LANGUAGES, NAMES, OF, SAID
from tests.reporting.making import DAY, ZONE, exported, report_of, reported
from tests.reporting.page_comparing import page_differences
from tests.reporting.page_reading import read_page
from tests.reporting.population import EXPORTED
from tests.reporting.recomputed import recompute

LEFT_OUT_SQL = "".join(
    (files("imr_fhir.reporting") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    for name in ("left_out", "lives", "ratings")
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return reported(200, 7, tmp_path_factory)


def test_the_page_says_what_the_files_say(made: Made) -> None:
    tables, drawn = read_page(made.files[0].read_text(encoding="utf-8"))
    assert sum(len(list(table.cells)) for table in tables) > 5000
    assert len(drawn) >= 5
    assert page_differences(made.files[0].parent) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_small_hospital_s_page_does_too(seed: int, language: str, tmp_path: Path) -> None:
    """Where most is hidden, and raters are missing from a row."""
    made = report_of(exported(25, tmp_path, seed=seed), language=language)
    assert page_differences(made.files[0].parent, language) == []


def test_in_norwegian_it_says_the_same(made: Made, tmp_path: Path) -> None:
    report = page(made.report, made.reconciliation, made=EXPORTED, language="nb")
    (tmp_path / "report.html").write_text(report, encoding="utf-8")
    (tmp_path / "figures.json").write_bytes(made.files[2].read_bytes())
    assert page_differences(tmp_path, "nb") == []
    assert page_differences(tmp_path, "en")
    assert '<html lang="nb">' in report
    assert "er et utkast som ikke er validert" in report
    shown = re.sub(r"(?s)<style.*?</style>|<pre.*?</pre>|<[^>]*>", " ", report)
    assert re.findall(r"\b(?:the|of|not|and|rated|answered|recorded|begun|cannot|with|goals?)\b", shown) == []


def test_both_languages_have_the_same_words() -> None:
    assert SAID["en"].keys() == SAID["nb"].keys()
    assert OF["en"].keys() == OF["nb"].keys()
    assert NAMES["en"].keys() <= NAMES["nb"].keys()
    for key, text in SAID["en"].items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", SAID["nb"][key])), key
    assert all(set(figure(name).about) == set(LANGUAGES) for name in ("change", "agreement"))


@pytest.mark.parametrize(
    "name",
    [
        *get_args(Reason), *get_args(Flag), *get_args(OutcomeCode), *CLASSES,
        *re.findall(r"THEN '((?!nb|amended|unknown')[^']+(?:''s)?)'", LEFT_OUT_SQL),
        *re.findall(r"SELECT '[a-z ]+', '([a-z ]+)'", LEFT_OUT_SQL),
    ],
)  # fmt: skip
def test_each_name_that_a_report_can_say_is_known_in_norwegian(name: str) -> None:
    assert name.replace("''", "'") in NAMES["nb"]


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        pytest.param("Client: share", "Clinician: share", id="one rater's numbers under the other's name"),
        pytest.param(">64 % (61 to 68)<", ">65 % (61 to 68)<", id="a share rounded up"),
        pytest.param(">– of 38<", ">3 of 38<", id="a hidden number told"),
        pytest.param(">−0.13<", ">+0.13<", id="a sign lost"),
        pytest.param(">declined</th>", ">refused</th>", id="a row under another name"),
        pytest.param("client: 80 % (71", "client: 81 % (71", id="a number of a drawing"),
    ],
)
def test_a_page_that_says_something_else_is_found_out(was: str, becomes: str, made: Made, tmp_path: Path) -> None:
    page = made.files[0].read_text(encoding="utf-8")
    assert was in page
    (tmp_path / "report.html").write_text(page.replace(was, becomes, 1), encoding="utf-8")
    (tmp_path / "figures.json").write_bytes(made.files[2].read_bytes())
    assert page_differences(tmp_path)


def test_what_stands_in_sentences_is_the_same(made: Made) -> None:
    """The pairs and their scores, worked out a second time."""
    other = recompute(made.files[0].parent.parent, DAY, ZONE)
    page = unescape(made.files[0].read_text(encoding="utf-8"))
    counts = [*(other.pairs[name] for name in ("all", "blind", "seen first", "latest")), other.scores["n"]]
    blind = r"Pairs of both raters: (\d+); rated blind (\d+), seen first (\d+)\."
    said = re.search(blind + r".*: (\d+|–), of which.* (\d+)\.", page)
    assert said
    assert said[4] == "–"  # the incomplete ones of them are few
    assert [int(n) for n in said.groups() if n != "–"] == [*counts[:3], counts[4]]
    found = re.search(r"is (\S+) on average; limits of agreement (\S+) to (\S+)\. ICC\(A,1\) (\S+)\.<", page)
    assert found
    numbers = [float(n.replace("−", "-")) for n in found.groups()]
    assert numbers == pytest.approx([other.scores["mean"], *other.scores["limits"], other.scores["icc"]], abs=0.005)


def test_a_unit_is_named_as_the_hospital_names_it(tmp_path: Path) -> None:
    """Not as our own quantities are said: two units could get one name."""
    path = exported(60, tmp_path) / "EpisodeOfCare-00001.ndjson"
    said = path.read_text(encoding="utf-8")
    for reference, name in (("north", "Team: north-east"), ("south", "Team: south_west"), ("fjord", "all")):
        said = said.replace(f'"reference": "Organization/{reference}"', f'"display": "{name}"')
    path.write_text(said, encoding="utf-8")
    made = report_of(tmp_path)
    assert page_differences(made.files[0].parent) == []
    tables, _ = read_page(made.files[0].read_text(encoding="utf-8"))
    units = {names[0] for table in tables if table.caption.endswith("by unit") for names, _ in table.rows}
    assert units == {"Team: north-east", "Team: south_west", "“all”", "unit not recorded"}
