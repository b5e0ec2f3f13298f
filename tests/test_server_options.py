"""How a command logs in at a server: each way sends what it should, to named hosts only, and shows no secret."""

import base64
import logging
import re
import ssl
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey

from imr_fhir.artefacts import artefact_resources
from imr_fhir.cli import main
from imr_fhir.commands.credentials import FOR
from imr_fhir.commands.server import HEADERS, PASSWORD, TOKEN, Server, reading_server_options, server_options
from tests.wire_server import Exchange, pages, serve

CANARY = "c4nary"
FOUND = {"resourceType": "Bundle", "type": "searchset"}


@dataclass
class Asked:
    server: Server
    requests: list[Mapping[str, str]] = field(default_factory=list)


def run(
    folder: Path, *arguments: str, write: bool | None = None, answer: Any = (200, FOUND), **environment: str
) -> tuple[Result, list[Any]]:
    """One search by a command of no other verb; what the server was sent. ``environment``: of this server, unless it
    says otherwise."""

    def look(server: Server, **_: Any) -> None:
        click.echo(repr(server))
        server.client.search("Patient", [])
        click.echo("found")

    command = (
        server_options(look) if write is None else click.option("--write", is_flag=True)(reading_server_options(look))
    )

    def script(exchange: Exchange) -> None:
        if exchange.request.path == "/token":
            exchange.answer(200, {"access_token": f"{CANARY}-access", "token_type": "bearer"})
        else:
            exchange.answer(*answer)

    with serve(script) as server:
        words = [each.format(origin=server.origin, folder=folder) for each in arguments]
        words += ["--write"] if write else []
        named = {name: value.format(origin=server.origin) for name, value in ({FOR: "{origin}"} | environment).items()}
        clean = {TOKEN: None, PASSWORD: None, HEADERS: None, **named}
        done = CliRunner().invoke(click.command()(command), [f"{server.origin}/fhir", *words], env=clean)
    return done, server.requests


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text(f"{CANARY}-token\n")
    (tmp_path / "password").write_text(f"{CANARY} pass:wørd\r\n", newline="")
    (tmp_path / "headers").write_text(f"# the subscription\nOcp-Apim-Subscription-Key: {CANARY}-key\n\nX-Unit:  7 \n")
    (tmp_path / "key.pem").write_bytes(ECKey.generate_key("P-384").as_pem(private=True))
    return tmp_path


def test_none(files: Path) -> None:
    done, (request,) = run(files)
    assert done.exit_code == 0, done.output
    assert "authorization" not in request.headers


@pytest.mark.parametrize(
    ("words", "environment"), [(["--token-file", "{folder}/token"], {}), ([], {TOKEN: f"{CANARY}-token"})]
)
def test_bearer(files: Path, words: list[str], environment: dict[str, str]) -> None:
    done, (request,) = run(files, *words, **environment)
    assert done.exit_code == 0, done.output
    assert request.headers["authorization"] == f"Bearer {CANARY}-token"


@pytest.mark.parametrize(
    ("words", "environment"),
    [(["--password-file", "{folder}/password"], {}), ([], {PASSWORD: f"{CANARY} pass:wørd", TOKEN: "other"})],
)
def test_basic(files: Path, words: list[str], environment: dict[str, str]) -> None:
    """What is on the command line goes before a token in the environment."""
    done, (request,) = run(files, "--user", "kari", *words, **environment)
    assert done.exit_code == 0, done.output
    kind, _, sent = request.headers["authorization"].partition(" ")
    assert (kind, base64.b64decode(sent).decode()) == ("Basic", f"kari:{CANARY} pass:wørd")


@pytest.mark.parametrize("named", ["{origin}", "{origin}/fhir", "{origin}/fhir/"])
def test_what_is_in_the_environment_goes_to_the_server_that_it_is_for(files: Path, named: str) -> None:
    done, (request,) = run(files, **{TOKEN: CANARY, FOR: named})
    assert (done.exit_code, done.stderr) == (0, "")
    assert request.headers["authorization"] == f"Bearer {CANARY}"


