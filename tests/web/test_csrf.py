"""Each POST comes from a page of ours, made for this launch and this role; what was typed is never lost."""

from urllib.parse import urljoin

import pytest

from tests.running import Browser, Running, log_in, token_in
from tests.web.steps import titled
from tests.web.test_access import addresses

TYPED = "I want to <b>fish</b> again & again"


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "{url}.evil.example", "{hospital}"])
def test_a_post_from_elsewhere_is_refused_and_what_was_typed_is_shown(run: Running, origin: str | None) -> None:
    chart = log_in(run)
    sent = {"csrf": token_in(chart.page.text), "text": TYPED, "pin": "482913"}
    headers = {"Origin": origin and origin.format(url=run.url, hospital=run.hospital.base_url)}
    for method, path in addresses(run, "lid", chart.id):
        if method == "POST":
            refused = chart.browser.post(urljoin(run.url, path), data=sent, headers=headers)
            assert (refused.status_code, titled(refused)) == (
                403,
                "Not accepted: the form did not come from this page",
            )
            assert "I want to &lt;b&gt;fish&lt;/b&gt; again &amp; again</textarea>" in refused.text
            assert "482913" not in refused.text
            assert sent["csrf"] not in refused.text
            assert refused.headers["Content-Security-Policy"].endswith(f"frame-ancestors {run.hospital.base_url}")
    assert chart.browser.get(chart.url).status_code == 200, "it was not logged out"


@pytest.mark.parametrize("path", ["/launch/open", "/p/open", "/no/such/page"])
def test_posts_before_a_launch_are_refused_from_elsewhere(run: Running, path: str) -> None:
    refused = Browser().post(run.url + path, data={"text": TYPED}, headers={"Origin": "null"})
    assert refused.status_code == 403
    assert refused.headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")


@pytest.mark.parametrize("token", ["missing", "empty", "of another launch", "of another user", "cut", "swapped"])
def test_a_form_that_was_made_for_another_launch_is_refused(run: Running, token: str) -> None:
    chart = log_in(run)
    mine = token_in(chart.page.text)
    nonce, _, mac = mine.partition(".")
    sent = {
        "missing": None,
        "empty": "",
        "of another launch": token_in(log_in(run, browser=chart.browser).page.text),
        "of another user": token_in(log_in(run, user="Practitioner/ola").page.text),
        "cut": mine[:-1],
        "swapped": f"{mac}.{nonce}",
    }[token]
    data = {"language": "nb"} | ({} if sent is None else {"csrf": sent})
    refused = chart.browser.post(chart.at("language"), data=data)
    assert refused.status_code == 403
    assert '<html lang="en"' in chart.browser.get(chart.url).text, "nothing was changed"


def test_a_form_from_before_stays_good_as_long_as_the_launch(run: Running) -> None:
    chart = log_in(run)
    chart.browser.get(chart.url)
    assert chart.browser.submit(chart.page, "language", language="nb").status_code == 303


def test_a_head_does_no_more_than_a_get(run: Running) -> None:
    """Another site's script may send one with our cookies, without Origin or token."""
    chart = log_in(run)
    form = chart.browser.open(chart.at("goal/new"))
    kept = {"csrf": token_in(form.text), "once": "1", "text": TYPED}
    assert chart.browser.post(chart.at("goal/new/keep"), data=kept).status_code == 204
    for method, path in addresses(run, "lid", chart.id):
        if method == "GET":
            address = urljoin(run.url, path)
            asked, got = chart.browser.head(address), chart.browser.get(address)
            assert (path, asked.status_code) == (path, got.status_code)
    assert "again &amp; again" in chart.browser.get(chart.at("goal/new")).text
