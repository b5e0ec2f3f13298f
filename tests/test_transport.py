"""The one transport against servers that misbehave. None asserts a time: a broken rule gives another result."""

import gzip
import logging
import socket
import ssl
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from imr_fhir.ehr.address import Reference, local_reference, location_reference, parse, under
from imr_fhir.ehr.limits import LIMITS, Limit
from imr_fhir.ehr.transport import Transport
from imr_fhir.errors import BadReply, LostReply, NotConnected, NotJson, RefusedUrl
from tests.wire_server import Exchange, Server, serve

SHORT = {"chart": Limit(0.6, 100_000), "write": Limit(0.6, 100_000)}
LONG = {"chart": Limit(20, 100_000), "write": Limit(20, 100_000)}


def transport(server: Server, limits: dict[str, Limit] = LONG, **more: object) -> Transport:
    return Transport([server.origin], allow_loopback_http=True, limits=limits, **more)  # type: ignore[arg-type]


def get(server: Server, limits: dict[str, Limit] = LONG, path: str = "/fhir/x"):  # type: ignore[no-untyped-def]
    return transport(server, limits).send("GET", server.origin + path, purpose="chart")


def hello(exchange: Exchange) -> None:
    exchange.answer(200, {"said": "hello"}, {"ETag": 'W/"3"'})


def drip(exchange: Exchange, data: bytes) -> None:
    """Sixty reads' worth of bytes, each well within any timeout of one read."""
    for byte in data:
        exchange.sock.sendall(bytes([byte]))
        if exchange.sock.fileno() < 0:
            return
        time.sleep(0.03)


def test_a_whole_reply() -> None:
    with serve(hello) as server:
        reply = get(server)
    assert (reply.status, reply.json(), reply.headers["etag"]) == (200, {"said": "hello"}, 'W/"3"')


def test_headers_of_the_site_go_out_and_cookies_do_not_come_back() -> None:
    with serve(lambda exchange: exchange.answer(200, {}, {"Set-Cookie": "a=1; Path=/"})) as server:
        sender = transport(server, extra_headers={"Subscription-Key": "k"})
        for _ in range(2):
            sender.send("GET", f"{server.origin}/x", purpose="chart", headers={"Accept": "application/json"})
    for request in server.requests:
        assert (request.headers["subscription-key"], request.headers["accept"]) == ("k", "application/json")
        assert "cookie" not in request.headers


def test_environment_is_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    with serve(hello) as server:
        transport(server).send("GET", f"{server.origin}/x", purpose="chart", headers={"Authorization": "Bearer ours"})
    assert server.requests[0].headers["authorization"] == "Bearer ours"


# The deadline


def test_a_dripping_body_ends_at_the_deadline() -> None:
    def script(exchange: Exchange) -> None:
        exchange.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n")
        drip(exchange, b"x" * 60)

    with serve(script) as server:
        with pytest.raises(LostReply, match="time ran out"):
            get(server, SHORT)
        assert get(server).body == b"x" * 60  # and is a whole reply where there is time


def test_dripping_headers_end_at_the_deadline() -> None:
    def script(exchange: Exchange) -> None:
        drip(exchange, b"HTTP/1.1 200 OK\r\nX: " + b"x" * 30 + b"\r\nContent-Length: 0\r\n\r\n")

    with serve(script) as server:
        with pytest.raises(LostReply, match="time ran out"):
            get(server, SHORT)
        assert get(server).status == 200


def test_a_server_that_reads_nothing_ends_at_the_deadline() -> None:
    with serve(hello, silent=True) as server, pytest.raises(LostReply, match="time ran out"):
        transport(server, SHORT).send("POST", f"{server.origin}/x", purpose="write", body=b"x" * 50_000_000)


def test_a_caller_may_have_less_time_but_not_more() -> None:
    def script(exchange: Exchange) -> None:
        time.sleep(1)
        hello(exchange)

    with serve(script) as server:
        with pytest.raises(LostReply):
            transport(server).send("GET", f"{server.origin}/x", purpose="chart", seconds=0.2)
        with pytest.raises(LostReply):
            transport(server, SHORT).send("GET", f"{server.origin}/x", purpose="chart", seconds=60)
        with pytest.raises(NotConnected):
            transport(server).send("GET", f"{server.origin}/x", purpose="chart", seconds=-1)


def test_a_name_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: (never.wait(20), [])[1])
    with pytest.raises(NotConnected, match="time ran out"):
        Transport(["https://ehr.example"], limits=SHORT).send("GET", "https://ehr.example/x", purpose="chart")
    never.set()


# What became of the request