@pytest.mark.parametrize(
    ("variable", "words"),
    [(TOKEN, []), (HEADERS, []), (PASSWORD, ["--user", "kari", "--password-file", "{folder}/password"])],
)
@pytest.mark.parametrize(
    "named", ["https://ehr.example/fhir", "{origin}/other", "http://127.0.0.1:1/fhir", "{origin}/fhi"]
)
def test_what_is_in_the_environment_is_for_no_other_server(
    files: Path, variable: str, words: list[str], named: str
) -> None:
    """Whatever address stands on the command line; a file that is named there is meant."""
    secret = f"X-Key: {CANARY}-env" if variable == HEADERS else f"{CANARY}-env"
    done, (request,) = run(files, *words, **{variable: secret, FOR: named})
    assert done.exit_code == 0, done.output
    assert f"{CANARY}-env" not in str(request.headers)
    assert base64.b64encode(f"kari:{CANARY}-env".encode()).decode() not in str(request.headers)
    assert (f"${variable} is for " in done.stderr) == (not words)
    assert CANARY not in done.output


@pytest.mark.parametrize(
    ("named", "said"),
    [("", f"set {FOR}=http://127.0.0.1:"), ("ehr.example", f"${FOR} has to be the base of a FHIR server")],
)
@pytest.mark.parametrize(
    ("variable", "words"), [(TOKEN, []), (HEADERS, ["--token-file", "{folder}/token"]), (PASSWORD, ["--user", "kari"])]
)
def test_what_is_in_the_environment_and_names_no_server_is_sent_to_none(
    files: Path, variable: str, words: list[str], named: str, said: str
) -> None:
    done, requests = run(files, *words, **{variable: f"X: {CANARY}", FOR: named})
    assert (done.exit_code, requests) == (2, [])
    assert said in " ".join(done.output.split())
    assert CANARY not in done.output


SERVICE = ("--client-id", "loader", "--key-file", "{folder}/key.pem", "--token-url", "{origin}/token")


@pytest.mark.parametrize(
    ("write", "more", "scope"),
    [
        (None, (), "system%2F%2A.cruds"),
        (False, (), "system%2F%2A.rs"),
        (True, (), "system%2F%2A.cruds"),
        (None, ("--scope", "system/Goal.cruds system/Patient.r"), "system%2FGoal.cruds+system%2FPatient.r"),
    ],
)  # fmt: skip
def test_backend_services_ask_for_no_more_than_the_verb_needs(
    files: Path, write: bool | None, more: tuple[str, ...], scope: str
) -> None:
    done, (token, request) = run(files, *SERVICE, "--kid", "k1", "--jku", "https://a.example/jwks", *more, write=write)
    assert done.exit_code == 0, done.output
    assert f"scope={scope}&" in f"{token.body.decode()}&"
    assert request.headers["authorization"] == f"Bearer {CANARY}-access"
    assertion = token.body.decode().partition("client_assertion=")[2]
    header = base64.urlsafe_b64decode(assertion.partition(".")[0] + "==")
    assert b'"kid":"k1"' in header
    assert b'"jku":"https://a.example/jwks"' in header


@pytest.mark.parametrize("environment", [{}, {HEADERS: f"Ocp-Apim-Subscription-Key: {CANARY}-key\nX-Unit: 7"}])
def test_extra_headers_go_with_every_request(files: Path, environment: dict[str, str]) -> None:
    words = [] if environment else ["--header-file", "{folder}/headers"]
    done, requests = run(files, *SERVICE, *words, **environment)
    assert done.exit_code == 0, done.output
    for each in requests:
        assert each.headers["ocp-apim-subscription-key"] == f"{CANARY}-key"
        assert each.headers["x-unit"] == "7"


def test_another_host_is_called_only_where_it_is_named(files: Path) -> None:
    with serve(lambda exchange: exchange.answer(200, {"access_token": "t", "token_type": "bearer"})) as other:
        elsewhere = (*SERVICE[:-1], f"{other.origin}/token")
        done, requests = run(files, *elsewhere)
        assert (done.exit_code, requests, other.requests) == (1, [], [])
        assert f"add --allow-host {other.origin}" in str(done.exception)
        named, _ = run(files, *elsewhere, "--allow-host", other.origin)
        assert named.exit_code == 0, named.output
        assert len(other.requests) == 1


