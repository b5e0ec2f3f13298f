"""What a page may load and who may frame it; bodies, hosts and proxies that are believed."""

from pathlib import Path

import pytest
import requests
from flask import Flask, request

from smart_app import create_app
from tests.running import Browser, Running, log_in, running, token_in
from tests.web.steps import titled

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors "
)


def test_a_page_of_a_launch_may_be_framed_by_its_site_alone(run: Running) -> None:
    chart = log_in(run)
    assert chart.page.headers["Content-Security-Policy"] == POLICY + run.hospital.base_url
    for response in chart.browser.visited:
        if response.url.startswith(run.url):
            assert response.headers["Content-Security-Policy"] == POLICY + run.hospital.base_url


@pytest.mark.parametrize("path", ["/p/" + "0" * 32 + "/", "/p/open", "/livez", "/", "/launch", "/launch?iss=https://x"])
def test_whatever_is_no_launch_s_may_not_be_framed(run: Running, path: str) -> None:
    assert requests.get(run.url + path, timeout=5).headers["Content-Security-Policy"] == POLICY + "'none'"


def test_a_site_without_frames_may_not_be_framed(tmp_path: Path) -> None:
    with running(tmp_path, frame_ancestors=()) as run:
        assert log_in(run).page.headers["Content-Security-Policy"] == POLICY + "'none'"


def test_nothing_but_static_files_is_kept(run: Running) -> None:
    chart = log_in(run)
    for response in chart.browser.visited:
        if response.url.startswith(run.url):
            assert response.headers["Cache-Control"] == "no-store"
    found = chart.page.text.partition('href="/static/app.css?v=')[2].partition('"')[0]
    versioned = chart.browser.get(f"{run.url}/static/app.css?v={found}")
    assert versioned.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "immutable" not in chart.browser.get(f"{run.url}/static/app.css").headers["Cache-Control"]
    assert chart.browser.get(f"{run.url}/static/none.css?v={found}").headers["Cache-Control"] == "no-store"


def test_the_other_headers_are_on_every_answer(run: Running) -> None:
    for path in ("/livez", "/no/such/page", "/static/app.css"):
        headers = requests.get(run.url + path, timeout=5).headers
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "camera=()" in headers["Permissions-Policy"]
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Server" not in headers


def test_pages_and_style_are_sent_zipped(run: Running) -> None:
    chart = log_in(run)
    assert chart.page.headers["Content-Encoding"] == "gzip"
    style = chart.browser.get(f"{run.url}/static/app.css", headers={"Accept-Encoding": "gzip"})
    assert style.headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
def test_another_host_is_refused(run: Running, host: str) -> None:
    response = requests.get(f"{run.url}/livez", headers={"Host": host}, timeout=5)
    assert response.status_code == 400
    assert "Location" not in response.headers


def test_a_body_that_no_person_types_is_refused_with_a_page(run: Running) -> None:
    chart = log_in(run)
    refused = chart.browser.submit(chart.page, "language", text="x" * 256_001)
    assert (refused.status_code, titled(refused)) == (413, "This is too much at once")


def test_a_body_of_100_mb_is_not_read(run: Running) -> None:
    refused = Browser().post(f"{run.url}/launch/open", data=b"x" * 100_000_000)
    assert refused.status_code == 413
    assert "shorten what you wrote" in refused.text


def test_a_form_of_1001_parts_is_refused(run: Running) -> None:
    chart = log_in(run)
    files = {f"part{number}": (None, "x") for number in range(1_001)}
    assert chart.browser.post(chart.at("language"), files=files).status_code == 413
    fields = [("csrf", token_in(chart.page.text)), ("language", "nb"), *[("x", "y")] * 999]
    refused = chart.browser.post(chart.at("language"), data=fields)
    assert (refused.status_code, titled(refused)) == (413, "This is too much at once")
    assert chart.browser.post(chart.at("language"), data=fields[:-1]).status_code == 303


def test_as_many_proxies_are_believed_as_the_settings_say(run: Running) -> None:
    """Behind TLS the app is reached by http; what one proxy says counts, what a client put before it does not."""

    def seen(hops: int) -> tuple[str, str | None]:
        from dataclasses import replace

        app: Flask = create_app(replace(run.config, proxy_hops=hops), store=run.store)
        app.view_functions["health.livez"] = lambda: f"{request.scheme} {request.remote_addr}"
        forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "6.6.6.6, 10.0.0.9"}
        answer = app.test_client().get("/livez", headers={"Host": "127.0.0.1", **forwarded})
        scheme, _, address = answer.text.partition(" ")
        return scheme, address

    assert seen(0) == ("http", "127.0.0.1")
    assert seen(1) == ("https", "10.0.0.9")
