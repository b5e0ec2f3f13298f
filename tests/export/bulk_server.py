"""A server with $export on a socket: it does as the specification says, but for the one thing that a test breaks."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.limits import LIMITS, Limit
from imr_fhir.ehr.transport import Transport
from imr_fhir.reporting.export.asked import Asked
from imr_fhir.reporting.export.export import Options, export
from imr_fhir.reporting.export.pseudonym import Pseudonyms
from tests.export.hospital import NOW
from tests.wire_server import Exchange, Request, Server, serve

KEY = Pseudonyms(bytes(range(32)))
TIME = "2026-11-27T04:00:00.000Z"
Step = Callable[[Exchange], None]
QUICK = {**LIMITS, "export-file": Limit(2, 10_000_000), "export": Limit(2, 1_000_000)}
ROOMY = {**QUICK, "export-file": Limit(20, 20_000_000)}


def ndjson(*resources: Mapping[str, Any]) -> bytes:
    return b"".join(json.dumps(resource).encode() + b"\n" for resource in resources)


@dataclass
class Bulk:
    """``steps``: "GET /fhir/job" -> what it does the first times that it is asked; after that it does as it should."""

    output: list[tuple[str, bytes]]
    deleted: list[bytes] = field(default_factory=list)
    error: list[bytes] = field(default_factory=list)
    token: bool = False
    ranges: bool = False
    files_at: str = ""  # another origin
    time: str = TIME
    steps: dict[str, list[Step]] = field(default_factory=dict)
    server: Server = field(init=False)

    def script(self, exchange: Exchange) -> None:
        asked = f"{exchange.request.method} {exchange.request.path.partition('?')[0]}"
        planned = self.steps.get(asked)
        if planned:
            planned.pop(0)(exchange)
        else:
            self.rightly(exchange, asked)

    def rightly(self, exchange: Exchange, asked: str) -> None:
        if asked.endswith("/$export"):
            exchange.answer(202, b"", {"Content-Location": f"{self.server.origin}/fhir/job"})
        elif asked == "GET /fhir/job":
            exchange.answer(200, self.manifest())
        elif asked == "DELETE /fhir/job":
            exchange.answer(202)
        elif asked.startswith("GET /file/"):
            self.give(exchange, self.file(exchange.request))
        elif asked == "GET /fhir/Questionnaire":
            exchange.answer(200, {"resourceType": "Bundle", "type": "searchset"})
        else:
            exchange.answer(404, {"resourceType": "OperationOutcome", "issue": []})

    def give(self, exchange: Exchange, data: bytes) -> None:
        headers = {"Content-Type": "application/fhir+ndjson"}
        if not self.ranges:
            exchange.answer(200, data, headers)
            return
        headers["ETag"] = f'"{len(data)}"'
        begin = exchange.request.headers.get("range", "bytes=0-").removeprefix("bytes=").rstrip("-")
        status = 206 if "range" in exchange.request.headers else 200
        if status == 206:
            headers["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
        exchange.answer(status, data[int(begin) :], headers)

    def file(self, request: Request) -> bytes:
        _, _, kind, number = request.path.split("/")
        files = {"output": [data for _, data in self.output], "deleted": self.deleted, "error": self.error}[kind]
        return files[int(number)]

    def manifest(self) -> dict[str, Any]:
        at = self.files_at or self.server.origin
        output = [{"type": kind, "url": f"{at}/file/output/{n}"} for n, (kind, _) in enumerate(self.output)]
        found: dict[str, Any] = {"transactionTime": self.time, "requiresAccessToken": self.token, "output": output}
        for name, files in (("deleted", self.deleted), ("error", self.error)):
            kind = "Bundle" if name == "deleted" else "OperationOutcome"
            found[name] = [{"type": kind, "url": f"{at}/file/{name}/{n}"} for n in range(len(files))]
        return found

    def asked(self, what: str) -> list[Request]:
        """The requests that begin so ("GET /file/")."""
        return [each for each in self.server.requests if f"{each.method} {each.path}".startswith(what)]


@contextmanager
def running(bulk: Bulk) -> Iterator[Bulk]:
    with serve(bulk.script) as bulk.server:
        yield bulk


def client(bulk: Bulk, *others: str, limits: Mapping[str, Limit] = QUICK, **options: Any) -> FhirClient:
    origins = [bulk.server.origin, *others]
    transport = Transport(origins, allow_loopback_http=True, limits=limits, extra_headers={"Subscription-Key": "k"})
    return FhirClient(transport, f"{bulk.server.origin}/fhir", **options)


def run(bulk: Bulk, folder: Path, *, waits: list[float] | None = None, **given: Any) -> dict[str, Any]:
    """``given``: of Options and of Asked, by their names; ``client``."""
    asked = {name: given.pop(name) for name in list(given) if name in Asked.__dataclass_fields__}
    asking = given.pop("client", None) or client(bulk)
    waiting = waits if waits is not None else []
    options = Options(**{"wait": waiting.append, **given})
    return export(asking, folder, Asked(asking.base, **{"pseudonyms": KEY, **asked}), options, now=NOW).manifest


def lines(folder: Path, resource_type: str) -> list[dict[str, Any]]:
    paths = sorted(folder.glob(f"{resource_type}-*.ndjson"))
    return [json.loads(line) for path in paths for line in path.read_bytes().splitlines()]
