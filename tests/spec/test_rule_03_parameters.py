"""3. The parameters of change are data: a row a rater, version and language, each figure with its source and n.

The band of T comes from r's 95 % interval. "From different samples, another language" is printed where it is true.
A hospital that empties a row gets "no_parameters", and no flag.
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from imr_fhir.artefacts import VERSION
from imr_fhir.change import CannotSay, Change, change
from imr_fhir.parameters import PARAMETERS, parameters_for
from tests.spec.build import answers, response

TRIAL = "ACT+IMR trial at baseline, PMC6433370, Table 1"
DUTCH = "Dutch IMRS, doi 10.3109/09638237.2015.1124398"

ROWS = [
    # rater, language, SD, its source, n, r, its source, n, T from, T to
    ("client", "en", "8.7", TRIAL, 101, "0.79", DUTCH, 111, "0.62", "0.87"),
    ("clinician", "en", "7.6", TRIAL, 101, "0.86", DUTCH, 40, "0.39", "0.70"),
    ("client", "nb", "8.7", TRIAL, 101, "0.79", DUTCH, 111, "0.62", "0.87"),
    ("clinician", "nb", "7.6", TRIAL, 101, "0.86", DUTCH, 40, "0.39", "0.70"),
]

LANGUAGES = [
    # rated in, SD from a form in, r from a form in, said "another language"
    ("nb", "en", "nl", True),
    ("en", "en", "nl", True),  # as shipped: the retest was done with the Dutch form, so it is true in English too
    ("en", "nl", "en", True),
    ("en", "en", "en", False),
    ("nb", "nb", "nb", False),  # a hospital's own figures
]

NO_ROW = [
    # case, what of the response has no row
    ("the row was emptied", {}),
    ("another language", {"language": "nn"}),
    ("another version", {"questionnaire": "https://w3id.org/imr-fhir/Questionnaire/imr-client|9.9.9"}),
]


@pytest.mark.parametrize(
    ("rater", "language", "sd", "sd_source", "sd_n", "r", "r_source", "r_n", "band_from", "band_to"), ROWS
)
def test_row(rater, language, sd, sd_source, sd_n, r, r_source, r_n, band_from, band_to):
    row = parameters_for(rater, VERSION, language)
    assert row is not None, "a new version of the instrument needs its rows"
    assert (row.sd, row.sd_source, row.sd_n) == (Decimal(sd), sd_source, sd_n)
    assert (row.r, row.r_source, row.r_n, row.r_kind) == (Decimal(r), r_source, r_n, "retest-2-weeks")
    assert [round(end, 2) for end in row.band] == [Decimal(band_from), Decimal(band_to)]
    assert row.band[0] < row.threshold < row.band[1]
    assert not row.same_sample
    assert row.other_language


def test_no_row_but_these():
    assert [(row.rater, row.version, row.language) for row in PARAMETERS] == [(r[0], VERSION, r[1]) for r in ROWS]


@pytest.mark.parametrize(("language", "sd_language", "r_language", "said"), LANGUAGES)
def test_another_language(language, sd_language, r_language, said):
    row = replace(PARAMETERS[0], language=language, sd_language=sd_language, r_language=r_language)
    assert row.other_language is said


@pytest.mark.parametrize(("case", "said"), NO_ROW)
def test_without_a_row_nothing_is_said(case, said):
    table = PARAMETERS if said else [row for row in PARAMETERS if (row.rater, row.language) != ("client", "en")]
    start, last = (response(on, answers(rating), **said) for on, rating in ((0, 2), (90, 4)))
    assert change([start, last], first=start, table=table) == CannotSay("no_parameters")
    other = response(0, answers(2), "clinician")
    assert isinstance(change([other, response(90, answers(4), "clinician")], first=other, table=table), Change)


@pytest.mark.parametrize("wrong", [{"sd": Decimal(0)}, {"r": Decimal(1)}, {"r": Decimal(0)}, {"r_n": 3}])
def test_figures_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match="must be above 0"):
        replace(PARAMETERS[0], **wrong)
