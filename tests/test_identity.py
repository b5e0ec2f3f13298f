"""An id_token is believed only when every one of its checks holds; each case breaks one thing of a good one."""

import base64
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from joserfc import jws, jwt
from joserfc.jwk import ECKey, RSAKey

from imr_fhir.ehr.identity import Identity, JwksCache, verify_id_token
from imr_fhir.ehr.transport import Transport
from imr_fhir.errors import BadReply, IdentityError, ServerFault
from tests.wire_server import Exchange, Server, serve

NOW = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
BASE = "https://ehr.example/fhir"
RSA = RSAKey.generate_key(2048)
EC = ECKey.generate_key("P-256")
OTHER = RSAKey.generate_key(2048)

CLAIMS: dict[str, Any] = {
    "iss": "https://login.example",
    "sub": "berg",
    "aud": "imr",
    "exp": SECONDS + 300,
    "iat": SECONDS,
    "nonce": "n",
    "fhirUser": f"{BASE}/Practitioner/berg",
    "name": "Kari Berg",
}


def jwks(*more: Any) -> dict[str, Any]:
    return {
        "keys": [
            RSA.as_dict(private=False, kid="rsa", use="sig", alg="RS256"),
            EC.as_dict(private=False, kid="ec"),
            *more,
        ]
    }


def signed(change: dict[str, Any] | None = None, header: dict[str, Any] | None = None, key: Any = RSA) -> str:
    claims = {name: value for name, value in {**CLAIMS, **(change or {})}.items() if value is not None}
    head = {name: value for name, value in {"alg": "RS256", "kid": "rsa", **(header or {})}.items() if value}
    return jwt.encode(head, claims, key, algorithms=["RS256", "ES256", "HS256", "RS384"], registry=LAX)


LAX = jws.JWSRegistry(algorithms=["RS256", "ES256", "HS256", "RS384"], strict_check_header=False)


def cache(server: Server) -> JwksCache:
    return JwksCache(Transport([server.origin], allow_loopback_http=True), f"{server.origin}/jwks")


def verified(token: str, published: dict[str, Any] | None = None, **more: Any) -> Identity:
    with serve(lambda exchange: exchange.answer(200, published or jwks())) as server:
        return verify_id_token(
            token,
            cache(server),
            **{
                "issuer": "https://login.example", "client_id": "imr", "nonce": "n", "now": NOW,
                "algorithms": ("RS256", "ES256"), "fhir_base": BASE, **more,
            },
        )  # fmt: skip


def test_a_good_one() -> None:
    assert verified(signed()) == Identity("https://login.example", "berg", "Practitioner/berg", "Kari Berg")
    assert verified(signed({}, {"alg": "ES256", "kid": "ec"}, EC)).sub == "berg"


@pytest.mark.parametrize(
    "change",
    [
        {"exp": SECONDS + 30},
        {"iat": SECONDS - 60},
        {"iat": SECONDS + 60},
        {"aud": ["imr"]},
        {"aud": ["imr", "ehr"], "azp": "imr"},
        {"azp": "imr"},
        {"unheard-of": {"a": 1}},
    ],
)
def test_good_ones_that_differ(change: dict[str, Any]) -> None:
    assert verified(signed(change)).sub == "berg"


def test_a_name_that_is_no_text() -> None:
    assert verified(signed({"name": 7})).name == ""


def test_a_name_is_one_line_without_what_turns_text_around() -> None:
    assert verified(signed({"name": "Kari\n\u202eBerg\u200b"})).name == "Kari Berg"


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://thief.example"},
        {"iss": BASE},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"aud": "other"},
        {"aud": []},
        {"aud": None},
        {"aud": ["imr", "other"]},  # two, and it does not say for whom
        {"aud": ["imr", "other"], "azp": "other"},
        {"azp": "other"},
        {"exp": SECONDS - 61},  # joserfc's decode alone takes this one
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": SECONDS - 61},
        {"iat": SECONDS + 61},
        {"iat": None},
        {"nonce": "other"},
        {"nonce": None},
        {"nonce": ["n"]},
        {"nbf": SECONDS + 600},
    ],
)
def test_a_claim_that_is_wrong(change: dict[str, Any]) -> None:
    with pytest.raises(IdentityError):
        verified(signed(change))


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ({}, OTHER),  # signed by somebody else
        ({"kid": "unknown"}, RSA),
        ({"kid": None}, RSA),
        ({"alg": "RS384"}, RSA),  # not one of the site's
        ({"alg": "ES256"}, EC),  # the key of another kid
    ],
)
def test_a_signature_that_is_wrong(header: dict[str, Any], key: Any) -> None:
    with pytest.raises(IdentityError):
        verified(signed({}, header, key))