@pytest.mark.parametrize(
    ("words", "files_of", "said"),
    [
        (["--token-file", "{folder}/token", "--user", "kari"], {}, "--token-file and --user are ways to log in"),
        (["--user", "kari"], {}, f"--user needs --password-file, or the password in ${PASSWORD}"),
        (["--password-file", "{folder}/password"], {}, "--password-file goes with --user"),
        (["--client-id", "loader"], {}, "--client-id needs --key-file"),
        (["--kid", "k1"], {}, "--kid goes with --client-id"),
        (["--user", "a:b", "--password-file", "{folder}/password"], {}, "can't have a colon"),
        (["--token-file", "{folder}/token"], {"token": b""}, "token holds no access token on one line"),
        (["--token-file", "{folder}/token"], {"token": b"Bearer c4nary"}, "begins with the word Bearer"),
        (["--token-file", "{folder}/token"], {"token": b"c4nary\nc4nary"}, "holds no access token on one line"),
        (["--token-file", "{folder}/token"], {"token": b"c4nary\xff"}, "is no text in UTF-8"),
        (["--user", "k", "--password-file", "{folder}/password"], {"password": b"c4nary\x00"}, "holds no password"),
        (["--client-id", "l", "--key-file", "{folder}/key.pem"], {"key.pem": b"c4nary"}, "no private RSA key"),
        (["--header-file", "{folder}/headers"], {"headers": b"X: 1\nc4nary"}, "line 2 is no header that can be added"),
        (["--header-file", "{folder}/headers"], {"headers": b"Authorization: c4nary"}, "the options for logging in"),
        (["--ca", "{folder}/token", "--allow-host", "https://a.example"], {}, "has no certificate in PEM"),
        (["--token-file", "{folder}/none"], {}, "does not exist"),
    ],
)
def test_a_wrong_command_line_is_told_without_a_secret_and_sends_nothing(
    files: Path, words: list[str], files_of: dict[str, bytes], said: str
) -> None:
    for name, content in files_of.items():
        (files / name).write_bytes(content)
    done, requests = run(files, *words)
    assert (done.exit_code, requests) == (2, []), done.output
    assert said in " ".join(done.output.split())
    assert CANARY not in done.output


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("/metadata", "is the CapabilityStatement: the FHIR base is {base}."),
        ("/.well-known/smart-configuration", "is the SMART configuration: the FHIR base is {base}."),
        ("?_format=json", "has a question mark: the FHIR base is {base}."),
        ("/metadata?_format=json", "has a question mark: the FHIR base is {base}."),
    ],
)
def test_a_page_of_the_server_is_no_base(end: str, said: str) -> None:
    with serve(pages({})) as server:
        done = CliRunner().invoke(main, ["load", f"{server.origin}/fhir{end}"])
        asked = list(server.requests)
    assert (done.exit_code, asked) == (2, [])
    assert said.format(base=f"{server.origin}/fhir") in " ".join(done.output.split())


LOGINS: dict[str, tuple[str, ...]] = {
    "bearer": ("--token-file", "{folder}/token"),
    "basic": ("--user", "kari", "--password-file", "{folder}/password"),
    "service": SERVICE,
}
ANSWERS = {
    "good": (200, FOUND),
    "refused": (401, {"resourceType": "OperationOutcome", "issue": [{"code": "login", "diagnostics": "no"}]}),
    "page": (200, b"<html>"),
    "fault": (500,),
    "redirect": (307, b"", {"Location": "https://other.example/"}),
}


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_no_secret_is_in_an_output_a_log_a_repr_or_a_traceback(
    files: Path, caplog: pytest.LogCaptureFixture, login: str, answer: str
) -> None:
    secrets = [CANARY, base64.b64encode(f"kari:{CANARY}".encode()).decode()[:16]]
    secrets += (files / "key.pem").read_text().splitlines()[1:3]
    with caplog.at_level(logging.DEBUG):
        done, requests = run(files, *LOGINS[login], "--header-file", "{folder}/headers", answer=ANSWERS[answer])
    assert any("authorization" in each.headers for each in requests)
    assert (done.exit_code == 0) == (answer == "good")
    shown = [done.output, caplog.text, repr(done), *map(repr, caplog.records)]
    if done.exc_info:
        shown += traceback.format_exception(*done.exc_info)
    assert not [secret for secret in secrets for text in shown if secret in text]


def test_what_a_log_in_is_refused_is_told_with_an_option(tmp_path: Path) -> None:
    for status, said in ((401, "--token-file, --user or --client-id"), (403, "lacks the scope or the right")):
        with serve(lambda exchange, status=status: exchange.answer(status)) as server:  # type: ignore[misc]
            done = CliRunner().invoke(main, ["check", f"{server.origin}/fhir"], env={TOKEN: CANARY, FOR: server.origin})
        assert done.exit_code == 1
        assert said in done.output
        assert "patient's chart" not in done.output


