"""Access is the id in the address, its own cookie and a live launch; everything else gives one and the same page."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urljoin

import pytest
import requests

from smart_app.state import state_of
from smart_app.tidying import tidy
from tests.running import Browser, Chart, Running, log_in, token_in
from tests.web.steps import record_of, rows, titled

NOBODY = "0" * 32


def addresses(run: Running, name: str, value: str) -> Iterator[tuple[str, str]]:
    """(method, address) of each route that holds ``name`` (lid or hid), with ``value`` in it."""
    adapter = run.app.url_map.bind("127.0.0.1", url_scheme="http")
    for rule in run.app.url_map.iter_rules():
        if name in rule.arguments:
            values = dict.fromkeys(rule.arguments, "1") | {name: value}
            if "rater" in values:
                values["rater"] = "client"
            if "number" in values:
                values["number"] = "1"
            for method in sorted({"GET", "POST"} & (rule.methods or set())):
                yield method, adapter.build(rule.endpoint, values, method=method)


def seen(response: requests.Response) -> tuple[object, ...]:
    headers = {name: value for name, value in response.headers.items() if name != "Date"}
    return response.status_code, headers, response.text


def test_wrong_missing_and_unknown_give_the_same_page_everywhere(run: Running) -> None:
    chart, other = log_in(run), log_in(run, patient="jonas-lie")
    cookie = f"__Host-l-{chart.id[:8]}"
    (others_secret,) = other.browser.jar["127.0.0.1"].values()
    expected = seen(Browser().get(f"{run.url}/no/such/page"))
    assert expected[0] == 404
    tried = 0
    for method, path in [*addresses(run, "lid", chart.id), *addresses(run, "hid", NOBODY)]:
        for jar in ({}, {cookie: "x"}, {cookie: others_secret}, {f"__Host-p-{NOBODY[:8]}": "x"}):
            browser = Browser()
            browser.jar["127.0.0.1"] = dict(jar)
            assert seen(browser.request(method, urljoin(run.url, path))) == expected, (method, path, jar)
            tried += 1
    for method, path in addresses(run, "lid", NOBODY):
        assert seen(chart.browser.request(method, urljoin(run.url, path))) == expected, (method, path)
    assert tried > 100


def test_a_launch_idles_out_after_fifteen_minutes_and_says_so_in_its_frame(run: Running) -> None:
    chart = log_in(run, framed=True)
    run.clock.ahead = timedelta(minutes=14, seconds=50)
    assert chart.browser.get(chart.url).status_code == 200
    run.clock.ahead = timedelta(minutes=14, seconds=50) + timedelta(minutes=15, seconds=5)
    over = chart.browser.get(chart.url)
    assert (over.status_code, titled(over)) == (404, "This page is not open any more")
    assert over.headers["Content-Security-Policy"].endswith(f"frame-ancestors {run.hospital.base_url}")


def test_a_launch_ends_after_eight_hours_however_much_it_is_used(run: Running) -> None:
    chart = log_in(run)
    for minutes in range(10, 8 * 60, 10):
        run.clock.ahead = timedelta(minutes=minutes)
        assert chart.browser.submit(chart.page, "go-on").status_code == 303
    run.clock.ahead = timedelta(hours=8, seconds=5)
    assert chart.browser.get(chart.url).status_code == 404


def refresh_of(response: requests.Response) -> tuple[int, str]:
    seconds, _, address = response.headers["Refresh"].partition("; url=")
    return int(seconds), urljoin(response.url, address)


def test_an_unused_page_covers_itself_and_can_be_gone_on_with(run: Running) -> None:
    chart = log_in(run)
    seconds, address = refresh_of(chart.page)
    run.clock.ahead = timedelta(seconds=seconds)
    idle = chart.browser.get(address)
    assert titled(idle) == "Locked because it was not used"
    assert "Eva" not in idle.text
    assert refresh_of(idle)[0] >= 20, "WCAG 2.2.1: time to press the button"
    on = chart.browser.submit(idle, "go-on", back=chart.url.removeprefix(run.url))
    assert urljoin(on.url, on.headers["Location"]) == chart.url
    run.clock.ahead += timedelta(minutes=10)
    assert chart.browser.get(chart.url).status_code == 200, "the idle time began again"


def test_a_page_that_covers_itself_does_not_keep_the_launch_alive(run: Running) -> None:
    chart = log_in(run)
    seconds, address = refresh_of(chart.page)
    run.clock.ahead = timedelta(seconds=seconds)
    _, again = refresh_of(chart.browser.get(address))
    run.clock.ahead += timedelta(minutes=2, seconds=1)
    assert chart.browser.get(again).status_code == 404


@pytest.mark.parametrize(
    "back",
    ["https://evil.example/", "//evil.example/", "/l/../p/", "{url}\\..\\x", "{url}/x", "{url}\r\n", "{url}\u202e", ""],
)
def test_going_on_leads_to_a_page_of_this_launch_only(run: Running, back: str) -> None:
    chart = log_in(run)
    home = chart.url.removeprefix(run.url)
    on = chart.browser.submit(chart.page, "go-on", back=back.format(url=home))
    assert on.headers["Location"] == home


def hand_over(chart: Chart) -> requests.Response:
    return chart.browser.submit(chart.browser.get(chart.at("give")), "give", pin="482913")


def test_while_handed_over_each_page_is_enter_the_pin(run: Running) -> None:
    chart, other_tab = log_in(run), log_in(run)
    old = dict(other_tab.browser.jar["127.0.0.1"])
    hand_over(chart)
    asked = other_tab.browser.get(other_tab.url)
    assert (asked.status_code, asked.headers["Location"].rpartition("/")[2]) == (303, "locked")
    page = other_tab.browser.follow(asked)
    assert 'name="pin"' in page.text
    assert other_tab.browser.jar["127.0.0.1"] == old, "the old secret keeps this one right"
    assert Browser().get(page.url).status_code == 404, "without a cookie nobody can burn the tries"
    posted = other_tab.browser.post(other_tab.at("language"), data={"csrf": token_in(other_tab.page.text)})
    assert posted.status_code == 403, "forms from before are refused"


def test_a_page_that_is_not_for_the_role_is_refused_and_audited(run: Running) -> None:
    chart = log_in(run, user="Patient/eva-berg")
    refused = chart.browser.get(chart.at("give"))
    assert (refused.status_code, titled(refused)) == (403, "This page is not for your role")
    assert "Eva Berg" in refused.text, "the right patient stands on an error page too"
    last = run.store.audit.entries(after=rows(run, "audit") - 1)[-1]
    assert (last["action"], last["outcome"], last["purpose"]) == ("view", "refused", "handover.give")
    assert last["user_key"] == record_of(run, chart).user_key


def test_what_is_shown_and_done_is_in_the_audit_log(run: Running) -> None:
    before = rows(run, "audit")
    chart = log_in(run)
    chart.browser.submit(chart.page, "log-out")
    entries = run.store.audit.entries(after=before)
    assert (entries[0]["action"], entries[-1]["action"]) == ("log-in", "log-out")
    assert {entry["patient"] for entry in entries} == {"Patient/eva-berg"}
    assert {entry["display"] for entry in entries} == {"Kari Nilsen"}
    assert run.store.audit.verify().broken == 0


def test_log_ins_that_fail_are_one_row_a_minute_in_the_audit_log(run: Running) -> None:
    failed = state_of(run.app).failed
    failed.flush(run.clock(), last=True)
    run.clock.ahead = timedelta(minutes=2)
    before = rows(run, "audit")
    for _ in range(4):
        Browser().open(run.launch_url(""))
    (entry,) = run.store.audit.entries(after=before)
    assert (entry["action"], entry["outcome"], entry["purpose"], entry["patient"]) == (
        "log-in",
        "failed",
        "NoPatient",
        "",
    )
    failed.flush(run.clock())
    assert rows(run, "audit") == before + 1
    run.clock.ahead = timedelta(minutes=4)
    for _ in range(2):
        tidy(state_of(run.app))
    (entry,) = run.store.audit.entries(after=before + 1)
    assert (entry["outcome"], entry["site"], entry["purpose"]) == ("failed", "sandbox", "NoPatient 3 times")


def test_failed_log_ins_that_are_counted_are_written_when_the_app_stops(run: Running) -> None:
    failed = state_of(run.app).failed
    failed.flush(run.clock(), last=True)
    before = rows(run, "audit")
    for kind in ("LostReply", "IdentityError"):
        failed.note("south", kind, run.clock())
    failed.flush(run.clock(), last=True)
    assert [entry["purpose"] for entry in run.store.audit.entries(after=before)] == ["LostReply", "IdentityError"]


def test_a_token_that_the_hospital_ended_is_renewed_while_working(run: Running) -> None:
    chart = log_in(run)
    record = record_of(run, chart)
    with run.app.test_request_context():
        from smart_app.open_launch import opened

        client = opened(record, "").client()
    run.hospital.hospital.vault.revoke(_family(run, record.tokens.access_token), "access")
    assert client.read("Patient", "eva-berg")["id"] == "eva-berg"
    assert run.asked.count("POST /oauth2/token") == 2
    assert record_of(run, chart).tokens.access_token != record.tokens.access_token


def test_a_token_is_renewed_before_it_ends(run: Running) -> None:
    chart = log_in(run)
    record = record_of(run, chart)
    with run.app.test_request_context():
        from smart_app.open_launch import opened

        client = opened(record, "").client()
    assert record.tokens.expires_at
    run.clock.ahead = record.tokens.expires_at - run.clock() - timedelta(seconds=59)
    client.read("Patient", "eva-berg")
    client.read("Patient", "eva-berg")
    assert run.asked.count("POST /oauth2/token") == 2


def _family(run: Running, token: str) -> str:
    entry = run.hospital.hospital.vault.look("access", token)
    assert entry
    return entry.family