def test_refused_connection_and_unknown_name() -> None:
    with serve(hello) as server:
        pass
    with pytest.raises(NotConnected, match="refused"):
        get(server)
    with pytest.raises(NotConnected, match="no such name"):
        Transport(["https://ehr.invalid"]).send("GET", "https://ehr.invalid/x", purpose="chart")


def test_of_several_addresses_the_first_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(hello) as server:
        real = socket.getaddrinfo("127.0.0.1", server.port, type=socket.SOCK_STREAM)
        dead = [(*real[0][:4], ("127.0.0.1", 1))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: dead + real)
        assert get(server).status == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"]
)
def test_a_connection_that_breaks_after_the_request_is_a_lost_reply(method: str, said: bytes) -> None:
    def script(exchange: Exchange) -> None:
        exchange.sock.sendall(said)
        exchange.reset()

    with serve(script) as server, pytest.raises(LostReply):
        transport(server).send(method, f"{server.origin}/x", purpose="chart", body=b"{}" if method == "POST" else None)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "said",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(200)) + b"Content-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nxxxx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_http_is_a_lost_reply(said: bytes) -> None:
    with serve(lambda exchange: exchange.sock.sendall(said)) as server, pytest.raises(LostReply):
        get(server, SHORT)


def test_a_kept_connection_that_the_server_closes_is_no_failure_of_a_read() -> None:
    def script(exchange: Exchange) -> None:
        if exchange.request.number == 1:
            hello(exchange)
        else:
            exchange.reset()

    with serve(script) as server:
        sender = transport(server)
        for _ in range(3):
            assert sender.send("GET", f"{server.origin}/x", purpose="chart").status == 200
    assert [(request.connection, request.number) for request in server.requests] == [
        (1, 1), (1, 2), (2, 1), (2, 2), (3, 1),
    ]  # fmt: skip


def test_a_write_never_goes_out_twice_nor_on_a_kept_connection() -> None:
    def script(exchange: Exchange) -> None:
        if exchange.request.method == "GET":
            hello(exchange)
        else:
            exchange.reset()

    with serve(script) as server:
        sender = transport(server)
        sender.send("GET", f"{server.origin}/x", purpose="chart")
        with pytest.raises(LostReply):
            sender.send("POST", f"{server.origin}/x", purpose="write", body=b"{}")
    assert [(request.method, request.number) for request in server.requests] == [("GET", 1), ("POST", 1)]


def test_connections_are_kept_for_reads() -> None:
    with serve(hello) as server:
        sender = transport(server)
        for _ in range(3):
            sender.send("GET", f"{server.origin}/x", purpose="chart")
    assert {request.connection for request in server.requests} == {1}


def test_at_most_so_many_at_once() -> None:
    go_on = threading.Event()

    def script(exchange: Exchange) -> None:
        go_on.wait(20)
        hello(exchange)

    with serve(script) as server, ThreadPoolExecutor() as pool:
        sender = transport(server, pool=2)
        first = [pool.submit(sender.send, "GET", f"{server.origin}/{n}", purpose="chart") for n in range(2)]
        while len(server.requests) < 2:
            time.sleep(0.01)
        with pytest.raises(NotConnected, match="2 requests"):
            sender.send("GET", f"{server.origin}/3", purpose="chart", seconds=0.2)
        go_on.set()
        assert [each.result().status for each in first] == [200, 200]
        assert sender.send("GET", f"{server.origin}/4", purpose="chart").status == 200
    assert "/3" not in {request.path for request in server.requests}


# Size


def test_too_large_a_body_is_not_read_on() -> None:
    with (
        serve(lambda exchange: exchange.answer(200, b"x" * 100_001)) as server,
        pytest.raises(BadReply, match="100,000"),
    ):
        get(server)


def test_a_body_may_be_as_large_as_its_limit() -> None:
    with serve(lambda exchange: exchange.answer(200, b"x" * 100_000)) as server:
        assert len(get(server).body) == 100_000


def test_a_gzip_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)

    def script(exchange: Exchange) -> None:
        exchange.answer(200, bomb, {"Content-Encoding": "gzip"})

    with serve(script) as server:
        tracemalloc.start()
        try:
            with pytest.raises(BadReply):
                get(server)
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert most < 5_000_000


def test_compressed_replies_are_unpacked() -> None:
    body = gzip.compress(b'{"a":1}')
    with serve(lambda exchange: exchange.answer(200, body, {"Content-Encoding": "gzip"})) as server:
        assert get(server).json() == {"a": 1}


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    with serve(hello) as other:
        with serve(lambda exchange: exchange.answer(status, b"", {"Location": f"{other.origin}/taken"})) as server:
            sender = Transport([server.origin, other.origin], allow_loopback_http=True)
            reply = sender.send("POST", f"{server.origin}/x", purpose="write", body=b"{}")
        assert reply.status == status
    assert other.requests == []


