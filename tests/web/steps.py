"""Steps and looks that several tests of the web core share."""

import re
from dataclasses import replace
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import requests

from smart_app.state import state_of
from smart_app.store.launch import Launch
from smart_app.tokens import revoke_unused
from tests.running import Browser, Chart, Running

TOKEN = "POST /oauth2/token"


def stop_before_callback(run: Running, browser: Browser, url: str) -> str:
    """Walks until the hospital sends the browser back; the address of the callback, not yet opened."""
    response = browser.get(url)
    while not urlsplit(response.headers["Location"]).path.startswith("/callback/"):
        response = browser.get(urljoin(response.url, response.headers["Location"]))
    run.asked.clear()
    return response.headers["Location"]


def with_parameter(url: str, **changed: str | None) -> str:
    parts = urlsplit(url)
    found = {name: values[0] for name, values in parse_qs(parts.query).items()} | changed
    return parts._replace(query=urlencode({name: value for name, value in found.items() if value is not None})).geturl()


def titled(response: requests.Response) -> str:
    found = re.search(r"<h1>(.*?)</h1>", response.text)
    assert found, response.text
    return found[1].replace("&#39;", "'")


def rows(run: Running, table: str) -> int:
    with run.store.reading() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def record_of(run: Running, chart: Chart) -> Launch:
    """The launch as the store has it."""
    return run.store.launches.access(chart.id, chart.browser.jar["127.0.0.1"][f"__Host-l-{chart.id[:8]}"], run.clock())


def token_ends_now(run: Running, chart: Chart) -> None:
    """The launch's access token is to be renewed before it is used again."""
    run.store.tokens.refresh(record_of(run, chart), lambda old: replace(old.tokens, expires_at=run.clock()))


def end_unused(run: Running) -> None:
    """What the running app does every two seconds."""
    revoke_unused(state_of(run.app).hospitals, run.clock())
