"""What a clinician and a patient do, over HTTP; and what the hospital has of it afterwards."""

import html
import re
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit
from uuid import uuid4

import requests

from tests.presenters.build import words
from tests.running import SITE, Browser, Chart, Running

# The words are the catalogue's, so that bettering them breaks no test.
say, norsk = words("en").say, words("nb").say
SAVED = say("filing.saved.title")
LOCKED = say("hand.locked.title")

PIN = "482913"
ITEMS = range(1, 16)


Said = Mapping[str, str]  # linkId -> code


def answers(rating: int = 3, changed: Mapping[int, str] | None = None, *, without: Collection[int] = ()) -> Said:
    """To all items: ``answers(3, {13: "na"}, without=(4,))``."""
    given = {number: str(rating) for number in ITEMS} | dict(changed or {})
    return {f"{number:02}": f"{number:02}-{said}" for number, said in given.items() if number not in without}


def new_patient(run: Running, *, course: bool = False, language: str = "") -> str:
    """Somebody whom nobody has met: id of a Patient with nothing filed. ``course``: one that began ten weeks ago."""
    patient = f"p-{uuid4().hex[:12]}"
    put(run, {"resourceType": "Patient", "id": patient, "name": [{"given": ["Eva"], "family": "Berg"}],
              "birthDate": "1988-04-12"})  # fmt: skip
    if course:
        start = date.today() - timedelta(days=91)  # a rating is due today
        put(run, {"resourceType": "EpisodeOfCare", "id": f"{patient}-imr", "status": "active",
                  "type": [{"text": "Illness Management and Recovery"}],
                  "patient": {"reference": f"Patient/{patient}"}, "period": {"start": start.isoformat()}})  # fmt: skip
    return patient


def put(run: Running, resource: Mapping[str, Any], **headers: str) -> dict[str, Any]:
    """As the hospital's own people write it."""
    address = f"{run.site.iss}/{resource['resourceType']}/{resource['id']}"
    answer = requests.put(address, json=resource, headers=_house(run) | headers, timeout=10)
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = requests.get(address, headers=_house(run), timeout=10).json()
    return found


def filed(run: Running, patient: str, resource_type: str) -> list[dict[str, Any]]:
    """All of a type that the hospital has of a patient, oldest first."""
    return _search(run, resource_type, patient=patient)


def told_of(run: Running, resource: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The Provenances of a resource, oldest first."""
    return _search(run, "Provenance", target=f"{resource['resourceType']}/{resource['id']}")


def _search(run: Running, resource_type: str, **params: str) -> list[dict[str, Any]]:
    asked = params | {"_count": "200"}
    found = requests.get(f"{run.site.iss}/{resource_type}", params=asked, headers=_house(run), timeout=10).json()
    resources = [entry["resource"] for entry in found.get("entry", [])]
    return sorted(resources, key=lambda resource: str(resource["meta"]["lastUpdated"]))


def of_code(resources: list[dict[str, Any]], code: str) -> list[dict[str, Any]]:
    return [each for each in resources if each["code"]["coding"][0]["code"] == code]


def _house(run: Running) -> dict[str, str]:
    return {"Authorization": f"Bearer {run.hospital.hospital.access_token('system/*.cruds')}"}


def hidden(page: requests.Response) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', _main(page))
    return {name: html.unescape(value) for name, value in found}


def _main(page: requests.Response) -> str:
    return page.text.partition("<main")[2]


def text(page: requests.Response) -> str:
    """What a person reads in the main part of the page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", _main(page).partition(">")[2])).split())


def heading(page: requests.Response) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page.text, re.DOTALL)
    assert found, page.text
    return html.unescape(found[1])


def post(browser: Browser, page: requests.Response, path: str = "", **fields: Any) -> requests.Response:
    """The form of ``page`` with ``fields``, to ``path`` or its own address; no redirect is followed."""
    action = re.search(r'<form method="post" action="([^"]+)"', _main(page))
    address = urljoin(page.url, path or (action[1] if action else ""))
    return browser.post(address, data=hidden(page) | fields)


def go(browser: Browser, page: requests.Response, path: str = "", **fields: Any) -> requests.Response:
    """The same, and on to where it leads."""
    return browser.follow(post(browser, page, path, **fields))


def begin(chart: Chart, rater: str = "clinician") -> requests.Response:
    """The form of a new rating."""
    return go(chart.browser, chart.browser.get(chart.url), chart.at(f"form/{rater}/start"))


def correct(chart: Chart, link: str) -> requests.Response:
    """The form of a correction of what is listed under this link ("<id>", "DocumentReference~<id>")."""
    page = chart.browser.get(chart.at("idle"))  # any page of the launch has its token, and this one asks no EHR
    return chart.browser.follow(chart.browser.submit(page, chart.at(f"response/{link}/correct")))


def listed(chart: Chart, what: str) -> requests.Response | None:
    """Where the panel's last "correct" or "withdraw" leads; None where it offers none."""
    panel = chart.browser.get(chart.url).text
    found = re.findall(rf'(?:href|formaction)="/l/[^"]+/response/([^"/]+)/{what}"', panel)
    if not found:
        return None
    return (
        correct(chart, found[-1]) if what == "correct" else chart.browser.open(chart.at(f"response/{found[-1]}/{what}"))
    )


def rate(chart: Chart, rater: str = "clinician", said: Said | None = None, **more: str) -> requests.Response:
    """A rating from the first page to the receipt."""
    form = begin(chart, rater)
    return go(chart.browser, form, **{"do": "complete", **(answers() if said is None else said), **more})


def give(chart: Chart, pin: str = PIN) -> requests.Response:
    """Hands the screen over; the patient's first page."""
    page = go(chart.browser, chart.browser.get(chart.at("give")), chart.at("give"), pin=pin)
    assert urlsplit(page.url).path.startswith("/p/"), text(page)
    return page


def answer_alone(browser: Browser, start: requests.Response, said: Said, comment: str = "") -> requests.Response:
    """The patient answers one question a page, and comes to the page before handing in."""
    for number in ITEMS:
        page = browser.get(urljoin(start.url, str(number)))
        code = said.get(f"{number:02}")
        go(browser, page, go="next", **({f"{number:02}": code} if code else {}))
    return go(browser, browser.get(urljoin(start.url, "comment")), comment=comment, go="next")


def hand_in(browser: Browser, check: requests.Response) -> requests.Response:
    return go(browser, check)


def take_back(chart: Chart, pin: str = PIN) -> requests.Response:
    """With the PIN, and the press that files what was handed in; a browser with script presses by itself."""
    locked = chart.browser.get(chart.at("locked"))
    back = go(chart.browser, locked, chart.at("back"), pin=pin)
    return go(chart.browser, back, chart.at("received")) if urlsplit(back.url).path.endswith("/received") else back


def answered_by_patient(chart: Chart, said: Said | None = None, comment: str = "") -> requests.Response:
    """The whole hand-over; the page at hand-back."""
    start = give(chart)
    hand_in(chart.browser, answer_alone(chart.browser, start, answers() if said is None else said, comment))
    return take_back(chart)


def audited(run: Running, patient: str) -> list[dict[str, Any]]:
    """The audit log's rows of a patient, oldest first."""
    key = run.store.launches.patient_key(SITE, patient)
    return run.store.audit.entries(patient_keys=[key])