def test_the_body_of_a_redirect_is_bounded_too() -> None:
    def script(exchange: Exchange) -> None:
        exchange.answer(302, b"x" * 200_000, {"Location": "/y"})

    with serve(script) as server, pytest.raises(BadReply):
        get(server)


# Addresses


@pytest.mark.parametrize(
    "url",
    [
        "http://ehr.example/fhir",  # not encrypted
        "http://127.0.0.1.example/fhir",
        "http://127.0.0.1/fhir",  # another port
        "https://other.example/fhir",
        "https://ehr.example:8443/fhir",
        "https://ehr.example@other.example/fhir",
        "https://user:secret@ehr.example/fhir",
        "https://ehr.example\\@other.example/fhir",
        "https://other.example\\.ehr.example/fhir",
        "https://ehr.example/fhir/../admin",
        "https://ehr.example/fhir/%2e%2e/admin",
        "https://ehr.example/fhir/..;/admin",
        "https://ehr.example/fhir/%2e.%3bx=1/admin",
        "https://ehr.example/fhir/%252e%252e/admin",
        f"https://ehr.example/fhir/%{'25' * 20}41",  # ten million of these would take a day to decode
        "https://ehr.example/fhir/..%2fadmin",
        "https://ehr.example/fhir/..%5cadmin",
        "https://ehr.example/fhir/a b",
        "https://ehr.example/fhir/\r\nX: y",
        "https://ehr.example/fhir/å",
        "https://ehr.example:443#@other.example/",
        "https://ehr.example?x@other.example#",
        "https:ehr.example/fhir",
        "//ehr.example/fhir",
        "ftp://ehr.example/fhir",
        "file:///etc/passwd",
        "https://ehr.example:65536/fhir",
        "https://[1.2.3]/fhir",
        "https://[::1::2]/fhir",
        "",
    ],
)
def test_addresses_that_are_not_called(url: str) -> None:
    sender = Transport(["https://ehr.example", "http://127.0.0.1:8000"], allow_loopback_http=True)
    with pytest.raises(RefusedUrl) as refusal:
        sender.send("GET", url, purpose="chart")
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("origin", ["https://ehr.example:70000", "https://[1.2.3]"])
def test_a_host_that_can_not_be_is_told_of_at_once(origin: str) -> None:
    with pytest.raises(RefusedUrl, match="is not one that we call"):
        Transport([origin])


def test_http_is_for_this_machine_and_only_where_allowed() -> None:
    with serve(hello) as server, pytest.raises(RefusedUrl):
        Transport([server.origin]).send("GET", f"{server.origin}/x", purpose="chart")
    with pytest.raises(RefusedUrl):
        Transport(["http://ehr.example"], allow_loopback_http=True).check("http://ehr.example/fhir")
    assert server.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "https://EHR.example/a?b=c|d",
        "https://ehr.example:443/a",
        "https://ehr.example",
        "https://ehr.example/a%252520b",
    ],
)
def test_addresses_that_are(url: str) -> None:
    assert Transport(["https://ehr.example/"]).check(url) == url


BASE = "https://ehr.example/api/fhir"


@pytest.mark.parametrize(
    ("link", "there"),
    [
        (f"{BASE}?page=2", f"{BASE}?page=2"),
        (f"{BASE}/Observation?page=2", f"{BASE}/Observation?page=2"),
        ("Observation?page=2", f"{BASE}/Observation?page=2"),
        ("?page=2", f"{BASE}/?page=2"),
        ("/api/fhir/Observation?page=2", f"{BASE}/Observation?page=2"),
        ("https://EHR.example:443/api/fhir/x", "https://EHR.example:443/api/fhir/x"),
        ("https://ehr.example/api/fhirx", None),
        ("https://ehr.example/api", None),
        ("http://ehr.example/api/fhir/x", None),
        ("https://ehr.example:444/api/fhir/x", None),
        ("https://other.example/api/fhir/x", None),
        ("//other.example/api/fhir/x", None),
        (f"{BASE}/../../admin", None),
        (f"{BASE}/%2e%2e/admin", None),
        ("../../admin", None),
        ("\\\\other.example/api/fhir", None),
        ("javascript:alert(1)", None),
        ("/api/fh\nir/x", None),  # urljoin would drop the line break
        ("https://[ehr.example/api/fhir/x", None),  # urljoin would raise a ValueError
        ("https://[::::]/api/fhir/x", None),
    ],
)
def test_links_stay_below_the_base(link: str, there: str | None) -> None:
    if there is None:
        with pytest.raises(RefusedUrl):
            under(link, BASE)
    else:
        assert under(link, BASE) == under(link, f"{BASE}/") == there


