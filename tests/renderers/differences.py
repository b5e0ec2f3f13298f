"""Where a form filler does something of its own, with the reason; all else must be as the Questionnaires say.

Each is tested like the rest, so that one which is no more is found.
"""

from collections.abc import Mapping

from imr_fhir.validation.finding import Path

SHOWS_RATINGS: Mapping[str, str] = {
    "lhc_forms": "writes an option's ordinalValue behind its words, unless the program around it says "
    "displayScoreWithAnswerText: false; the app itself shows a respondent no figure"
}

# (form filler, figure, value) that the form has and its response has not.
UNSTORED: Mapping[tuple[str, str, int], str] = {
    ("smart_forms", "rated", 0): "keeps no value that it worked out while the form was empty, until that value changes"
}

# (form filler, path, code) of what our validator finds.
FAULTS: Mapping[tuple[str, Path, str], str] = {
    ("smart_forms", ("item",), "empty"): "gives an empty form's items as an empty list, which FHIR has not"
}

NO_WAY_BACK: Mapping[str, str] = {"lhc_forms": "lets a radio button's answer be changed, and not taken back"}

LOSES: Mapping[str, str] = {
    "smart_forms": "0.3 s after the last letter of a text it puts the form back as it was at that letter: an answer "
    "that was pressed in between is gone, from the screen too"
}

STATUS: Mapping[str, str] = {
    "lhc_forms": "completed",  # also where questions are open: the program around it sets another
    "smart_forms": "in-progress",  # also where all is answered: the program around it sets another
}
