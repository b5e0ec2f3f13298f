"""Which scores are of which responses, and which responses are among others: looked up, and the same as compared."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from imr_fhir.ehr.address import local_reference
from imr_fhir.ehr.scores import belongs_to
from imr_fhir.history import Among
from imr_fhir.observation import StoredScore
from imr_fhir.response import Response
from imr_fhir.score_shape import stored_urns
from tests.filed import RESPONSES, urn

BASE = "https://ehr.example/fhir"
IDS = ("1", "2", "3")
URNS = tuple(urn(number) for number in range(3))
NOW = datetime(2026, 9, 1, 10, 0, tzinfo=UTC)
SCORE = StoredScore("1", "", "", "client", "final", True, "", "", NOW, NOW, {}, "", "", "", "en")

responses = st.builds(
    lambda **told: replace(next(iter(RESPONSES.values())), **told),
    id=st.sampled_from(IDS),
    identifier=st.sampled_from(("", *URNS)),
    kept=st.sampled_from(("form", "components", "flat", "text", "print")),
)
named = [f"{base}{kind}/{each}" for base in ("", f"{BASE}/", "https://other.example/fhir/")
         for kind in ("QuestionnaireResponse", "Observation") for each in IDS]  # fmt: skip
scores = st.builds(
    lambda **told: replace(SCORE, **told),
    id=st.sampled_from(("", *IDS)),
    identifier=st.sampled_from(("", *(each for name in URNS for each in (name, *stored_urns(name))))),
    derived_from=st.sampled_from(("", "#contained", *named)),
)


def compared(score: StoredScore, response: Response) -> bool:
    if response.kept != "form":
        return score.id == response.id
    if score.derived_from:
        found = local_reference(score.derived_from, BASE)
        return found is not None and (found.type, found.id) == ("QuestionnaireResponse", response.id)
    return bool(response.identifier) and score.identifier in stored_urns(response.identifier)


@settings(deadline=None)
@given(st.lists(responses, max_size=4), st.lists(scores, max_size=4))
def test_looked_up_as_compared(those: list[Response], found: list[StoredScore]) -> None:
    belongs = belongs_to(those, BASE)
    assert [belongs(score) for score in found] == [any(compared(score, one) for one in those) for score in found]


@settings(deadline=None)
@given(st.lists(responses, max_size=6), st.lists(responses, max_size=6))
def test_among_as_in_a_tuple(those: list[Response], others: list[Response]) -> None:
    found = Among(those)
    assert found == tuple(those)
    assert [one in found for one in (*those, *others)] == [one in tuple(those) for one in (*those, *others)]
    assert None not in found
