"""SECURITY G: all that one renewal of a token asks of a hospital is over before its lease is: nobody asks beside it."""

import time
from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from imr_fhir.ehr import identity
from imr_fhir.ehr.token import refresh
from imr_fhir.ehr.transport import Reply, Transport
from imr_fhir.errors import EhrError, IdentityError
from smart_app import tokens
from smart_app.state import state_of
from smart_app.store.token_refresh import LEASE_MS, RENEWAL_SECONDS
from tests.running import SITE, Running, log_in
from tests.web.steps import record_of

STORE_SECONDS = 10  # to be let in and to write
SLOW = 9.0
UNKNOWN = ".".join(urlsafe_b64encode(each).decode().rstrip("=") for each in (b'{"alg":"RS256","kid":"x"}', b"{}", b"x"))


def test_the_lease_is_longer_than_the_deadline_by_what_the_store_may_take() -> None:
    assert LEASE_MS / 1000 >= RENEWAL_SECONDS + STORE_SECONDS


def test_three_slow_answers_share_one_deadline(run: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that each answer moves on, and an id_token whose keys are to be had anew."""
    chart = log_in(run)
    with run.app.test_request_context():
        launch = record_of(run, chart)
    hospital = state_of(run.app).hospitals[SITE]
    clock = {"ahead": 0.0}
    given: list[tuple[str, float]] = []
    real = Transport.send

    def slow(self: Transport, method: str, url: str, *, seconds: float | None = None, **options: Any) -> Reply:
        assert seconds is not None, f"{options['purpose']} had the whole of a deadline of its own"
        given.append((options["purpose"], seconds))
        clock["ahead"] += SLOW
        return real(self, method, url, **options)

    monotonic = time.monotonic
    monkeypatch.setattr("smart_app.tokens.time.monotonic", lambda: monotonic() + clock["ahead"])
    monkeypatch.setattr(Transport, "send", slow)
    monkeypatch.setattr(hospital._discovered, "_good", None)
    hospital._jwks.clear()
    # The sandbox gives none on refresh: one whose key nobody has, so that the keys are asked for.
    monkeypatch.setattr(tokens, "refresh", lambda *given, **more: replace(refresh(*given, **more), id_token=UNKNOWN))
    with pytest.raises(IdentityError, match="does not publish"):
        tokens.renewed(launch, hospital, run.clock())
    assert [purpose for purpose, _ in given] == ["metadata", "token", "jwks"]
    assert [round((RENEWAL_SECONDS - seconds) / SLOW) for _, seconds in given] == [0, 1, 2]


def test_who_waits_for_another_s_fetch_of_the_keys_waits_no_longer_than_that() -> None:
    keys = identity.JwksCache(Transport([]), "https://ehr.example/jwks")
    with keys._lock, pytest.raises(EhrError, match="takes long"):
        keys.key("1", datetime.now().astimezone(), seconds=0.01)
