"""What a template gives a browser: strict names, nothing inline, headings in order, labels, and little to carry."""

import gzip
import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import pytest
from flask import Flask, g, render_template, render_template_string
from jinja2 import UndefinedError
from markupsafe import Markup

from imr_fhir.ehr.chart import Chart, Problem
from imr_fhir.record import Factor
from smart_app import create_app
from smart_app.config import AppConfig, SiteConfig
from smart_app.csrf import bind_forms
from smart_app.language import use_language, words
from smart_app.presenters.header import age, called, header
from smart_app.presenters.how import how
from smart_app.presenters.known import known
from smart_app.presenters.panel import panel
from smart_app.presenters.situation import OpenDraft, Situation
from smart_app.store import Store
from smart_app.store.keys import load_keys
from tests.presenters.build import PLAN, VIEWER, chart, goal, noted, pair
from tests.spec.build import answers, client, course, d, stopped

STATIC = Path("smart_app/static")
VENDORED = STATIC / "vendor/designsystemet"
APP = "http://127.0.0.1:2"
LID = "0" * 32
NAME = "Anna Moe"

GOALS = [
    each
    for number in range(10)
    for each in (
        goal(
            f"Goal {number}", number, start=d(number), theirs=number != 3, lifecycle="active" if number else "cancelled"
        ),
        goal(f"Step of {number}", 100 + number, parent=f"Goal/g{number}", due=d(200)),
    )
]
CHARTS = {
    "nothing": (chart(), 0),
    "one visit": (chart(pair(0, answers(2), answers(4))), 1),
    "blind": (chart([*pair(0), client(91, answers(1), comment="<b>Hard</b>")], episodes=[course()]), 95),
    "item 13": (chart(pair(0, answers(3, {13: 0}), answers(3))), 40),
    "stopped": (chart([*pair(0), stopped(91)]), 130),
    "ten years": (
        chart(
            [each for visit in range(20) for each in pair(182 * visit, answers(1 + visit % 5), answers(3))],
            goals=GOALS,
            notes=[noted(Factor, 1, kind="helps", text="A walk", focus="Goal/g9")],
            episodes=[course()],
            problems=[Problem("other-patient", "Goal", count=1)],
        ),
        182 * 19 + 5,
    ),
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    private = tmp_path_factory.mktemp("private")
    private.chmod(0o700)
    site = SiteConfig(
        name="north", organization="Nordlys", phone="+47 00 00 00 00", iss="http://127.0.0.1:1/fhir", client_id="imr"
    )
    config = AppConfig(
        sites=MappingProxyType({"north": site}),
        demo=True,
        public_url=APP,
        store=private / "imr.sqlite",
        keys=private / "imr.keys",
    )
    store = Store.open(config.store, load_keys(config.keys, create=True))
    yield create_app(config, store=store)
    store.close()


def render(app: Flask, of: Chart, today: int, *, language: str = "en", template: str = "panel/show.html") -> str:
    drafts = tuple(OpenDraft(rater, 3, d(today), d(today), expiring=False) for rater in ("client", "clinician"))
    now = Situation(
        today=d(today), may_write=True, clinician_on=True, viewer=VIEWER, plan=PLAN, waiting=2, drafts=drafts
    )
    with app.test_request_context(base_url=APP):
        use_language(language)
        bind_forms("a test")
        g.header = header(words(), name=NAME, birth_date=d(-14_500), organization="Nordlys", today=now.today, lid=LID)
        all_of = known(words(), of, now, name=called(NAME))
        if template == "panel/how.html":
            return render_template(template, how=how(words(), all_of, now), lid=LID)
        shown = render_template("panel/panel.html", panel=panel(words(), of, all_of, now), lid=LID)
        return render_template(template, shown=Markup(shown))


class Page(HTMLParser):
    """Elements in order, each with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.fixture(params=[(name, language) for name in CHARTS for language in ("en", "nb")], ids=" ".join)
def html(request: pytest.FixtureRequest, app: Flask) -> str:
    name, language = request.param
    return render(app, *CHARTS[name], language=language)


def test_headings_go_down_one_level_at_a_time(html: str) -> None:
    levels = [int(tag[1]) for tag, _ in Page(html).elements if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))


def test_names_of_parts_are_unique_and_exist(html: str) -> None:
    page = Page(html)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = {
        name
        for _, attributes in page.elements
        for key in ("for", "aria-labelledby", "aria-describedby")
        for name in (attributes.get(key) or "").split()
    }
    links = {href[1:] for link in page.all("a") if (href := link.get("href") or "").startswith("#")}
    assert named | links <= set(ids)


def test_the_policy_for_content_blocks_nothing_of_it(html: str) -> None:
    page = Page(html)
    for tag, attributes in page.elements:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
        assert "data:" not in "".join(value or "" for value in attributes.values())
    assert [script.get("src", "")[:8] for script in page.all("script")] == ["/static/"]
    assert all((link.get("href") or "").startswith("/static/") for link in page.all("link"))


def test_the_title_names_nobody_and_the_header_names_the_patient(html: str) -> None:
    title = re.search("<title>(.*?)</title>", html)
    assert title
    assert "Anna" not in title[1]
    assert "Moe" not in title[1]
    head = html.partition("<main")[0]
    assert NAME in head
    assert "1986" in head


def test_every_post_carries_its_proof(html: str) -> None:
    posts = re.findall(r'<form[^>]*method="post".*?</form>', html, re.DOTALL)
    assert len(posts) >= 4
    assert not [form for form in posts if 'name="csrf"' not in form]


def test_every_choice_of_colour_is_also_said(html: str) -> None:
    page = Page(html)
    assert all(svg.get("aria-label") or svg.get("aria-labelledby") for svg in page.all("svg"))
    assert all(
        attributes.get("aria-hidden")
        for attributes in page.all("span")
        if "mark" in (attributes.get("class") or "").split()
    )


def test_a_persons_words_are_text_and_never_markup(app: Flask) -> None:
    html = render(app, *CHARTS["blind"])
    assert "&lt;b&gt;Hard&lt;/b&gt;" in html
    assert "<b>Hard" not in html


@pytest.mark.parametrize("language", ["en", "nb"])
def test_how_it_is_worked_out_renders(app: Flask, language: str) -> None:
    assert "0,7367" in render(app, *CHARTS["ten years"], language="nb", template="panel/how.html")
    assert "<h1>" in render(app, *CHARTS["nothing"], language=language, template="panel/how.html")


def test_a_name_that_a_template_lacks_is_an_error(app: Flask) -> None:
    with app.test_request_context(base_url=APP), pytest.raises(UndefinedError):
        render_template_string("{{ a_name_that_nobody_gave }}")


def test_every_template_compiles(app: Flask) -> None:
    names = [name for name in app.jinja_env.list_templates() if name.endswith(".html")]
    assert names
    for name in names:
        app.jinja_env.get_template(name)


def test_forty_ratings_and_ten_goals_are_at_most_60_kilobytes(app: Flask) -> None:
    html = render(app, *CHARTS["ten years"])
    carried = [html.encode()]
    for link in Page(html).all("link", "script"):
        address = (link.get("href") or link.get("src") or "").removeprefix("/static/").partition("?")[0]
        carried.append((STATIC / address).read_bytes())
    assert sum(len(gzip.compress(each)) for each in carried) <= 60_000


def test_the_vendored_style_is_what_was_published() -> None:
    style = (VENDORED / "designsystemet.css").read_bytes()
    rows = [line.split() for line in (VENDORED / "SOURCES").read_text().splitlines()[3:]]
    for sha256, length, name in rows:
        part, style = style[: int(length)], style[int(length) :]
        assert hashlib.sha256(part).hexdigest() == sha256, name
    assert style == b""


def test_no_style_loads_anything() -> None:
    for file in STATIC.rglob("*.css"):
        addresses = re.findall(r"url\(([^)]*)\)", file.read_text(encoding="utf-8"))
        assert [address for address in addresses if not address.strip("\"'").startswith("#")] == [], file
        assert "@import" not in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "short"), [("Eva Berg", "Eva"), ("Berg, Eva Marie", "Eva"), ("Eva", "Eva"), ("", ""), (" ,", "")]
)
def test_what_a_person_is_called(name: str, short: str) -> None:
    assert called(name) == short


@pytest.mark.parametrize(("born", "today", "years"), [(0, 0, 0), (1, 365, 0), (0, 365, 1), (1, 366, 1)])
def test_age_counts_birthdays(born: int, today: int, years: int) -> None:
    assert age(d(born), d(today)) == years
