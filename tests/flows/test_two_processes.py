"""SECURITY G: two app processes behind one address, one PostgreSQL; the requests of each flow take turns."""

import http.client
import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from smart_app.config_file import read_config
from smart_app.serving import Server, listen
from smart_app.store import Store
from smart_app.store.audit import Verified
from smart_app.store.keys import load_keys
from tests.flows import steps
from tests.flows.served import hospital_of, served, settings_of, until_ready
from tests.flows.steps import SAVED, answers, filed, heading
from tests.postgresql import Cluster
from tests.running import Browser, Clock, Running, log_in
from tests.web.steps import record_of


class TakingTurns:
    """WSGI: each request goes to the next of the ports."""

    def __init__(self, ports: list[int]) -> None:
        self._ports = itertools.cycle(ports)
        self.taken: list[tuple[int, str]] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        port, path = next(self._ports), environ["PATH_INFO"]
        self.taken.append((port, path))
        headers = {key[5:].replace("_", "-"): value for key, value in environ.items() if key.startswith("HTTP_")}
        headers |= {"Content-Type": environ.get("CONTENT_TYPE", ""), "Connection": "close"}
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        there = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        query = environ.get("QUERY_STRING", "")
        there.request(environ["REQUEST_METHOD"], f"{path}?{query}" if query else path, body or None, headers)
        reply = there.getresponse()
        content = reply.read()
        kept = [(name, value) for name, value in reply.getheaders() if name.lower() not in ("connection", "date")]
        there.close()
        start_response(f"{reply.status} {reply.reason}", kept)
        return [content]


@pytest.fixture(scope="module")
def both(
    tmp_path_factory: pytest.TempPathFactory, postgresql: Cluster, free_port: Callable[[], int]
) -> Iterator[tuple[Running, TakingTurns]]:
    folder = tmp_path_factory.mktemp("two")
    (folder / "private").mkdir(mode=0o700)
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    hospital, asked = hospital_of(folder, port)
    ports = [free_port(), free_port()]
    database = postgresql.emptied()
    files = [settings_of(folder, hospital, front=port, port=number, place=database) for number in ports]
    config = read_config(files[0])
    store = Store.open(config.store, load_keys(config.keys, create=True))
    turns = TakingTurns(ports)
    front = Server(turns, listener)
    front.start()
    processes = [served(each) for each in files]
    try:
        for number in ports:
            until_ready(number)
        yield Running(hospital, hospital.app, store, config, Clock(), folder, asked), turns
    finally:
        for each in processes:
            each.terminate()
            assert each.wait(20) == 0
        front.stop(5)
        store.close()
        hospital.stop()


@pytest.fixture
def run(both: tuple[Running, TakingTurns]) -> Iterator[Running]:
    run, turns = both
    turns.taken.clear()
    yield run
    assert len({port for port, _ in turns.taken}) == 2
    assert run.store.audit.verify() == Verified(len(run.store.audit.entries(limit=10_000)))


def test_a_rating_is_filed_once(run: Running) -> None:
    patient = steps.new_patient(run)
    chart = log_in(run, patient=patient)
    form = steps.begin(chart)
    with ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(lambda _: steps.go(chart.browser, form, do="complete", **answers()).url, range(4)))
    assert len(set(ends)) == 1
    assert heading(chart.browser.get(ends[0])) == SAVED
    assert len(filed(run, patient, "QuestionnaireResponse")) == 1


def test_a_hand_over_and_back(run: Running) -> None:
    patient = steps.new_patient(run)
    chart, elsewhere = log_in(run, patient=patient), log_in(run)
    start = steps.give(chart)
    assert heading(elsewhere.browser.open(elsewhere.url)) == steps.LOCKED
    check = steps.answer_alone(chart.browser, start, answers(4))
    steps.hand_in(chart.browser, check)
    steps.take_back(chart)
    assert [each["status"] for each in filed(run, patient, "QuestionnaireResponse")] == ["completed"]


def test_one_of_both_renews_a_token_and_both_go_on_with_it(run: Running) -> None:
    chart = log_in(run, patient=steps.new_patient(run))
    record = record_of(run, chart)
    old = replace(record.tokens, access_token="over", expires_at=run.clock() - timedelta(seconds=1))
    run.store.tokens.refresh(record, lambda _: old)
    run.asked.clear()
    browsers = [Browser() for _ in range(8)]
    for browser in browsers:
        browser.jar = {host: dict(cookies) for host, cookies in chart.browser.jar.items()}
    with ThreadPoolExecutor(8) as pool:
        pages = list(pool.map(lambda browser: browser.get(chart.url), browsers))
    assert [page.status_code for page in pages] == [200] * 8
    assert run.asked.count("POST /oauth2/token") == 1


def test_a_launch_that_ended_at_one_is_over_at_the_other(run: Running) -> None:
    chart = log_in(run, patient=steps.new_patient(run))
    steps.post(chart.browser, chart.browser.get(chart.url), chart.at("log-out"))
    assert [chart.browser.get(chart.url).status_code for _ in range(2)] == [404, 404]