@pytest.mark.parametrize(
    ("value", "reference"),
    [
        ("Patient/12", Reference("Patient", "12")),
        ("Patient/12/_history/3", Reference("Patient", "12", "3")),
        (f"{BASE}/Patient/12", Reference("Patient", "12")),
        (f"{BASE}/Patient/12/_history/3", Reference("Patient", "12", "3")),
        ("https://EHR.example:443/api/fhir/Patient/12", Reference("Patient", "12")),
        ("https://other.example/api/fhir/Patient/12", None),
        ("https://ehr.example/Patient/12", None),
        ("https://[ehr.example/Patient/12", None),
        (f"{BASE}/x/Patient/12", None),
        ("x/Patient/12", None),
        ("/api/fhir/Patient/12", None),
        ("Patient/..", None),
        ("Patient/" + "1" * 65, None),
        ("Patient/1 2", None),
        ("Patient?identifier=1", None),
        ("urn:uuid:0c8e1f9e-0000-4000-8000-000000000000", None),
        ("#contained", None),
        (12, None),
        (None, None),
    ],
)
def test_local_references(value: object, reference: Reference | None) -> None:
    assert local_reference(value, BASE) == reference
    assert local_reference(value, f"{BASE}/") == reference


@pytest.mark.parametrize(
    ("location", "reference"),
    [
        ("Observation/12", Reference("Observation", "12")),
        (f"{BASE}/Observation/12/_history/3", Reference("Observation", "12", "3")),
        ("/api/fhir/Observation/a-b.c", Reference("Observation", "a-b.c")),
        ("http://inner:8080/fhir/Observation/12/_history/3", Reference("Observation", "12", "3")),
        ("Observation/12?x=Patient/3", None),
        ("Observation/12/_history/3/../../4", None),
        ("Observation/12/$everything", None),
        ("xObservation/12", None),
        ("Observation/12\n", None),
        ("Other/Observation/12", Reference("Observation", "12")),
        ("Observation/..", None),
        ("Observation/1\\2", None),
        ("", None),
    ],
)
def test_of_a_location_only_the_resource_is_kept(location: str, reference: Reference | None) -> None:
    assert location_reference(location) == reference


def test_an_address_is_told_without_its_secrets_however_long_it_is() -> None:
    """Ten megabytes may be one reference: what looks on from each slash to the end would be at it for hours."""
    for url, told in [
        ("x://a:secret@b/c@d//e?secret", "x://…@d//e"),
        ("x://" + "//" * 3_000_000 + "é", f"x://{'/' * 96}"),
        ("https://" + "@" * 6_000_000, "https://…@"),
    ]:
        with pytest.raises(RefusedUrl) as refusal:
            parse(url)
        assert repr(told) in str(refusal.value)


def test_an_address_has_its_port_written() -> None:
    assert parse("HTTPS://EHR.Example./x").origin == "https://ehr.example:443"


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of our own for localhost, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "own.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return file


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_tls_with_the_hospitals_own_authority(tls: ssl.SSLContext, certificate: Path) -> None:
    with serve(hello, tls=tls) as server:
        sender = Transport([server.origin], ca=str(certificate))
        for _ in range(2):
            assert sender.send("GET", f"{server.origin}/x", purpose="chart").json() == {"said": "hello"}