ONLY = RSA.as_dict(private=False)


@pytest.mark.parametrize("only", [{**ONLY, "use": "sig"}, {**ONLY, "kid": "rsa"}], ids=["as OpenEMR", "with a kid"])
def test_a_token_that_names_no_key_is_signed_with_the_only_one(only: dict[str, Any]) -> None:
    """OpenID Connect Core 10.1: a kid has to be there where there are several keys."""
    token = signed({}, {"kid": None})
    assert verified(token, {"keys": [only]}).sub == "berg"
    for keys in ([only, EC.as_dict(private=False, kid="ec")], [only, {"kty": "oct", "k": "eA"}], []):
        with pytest.raises(IdentityError, match="does not say which key"):
            verified(token, {"keys": keys})
    for wrong in (signed({}, {"kid": None}, OTHER), signed({}, {"kid": "unknown"}), signed({}, {"kid": "x"}, OTHER)):
        with pytest.raises(IdentityError):
            verified(wrong, {"keys": [only]})


def test_a_critical_header_that_nobody_knows() -> None:
    head = base64.urlsafe_b64encode(b'{"alg":"RS256","kid":"rsa","crit":["new"],"new":1}').decode().rstrip("=")
    signing = f"{head}.{signed().split('.')[1]}"
    signature = RSA.private_key.sign(signing.encode(), padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(IdentityError):
        verified(f"{signing}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}")


def test_our_own_public_key_is_no_password() -> None:
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"rsa"}').decode().rstrip("=")
    signing = f"{head}.{signed().split('.')[1]}"
    mac = hmac.digest(RSA.as_pem(private=False), signing.encode(), "sha256")
    with pytest.raises(IdentityError):
        verified(f"{signing}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}")


def test_what_is_no_signed_token() -> None:
    head, body, signature = signed().split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","kid":"rsa"}').decode().rstrip("=")
    deep = base64.urlsafe_b64encode(b'{"alg":' + b"[" * 5_000).decode().rstrip("=")
    for token in (
        "", "a.b", "a.b.c", f"{head}.{body}.", f"{unsigned}.{body}.", f"{head}.{body}x.{signature}", f"{deep}.a.b",
    ):  # fmt: skip
        with pytest.raises(IdentityError):
            verified(token)


def test_a_nonce_of_ours_that_is_missing_fits_none() -> None:
    with pytest.raises(IdentityError):
        verified(signed({"nonce": ""}), nonce="")


@pytest.mark.parametrize("algorithms", [(), ("none",), ("HS256",), ("RS256", "HS256")])
def test_algorithms_need_a_key_of_the_ehrs(algorithms: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="algorithms"):
        verified(signed(), algorithms=algorithms)


def test_no_part_of_the_token_is_told() -> None:
    token = signed({"exp": SECONDS - 999})
    with pytest.raises(IdentityError) as refusal:
        verified(token)
    assert token.split(".")[1] not in str(refusal.value)
    assert "expired" in str(refusal.value)


# On refresh

PREVIOUS = Identity("https://login.example", "berg")


@pytest.mark.parametrize(
    ("change", "nonce", "taken"),
    [
        ({}, "n", True),
        ({"aud": None}, "n", True),
        ({"nonce": None}, "n", True),
        ({}, "", True),  # ours is long forgotten
        ({"nonce": "other"}, "n", False),
        ({"aud": "other"}, "n", False),
        ({"sub": "dahl"}, "n", False),
        ({"iss": "https://thief.example"}, "n", False),
        ({"exp": SECONDS - 999}, "n", False),
    ],
)
def test_a_refreshed_one_is_of_the_same_user(change: dict[str, Any], nonce: str, taken: bool) -> None:
    if taken:
        assert verified(signed(change), previous=PREVIOUS, nonce=nonce).sub == "berg"
    else:
        with pytest.raises(IdentityError):
            verified(signed(change), previous=PREVIOUS, nonce=nonce)


# fhirUser


