"""What holds after each cell, whatever went wrong. Each raises AssertionError.

Nothing is filed twice, and nothing under another patient; what was sealed is in the record as it was sealed, or in the
outbox; what was typed and not sealed is on the page or in its draft; the page is one of ours and says how to go on; no
request went to another host; each send has its audit row; no token and nothing that was typed is in the log.
"""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests

from imr_fhir.artefacts import FILING
from imr_fhir.ehr.compartment import belongs
from imr_fhir.ehr.lookup import SELDOM_SHOWN
from imr_fhir.same import same_content
from smart_app.logs import set_up_logging
from smart_app.store.filing import Filing
from smart_app.store.filing_states import State
from tests.faults.flows import Scene
from tests.flows.steps import heading, say, text
from tests.running import Running
from tests.web.steps import record_of

if TYPE_CHECKING:
    from tests.faults.cell import World

Record = Mapping[str, list[dict[str, Any]]]
_FILED = ("QuestionnaireResponse", "Observation", "Goal", "Provenance", "DocumentReference")


@dataclass
class Watch:
    world: World
    secrets: set[str] = field(default_factory=set)

    def page(self, page: requests.Response) -> None:
        is_ours(page)
        assert self.world.called_elsewhere == [], "a redirect was followed"
        for name in self.world.stranger.values():
            assert name not in page.text or heading(page) == say("filing.duplicate.title"), "another patient's is shown"


@contextmanager
def watched(world: World, scene: Scene) -> Iterator[Watch]:
    """Watches the log of the app, the stranger's record and the audit log's tail."""
    printed = io.StringIO()
    level = logging.getLogger().level
    before = _of_stranger(world)
    handler = set_up_logging("DEBUG", printed)
    watch = Watch(world)
    try:
        yield watch
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(level)
    assert _of_stranger(world) == before, "another patient's record was changed"
    if scene.chart:
        tokens = record_of(world.run, scene.chart).tokens if scene.chart.browser.jar.get("127.0.0.1") else None
        watch.secrets |= {tokens.access_token, tokens.refresh_token} if tokens else set()
    said = printed.getvalue()
    assert "smart_app.access" in said
    for secret in {scene.typed, scene.patient, *watch.secrets}:
        assert secret not in said, f"the log has {secret}"


def is_ours(page: requests.Response) -> None:
    """With a heading, a next step, and no fault of the app's own."""
    assert page.headers.get("Content-Security-Policy", "").startswith("default-src 'none'"), page.text
    assert page.status_code != 500, page.text
    assert heading(page) != say("error.fault.title")
    main = page.text.partition("<main")[2]
    assert page.status_code >= 400 or re.search(r"<(a|button)\b", main) or _ends(page), "no way on"
    assert len(text(page)) > len(heading(page)) + 20, "it does not say what to do"


def _ends(page: requests.Response) -> bool:
    return heading(page) == say("logged_out.title")


def kept(scene: Scene, page: requests.Response, new: list[Filing]) -> None:
    """What was typed is sealed, else on the page or in the draft."""
    assert scene.chart
    if not new:
        assert scene.page
        shown = page.text + scene.browser.open(scene.page.url).text
        assert scene.typed in shown, "what was typed is lost"
    for filing in new:
        bodies = b"".join(scene.run.store.filings.bodies(filing).values()).decode()
        assert scene.typed in bodies
        once(scene.run, scene.patient, filing)
        if filing.state is State.DONE:
            equal(scene.run, filing)


def tagged(run: Running, filing: Filing) -> Record:
    """All that the hospital has of one filing, of any patient."""
    return _found(run, f"_tag={FILING}|{filing.id}", _FILED)


def once(run: Running, patient: str, filing: Filing) -> None:
    """No part is there twice, and none is another patient's."""
    for kind, found in tagged(run, filing).items():
        wanted = len({part.request["full_url"] for part in filing.parts if part.type == kind})
        assert len(found) <= wanted, f"{len(found)} {kind} of {wanted}"
        for resource in found:
            assert belongs(resource, patient, run.site.iss), f"{kind} of another patient"


def equal(run: Running, filing: Filing) -> None:
    """All of it is there as it was sealed."""
    there = {f"{kind}/{resource['id']}": resource for kind, found in tagged(run, filing).items() for resource in found}
    known = {
        str(part.request["full_url"]): f"{part.receipt.type}/{part.receipt.id}" for part in filing.parts if part.receipt
    }
    bodies = run.store.filings.bodies(filing)
    for part in filing.parts:
        if part.replaced or part.unsent:
            continue
        assert part.receipt, f"{part.type} has no receipt"
        if not part.receipt.id:  # taken, and shown to nobody
            assert part.type in SELDOM_SHOWN
            continue
        reference = f"{part.receipt.type}/{part.receipt.id}"
        assert reference in there, f"{reference} is not in the record"
        differ = same_content(json.loads(bodies[part.number]), there[reference], references=known, base=run.site.iss)
        assert differ == [], f"{reference} differs: {differ}"


def _of_stranger(world: World) -> dict[str, list[str]]:
    found = _found(world.run, f"patient={world.stranger['Patient']}", ("QuestionnaireResponse", "Observation", "Goal"))
    return {kind: sorted(each["meta"]["versionId"] for each in resources) for kind, resources in found.items()}


def _found(run: Running, query: str, kinds: Iterable[str]) -> Record:
    house = run.hospital.hospital.interactions()
    answers = {kind: json.loads(house.search(kind, f"{query}&_count=200").body) for kind in kinds}
    return {kind: [entry["resource"] for entry in answer.get("entry", [])] for kind, answer in answers.items()}