def test_tls_with_the_public_authorities(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imr_fhir.ehr.transport.DEFAULT_CA_BUNDLE_PATH", str(certificate))
    with serve(hello, tls=tls) as server:
        assert Transport([server.origin]).send("GET", f"{server.origin}/x", purpose="chart").status == 200


def test_a_certificate_that_we_do_not_trust_gets_no_request(tls: ssl.SSLContext, certificate: Path) -> None:
    with serve(hello, tls=tls) as server:
        with pytest.raises(NotConnected, match="certificate"):
            Transport([server.origin]).send("POST", f"{server.origin}/x", purpose="write", body=b"{}")
        by_address = f"https://127.0.0.1:{server.port}"
        with pytest.raises(NotConnected, match="certificate"):  # trusted, for another name
            Transport([by_address], ca=str(certificate)).send("GET", f"{by_address}/x", purpose="chart")
    assert server.requests == []


def test_tls_keeps_the_deadline_too(tls: ssl.SSLContext, certificate: Path) -> None:
    def script(exchange: Exchange) -> None:
        drip(exchange, b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n" + b"x" * 30)

    with serve(script, tls=tls) as server, pytest.raises(LostReply, match="time ran out"):
        Transport([server.origin], ca=str(certificate), limits=SHORT).send("GET", f"{server.origin}/x", purpose="chart")


def test_a_handshake_that_never_comes_means_nothing_was_sent(certificate: Path) -> None:
    with serve(hello, silent=True) as server:
        origin = f"https://localhost:{server.port}"
        with pytest.raises(NotConnected, match="time ran out"):
            Transport([origin], ca=str(certificate), limits=SHORT).send(
                "POST", f"{origin}/x", purpose="write", body=b"{}"
            )


# A body that is taken piece by piece


def stream(server: Server, limit: Limit, **more: object) -> bytes:
    sender = transport(server, {"export-file": limit}, extra_headers={"Subscription-Key": "k"})
    with sender.open(f"{server.origin}/file", purpose="export-file", **more) as incoming:  # type: ignore[arg-type]
        assert incoming.status == 200
        return b"".join(incoming.pieces)


def slow_in_all(exchange: Exchange) -> None:
    exchange.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n")
    drip(exchange, b"x" * 60)


def test_a_file_may_take_long_as_long_as_something_comes() -> None:
    with serve(slow_in_all) as server:
        assert stream(server, Limit(0.6, 100)) == b"x" * 60
        with pytest.raises(LostReply, match="time ran out"):  # the same, as a whole reply
            get(server, {"chart": Limit(0.6, 100)})


def test_a_file_that_stops_coming_is_a_lost_reply() -> None:
    def script(exchange: Exchange) -> None:
        exchange.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\nhalf")
        exchange.close = exchange.request.path.endswith("broken")
        if not exchange.close:
            time.sleep(2)

    with serve(script) as server:
        sender = transport(server, {"export-file": Limit(0.4, 100)})
        for path, why in (("stalled", "time ran out"), ("broken", "stopped in the middle")):
            opened = sender.open(f"{server.origin}/{path}", purpose="export-file")
            with opened as incoming, pytest.raises(LostReply, match=why):
                list(incoming.pieces)


def test_a_file_is_unpacked_within_its_limit() -> None:
    def script(exchange: Exchange) -> None:
        exchange.answer(200, gzip.compress(b"x" * 5_000_000), {"Content-Encoding": "gzip"})

    with serve(script) as server:
        assert len(stream(server, Limit(5, 5_000_000))) == 5_000_000
        with pytest.raises(BadReply, match="larger than"):
            stream(server, Limit(5, 4_999_999))


def test_a_file_host_is_not_told_the_site_s_headers() -> None:
    with serve(hello) as server:
        stream(server, Limit(5, 1000), bare=True)
        stream(server, Limit(5, 1000))
    assert ["subscription-key" in request.headers for request in server.requests] == [False, True]


def test_no_file_is_fetched_from_a_host_that_is_not_allowed() -> None:
    with serve(hello) as server, serve(hello) as other:
        sender = transport(server)
        with pytest.raises(RefusedUrl), sender.open(f"{other.origin}/file", purpose="export-file"):
            pass
    assert not other.requests


# What is told


def test_no_address_with_its_query_reaches_a_log(caplog: pytest.LogCaptureFixture) -> None:
    path = "/fhir/Observation?patient=marked"

    def script(exchange: Exchange) -> None:
        exchange.reset()

    with caplog.at_level(logging.DEBUG), serve(script) as server:
        try:
            get(server, path=path)
        except LostReply:
            logging.getLogger("test").exception("lost")
    assert "lost" in caplog.text
    assert "marked" not in caplog.text


def test_what_is_no_json_says_so() -> None:
    with serve(lambda exchange: exchange.answer(200, b"<html>")) as server, pytest.raises(NotJson):
        get(server).json()


def test_each_purpose_has_its_limits() -> None:
    assert {name: (limit.seconds, limit.bytes) for name, limit in LIMITS.items()} == {
        "chart": (30, 10_000_000),
        "read-back": (30, 10_000_000),
        "metadata": (30, 10_000_000),
        "write": (30, 10_000_000),
        "token": (30, 256_000),
        "jwks": (30, 256_000),
        "validate": (180, 10_000_000),
        "export": (60, 10_000_000),
        "export-page": (300, 100_000_000),
        "export-file": (120, 200_000_000_000),
    }


def test_ipv6_is_an_address_too() -> None:
    assert ip_address(parse("http://[::1]:8000/x").host.strip("[]")).is_loopback
