"""One server that is asked: sends a step, and reduces the answer to what a client can rely on."""

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

import requests

from .steps import Step

JSON = {"Content-Type": "application/fhir+json"}


def answer(reply: requests.Response, base: str, names: Mapping[str, str]) -> str:
    """What a client can rely on, with ids replaced by their names.

    Left out: ids and ``meta``, and an unasked ``Bundle.total`` (R4 leaves it to the server; HAPI counts where that is
    cheap, the sandbox never, so that nobody relies on it).
    """
    location = reply.headers.get("Location", "").removeprefix(base).strip("/")
    told = [str(reply.status_code)]
    if location and not location.startswith("Bundle/"):  # HAPI gives a transaction's answer an address of its own
        told.append("at " + re.sub(r"/[^/]+/_history", "/{id}/_history", location))
    if etag := reply.headers.get("ETag"):
        told.append(etag)
    if reply.text:
        asked = any(name in f"{reply.url} {reply.request.body!r}" for name in ("_summary=", "_total=", "_count=0"))
        told.append(_content(json.loads(reply.text, parse_float=str), asked))
    text = " ".join(told)
    for name, value in sorted(names.items(), key=lambda each: -len(each[1])):
        text = text.replace(value, f"{{{name}}}")
    return text


def _content(body: dict[str, Any], total: bool) -> str:
    if body["resourceType"] == "OperationOutcome":
        return "problem"
    if body["resourceType"] != "Bundle":
        return json.dumps(_bare(body), sort_keys=True, ensure_ascii=False)
    links = sorted(each["relation"] for each in body.get("link", ()) if each["relation"] == "next")
    head = [body["type"], *links, *([f"total {body.get('total')}"] if total else [])]
    told = []
    for each in body.get("entry", ()):
        part = [each["search"]["mode"]] if "search" in each else []
        if said := each.get("response"):
            part += [said["status"][:3], said.get("location", "").split("/")[0], said.get("etag", "").strip('W/"')]
            part += ["problem"] if "outcome" in said and not said["status"].startswith("2") else []
        if held := each.get("resource"):
            part.append(json.dumps(_bare(held)["resourceType"]))
            part += [json.dumps(_bare(held)["identifier"][0]["value"])] if "identifier" in held else []
        told.append(" ".join(filter(None, part)))
    included = sorted(each for each in told if each.startswith("include"))  # in no order that R4 knows
    return "; ".join([*head, *(each for each in told if each not in included), *included])


def _bare(resource: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in resource.items() if name not in ("id", "meta", "text")}


class Side:
    def __init__(self, base: str, headers: Mapping[str, str]) -> None:
        self.base = base
        self.session = requests.Session()
        self.session.headers.update({"Accept": "application/fhir+json", **headers})
        self.names = {"RUN": uuid.uuid4().hex[:12], "BASE": base}
        self.made: list[str] = []

    def run(self, step: Step) -> str:
        body = None if step.body is None else step.body if isinstance(step.body, str) else json.dumps(_given(step.body))
        headers = {name: self._fill(value) for name, value in step.headers.items()}
        if body is not None:
            headers = {**JSON, **headers}
        data = None if body is None else self._fill(body).encode()
        url = f"{self.base}/{self._fill(step.path)}".rstrip("/")
        reply = self.session.request(step.method, url, data=data, headers=headers, timeout=60)
        self._note(reply)
        if step.keep:
            self.names[step.keep] = reply.headers["Location"].split("/_history")[0].rpartition("/")[2]
        return answer(reply, self.base, self.names)

    def _fill(self, text: str) -> str:
        for name, value in self.names.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def _note(self, reply: requests.Response) -> None:
        """Remember what was made, to take it away again: the server is shared."""
        if reply.status_code == 201:
            body = json.loads(reply.text) if reply.text else {}
            place = reply.headers.get("Location") or f"{body['resourceType']}/{body['id']}"
            self.made.append(place.split("/_history")[0].removeprefix(self.base).strip("/"))
        elif reply.ok and "-response" in reply.text[:300]:
            for each in json.loads(reply.text).get("entry", ()):
                if each["response"]["status"].startswith("201"):
                    self.made.append(each["response"]["location"].split("/_history")[0])


def _given(part: Any) -> Any:
    """Without what is None."""
    if isinstance(part, dict):
        return {name: _given(each) for name, each in part.items() if each is not None}
    return [_given(each) for each in part] if isinstance(part, list) else part


def remove(side: Side) -> None:
    order = ["Provenance", "QuestionnaireResponse", "Observation", "Questionnaire", "Patient"]
    for reference in sorted(set(side.made), key=lambda each: order.index(each.split("/")[0])):
        deleted = side.session.delete(f"{side.base}/{reference}", timeout=60)
        assert deleted.ok, f"{reference}: {deleted.text[:2000]}"
