"""19. The instrument asks nothing of suicide or violence, so that no line does not mean no risk.

The help says so, and the unit's phone number is a required setting of a site (both are tested with the app).
"""

import re
from typing import get_args

import pytest

from imr_fhir.scale import RATERS, scale
from imr_fhir.talk import TalkReason

WORDS = r"\b(suicid|kill|self-?harm|hurt|violen|threat|selvmord|selvskad|vold|drap|trussel)"


@pytest.mark.parametrize("rater", RATERS)
def test_no_item_asks(rater):
    for item in scale(rater).items:
        for text in (item.label, item.prompt, *(anchor.text for anchor in item.anchors)):
            assert not re.search(WORDS, f"{text.en} {text.nb}", re.IGNORECASE)


def test_no_line_claims_to_find_risk():
    assert set(get_args(TalkReason)) == {
        *("relapse-recent", "hospital-recent", "total-down", "item-down", "comment", "stopped-early")
    }