@pytest.mark.parametrize(
    ("claims", "user"),
    [
        ({"fhirUser": f"{BASE}/Practitioner/berg"}, "Practitioner/berg"),
        ({"fhirUser": "PractitionerRole/7"}, "PractitionerRole/7"),
        ({"fhirUser": "Patient/anna"}, "Patient/anna"),
        ({"fhirUser": "RelatedPerson/1"}, "RelatedPerson/1"),
        ({"fhirUser": None, "profile": "Practitioner/berg"}, "Practitioner/berg"),  # SMART 1
        ({"fhirUser": None}, ""),
        ({"fhirUser": "https://thief.example/fhir/Practitioner/berg"}, ""),
        ({"fhirUser": "https://ehr.example/other/Practitioner/berg"}, ""),
        ({"fhirUser": "http://ehr.example/fhir/Practitioner/berg"}, ""),
        ({"fhirUser": "Organization/1"}, ""),
        ({"fhirUser": "Practitioner/../Patient/1"}, ""),
        ({"fhirUser": {"reference": "Practitioner/berg"}}, ""),
    ],
)
def test_a_user_of_this_ehr_only(claims: dict[str, Any], user: str) -> None:
    assert verified(signed(claims)).fhir_user == user


# The EHR's keys


def test_keys_are_fetched_again_for_an_unknown_kid_but_once_a_minute() -> None:
    published = [jwks()]
    with serve(lambda exchange: exchange.answer(200, published[0])) as server:
        keys = cache(server)
        assert keys.key("rsa", NOW)
        assert keys.key("ec", NOW + timedelta(minutes=30))
        assert len(server.requests) == 1
        published[0] = jwks(OTHER.as_dict(private=False, kid="new"))
        assert keys.key("new", NOW + timedelta(minutes=31))
        assert len(server.requests) == 2
        for second in range(59):
            with pytest.raises(IdentityError):
                keys.key("unknown", NOW + timedelta(minutes=31, seconds=second))
        assert len(server.requests) == 2
        with pytest.raises(IdentityError):
            keys.key("unknown", NOW + timedelta(minutes=32))
        assert len(server.requests) == 3


def test_an_only_key_that_tokens_do_not_name_may_be_another_after_a_minute() -> None:
    published = [{"keys": [ONLY]}]
    with serve(lambda exchange: exchange.answer(200, published[0])) as server:
        keys = cache(server)
        first = keys.key("", NOW)
        published[0] = {"keys": [OTHER.as_dict(private=False)]}
        assert keys.key("", NOW + timedelta(seconds=59)) is first
        assert keys.key("", NOW + timedelta(seconds=60)).as_dict(private=False)["n"] == OTHER.as_dict()["n"]


def test_a_key_that_is_withdrawn_is_gone_after_an_hour() -> None:
    published = [jwks()]
    with serve(lambda exchange: exchange.answer(200, published[0])) as server:
        keys = cache(server)
        keys.key("rsa", NOW)
        published[0] = {"keys": []}
        keys.key("rsa", NOW + timedelta(minutes=59))
        with pytest.raises(IdentityError):
            keys.key("rsa", NOW + timedelta(minutes=60))


def test_keys_that_are_broken_or_of_another_kind_hide_no_other() -> None:
    odd = [
        7,
        {"kid": ["d"], "kty": "RSA"},
        {},
        {"kid": "a", "kty": "RSA"},
        {"kid": "a", "kty": "RSA", "n": "å", "e": "AQAB"},
        {"kid": "b", "kty": "EC", "crv": "P-256"},
        {"kid": "c", "kty": "oct", "k": "eA"},
    ]
    with serve(lambda exchange: exchange.answer(200, {"keys": [*odd, *jwks()["keys"]]})) as server:
        keys = cache(server)
        assert keys.key("rsa", NOW)
        with pytest.raises(IdentityError):
            keys.key("c", NOW)


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")  # joserfc warns; we refuse
@pytest.mark.parametrize("bits", [1024, 2040])
def test_rsa_keys_that_are_too_short_are_refused(bits: int) -> None:
    short = RSAKey.import_key(rsa.generate_private_key(65537, bits))
    with serve(lambda exchange: exchange.answer(200, jwks(short.as_dict(private=False, kid="short")))) as server:
        keys = cache(server)
        assert keys.key("rsa", NOW)
        with pytest.raises(IdentityError):
            keys.key("short", NOW)


@pytest.mark.parametrize(
    ("status", "body", "error"), [(500, b"", ServerFault), (200, b"[]", BadReply), (200, b"<html>", BadReply)]
)
def test_keys_that_cannot_be_had(status: int, body: bytes, error: type[Exception]) -> None:
    def script(exchange: Exchange) -> None:
        exchange.answer(status, body)

    with serve(script) as server:
        keys = cache(server)
        for _ in range(2):  # and it is not asked again at once
            with pytest.raises(error):
                keys.key("rsa", NOW)
    assert len(server.requests) == 1
