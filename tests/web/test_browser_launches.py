"""What one browser holds: cookies, two patients, twelve launches, two users, an end."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urljoin

import pytest

from tests.running import Browser, Running, log_in, token_in
from tests.web.steps import end_unused, record_of, rows, titled


@pytest.mark.parametrize(("framed", "partitioned"), [(True, True), (False, False)])
def test_cookies_are_host_only_secure_and_partitioned_in_a_frame(run: Running, framed: bool, partitioned: bool) -> None:
    chart = log_in(run, framed=framed)
    assert [line.partition("=")[0][:9] for line in chart.browser.set] == ["__Host-s-", "__Host-l-", "__Host-s-"]
    for line in chart.browser.set:
        attributes = {part.strip().lower() for part in line.split(";")[1:]}
        assert {"secure", "httponly", "path=/", "samesite=none"} <= attributes
        assert ("partitioned" in attributes) == partitioned
        assert not any(attribute.startswith("domain") for attribute in attributes)
    assert list(chart.browser.jar["127.0.0.1"]) == [f"__Host-l-{chart.id[:8]}"], "the state cookie is gone after use"


def test_two_tabs_with_two_patients_never_mix(run: Running) -> None:
    browser = Browser()
    eva = log_in(run, patient="eva-berg", browser=browser)
    jonas = log_in(run, patient="jonas-lie", browser=browser)
    for chart, name, other in ((eva, "Eva Berg", "Jonas"), (jonas, "Jonas Lie", "Eva")):
        text = browser.get(chart.url).text
        assert name in text
        assert other not in text
    jar = browser.jar["127.0.0.1"]
    jar[f"__Host-l-{eva.id[:8]}"], jar[f"__Host-l-{jonas.id[:8]}"] = (
        jar[f"__Host-l-{jonas.id[:8]}"],
        jar[f"__Host-l-{eva.id[:8]}"],
    )
    assert [browser.get(chart.url).status_code for chart in (eva, jonas)] == [404, 404]


def test_twelve_launches_are_open_at_once_and_the_longest_unseen_ends(run: Running) -> None:
    browser = Browser()
    charts = []
    for second in range(13):
        run.clock.ahead = timedelta(seconds=second)
        charts.append(log_in(run, browser=browser))
    run.asked.clear()
    assert [browser.get(chart.url).status_code for chart in charts] == [404, *[200] * 12]
    assert len([name for name in browser.jar["127.0.0.1"] if name.startswith("__Host-l-")]) == 12


def test_what_was_open_at_a_site_that_the_settings_no_longer_have_is_over(run: Running) -> None:
    """Renamed or taken out while the app was started anew: nobody is kept from opening it again."""
    chart = log_in(run)
    record, browser = record_of(run, chart), Browser()
    gone = run.store.launches.start(replace(record.context, site="renamed"), record.tokens, (), run.clock())
    browser.jar["127.0.0.1"] = {f"__Host-l-{gone.launch.id[:8]}": gone.secret}
    assert browser.get(f"{run.url}/l/{gone.launch.id}/").status_code == 404
    again = log_in(run, browser=browser)
    assert list(browser.jar["127.0.0.1"]) == [f"__Host-l-{again.id[:8]}"]
    assert run.store.launches.live(gone.launch.id, run.clock()) is None


def test_another_user_in_the_same_browser_ends_what_the_first_had_open(run: Running) -> None:
    browser = Browser()
    kari = log_in(run, browser=browser)
    run.asked.clear()
    before = rows(run, "audit")
    ola = log_in(run, user="Practitioner/ola", browser=browser)
    assert [browser.get(chart.url).status_code for chart in (kari, ola)] == [404, 200]
    assert f"__Host-l-{kari.id[:8]}" not in browser.jar["127.0.0.1"]
    assert "POST /oauth2/revoke" not in run.asked, "the one did not wait for the other's"
    end_unused(run)
    assert run.asked.count("POST /oauth2/revoke") == 2
    ended, logged_in, *_ = run.store.audit.entries(after=before)
    assert (ended["action"], ended["display"]) == ("session-ended", "Kari Nilsen")
    assert (logged_in["action"], logged_in["display"]) == ("log-in", "Ola Hansen")


def test_the_same_user_in_another_browser_ends_nothing(run: Running) -> None:
    first, second = log_in(run), log_in(run)
    assert [chart.browser.get(chart.url).status_code for chart in (first, second)] == [200, 200]


def test_log_out_ends_the_launch_and_its_tokens(run: Running) -> None:
    chart = log_in(run)
    run.asked.clear()
    assert chart.browser.get(chart.at("log-out")).status_code == 404, "only a POST logs out"
    page = chart.browser.submit(chart.page, "log-out")
    assert titled(page) == "You are logged out"
    assert "Eva Berg" not in page.text
    assert run.asked == [], "a hospital that does not answer holds up nobody who logs out"
    end_unused(run)
    assert run.asked == ["POST /oauth2/revoke"] * 2, "refresh token and access token"
    assert chart.browser.jar["127.0.0.1"] == {}
    assert chart.browser.get(chart.url).status_code == 404


def test_the_page_is_in_the_browser_s_language_and_by_hand_in_the_other(run: Running) -> None:
    browser = Browser()
    browser.headers["Accept-Language"] = "no, en;q=0.5"
    chart = log_in(run, browser=browser)
    assert '<html lang="nb"' in chart.page.text
    back = browser.submit(chart.page, "language", language="en")
    assert (back.status_code, urljoin(back.url, back.headers["Location"])) == (303, chart.url)
    assert '<html lang="en"' in browser.get(chart.url).text


def test_the_token_is_in_no_page(run: Running) -> None:
    chart = log_in(run)
    record = record_of(run, chart)
    for response in chart.browser.visited:
        if response.url.startswith(run.url):
            assert record.tokens.access_token not in response.text
            assert record.tokens.access_token not in str(response.headers)
    assert token_in(chart.page.text) not in chart.browser.get(chart.url).text, "a form's token is new on each page"