def test_the_manual_names_each_option() -> None:
    manual = (Path(__file__).parents[1] / "docs" / "integration.md").read_text(encoding="utf-8")
    named = set(re.findall(r"--[a-z][a-z-]+", manual))
    check = main.get_command(click.Context(main), "check")
    assert check is not None
    options = {name for each in check.params if isinstance(each, click.Option) for name in each.opts}
    assert options <= named
    assert {TOKEN, PASSWORD, HEADERS, FOR} <= set(re.findall(r"IMR_FHIR_[A-Z_]+", manual))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ehr.example/fhir", "Give the FHIR base, such as https://"),
        ("ftp://ehr.example/fhir", "Give the FHIR base, such as https://"),
        ("https://ehr.example/fhir/metadata", "the FHIR base is https://ehr.example/fhir."),
        ("https://ehr.example/fhir/metadata/", "the FHIR base is https://ehr.example/fhir."),
    ],
)
def test_what_is_no_base_is_a_wrong_command_line(url: str, said: str) -> None:
    done = CliRunner().invoke(main, ["load", url])
    assert done.exit_code == 2
    assert said in done.output


def test_a_backend_service_where_the_server_names_no_token_endpoint(files: Path) -> None:
    answers = {"GET /fhir/metadata": {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}}
    with serve(pages(answers)) as server:
        words = ["load", f"{server.origin}/fhir", "--client-id", "loader", "--key-file", str(files / "key.pem")]
        done = CliRunner().invoke(main, words)
    assert done.exit_code == 1
    assert "has no SMART configuration" in done.output
    assert "Name the token endpoint with --token-url" in done.output
    assert "no FHIR server" not in done.output


class Authority:
    """A certificate authority of a hospital's own: ``file`` is what --ca is given, ``server`` a server under it."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        own = x509.BasicConstraints(ca=True, path_length=0)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self._sign(self._name, self._key, own, critical=True).public_bytes(Encoding.PEM))

    def server(self, host: str, days: int = 1) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
        made = self._sign(name, key, x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False, days=days)
        both = self._folder / "server.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        both.write_bytes(made.public_bytes(Encoding.PEM) + private)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both)
        return context

    def _sign(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        more: x509.ExtensionType,
        *,
        critical: bool,
        days: int = 1,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(self._name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).add_extension(more, critical=critical)
        lasting = builder.not_valid_before(now - timedelta(days=9)).not_valid_after(now + timedelta(days=days))
        return lasting.sign(self._key, hashes.SHA256())


@pytest.mark.parametrize(
    ("host", "days", "given", "said", "next_step"),
    [
        ("localhost", 1, "hospital", "", ""),
        ("localhost", 1, "other", "unable to get local issuer certificate", "--ca FILE"),
        ("localhost", 1, "", "unable to get local issuer certificate", "--ca FILE"),
        ("localhost", -1, "hospital", "certificate has expired", "renew"),
        ("ehr.example", 1, "hospital", "Hostname mismatch", "name that stands in it"),
    ],
)
def test_a_hospital_s_own_authority(
    tmp_path: Path, host: str, days: int, given: str, said: str, next_step: str
) -> None:
    """The right one passes; with any other nothing is sent, and one sentence says why and what next."""
    authorities = {name: Authority(tmp_path, name) for name in ("hospital", "other")}
    answers = {
        "GET /fhir/metadata": {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"},
        **{f"GET /fhir/{kind}": FOUND for kind in ("CodeSystem", "ValueSet", "StructureDefinition", "Questionnaire")},
    }
    with serve(pages(answers), tls=authorities["hospital"].server(host, days)) as server:
        option = ["--ca", str(authorities[given].file)] if given else []
        done = CliRunner().invoke(main, ["load", f"{server.origin}/fhir", "--record", str(tmp_path / "r"), *option])
        asked = list(server.requests)
    assert bool(asked) == (not said)
    if not said:
        assert done.exit_code == 0, done.output
        assert f"{len(artefact_resources())} to create" in done.output
        return
    assert done.exit_code == 1
    assert done.output.startswith(f"Error: {server.origin} has no certificate that we trust: {said}")
    assert next_step in done.output
    assert ("--ca FILE" in done.output) == (next_step == "--ca FILE")
    assert ".." not in done.output
    assert done.output.count("\n") == 1
