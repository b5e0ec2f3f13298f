"""The settings file: what is read, and each mistake with the line to write."""

import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from smart_app.config_file import ConfigError, example, read_config

APP = {"public_url": '"https://imr.hospital.example"', "store": '"data/imr.sqlite"', "keys": '"keys/imr.keys"'}
SITE = {
    "organization": '"Nordlys DPS"',
    "phone": '"+47 00 00 00 00"',
    "iss": '"https://ehr.hospital.example/fhir"',
    "client_id": '"imr"',
}


def written(folder: Path, app: dict[str, str | None] | None = None, site: dict[str, str | None] | None = None) -> Path:
    """A settings file of the least that is needed, changed by ``app`` and ``site``; None leaves a setting out."""
    path = folder / "imr-app.toml"
    tables = {"app": APP | (app or {}), "sites.nordlys": SITE | (site or {})}
    lines = []
    for table, settings in tables.items():
        lines += [f"[{table}]", *(f"{name} = {value}" for name, value in settings.items() if value is not None)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    return [problem.removeprefix(str(path)) for problem in caught.value.problems]


def test_the_least_that_is_needed(tmp_path: Path) -> None:
    config = read_config(written(tmp_path))
    assert config.store == tmp_path / "data/imr.sqlite"
    assert (config.demo, config.proxy_hops) == (False, 0)
    site = config.sites["nordlys"]
    assert (site.name, site.authentication, site.frame_ancestors) == ("nordlys", "public", ())
    assert not site.allow_unverified_clinician_scale
    assert str(site.zone) == "Europe/Oslo"


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("postgresql://imr@db/imr?passfile=/etc/pgpass", ""),
        ("postgresql+psycopg:///imr?host=/run/postgresql", ""),
        ("postgresql://imr:hunter2@db/imr", "store has the password in it"),
        ("postgresql://imr@db/imr?password=hunter2", "store has the password in it"),
        ("postgresql+asyncpg://imr@db/imr", "store postgresql+asyncpg is no driver"),
        ("postgresql//db", "store is no address"),
    ],
)
def test_a_store_in_postgresql(tmp_path: Path, address: str, told: str) -> None:
    path = written(tmp_path, app={"store": f'"{address}"'})
    if told:
        (problem,) = problems(path)
        assert told in problem
        assert 'Write: store = "postgresql://' in problem
        assert "hunter2" not in problem
    else:
        assert read_config(path).store == make_url(address)


def test_the_printed_example_is_right_and_explains_every_setting(tmp_path: Path) -> None:
    path = tmp_path / "imr-app.toml"
    path.write_text(example(), encoding="utf-8")
    config = read_config(path)
    lines = example().splitlines()
    assert all(before.startswith("# ") for before, line in pairwise(lines) if " = " in line)
    assert ' Default: "public".\n# authentication = ' in example()
    assert " Not set by default.\n# key_file = " in example()
    assert " Default: false.\n# allow_unverified_clinician_scale = " in example()
    # each setting that has a default stands there as a comment; uncommented it is right too, but for files
    everything = [line.removeprefix("# ") if " = " in line else line for line in lines]
    path.write_text("\n".join(line for line in everything if "_file" not in line and "private_key" not in line))
    assert read_config(path).sites.keys() == config.sites.keys()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"site": {"phone": None}}, ' line 5: [sites.nordlys] phone Missing data for required field. Write: phone = "'),
        ({"site": {"phone": "12"}}, " line 7: [sites.nordlys] phone Not a valid string."),
        ({"site": {"fone": '"1"'}}, " line 10: [sites.nordlys] fone is not a setting. Write: phone = "),
        ({"site": {"iss": '"http://ehr.example/fhir"'}}, " line 8: [sites.nordlys] iss is no https address."),
        ({"site": {"iss": '"https://a@ehr.example/fhir"'}}, " line 8: [sites.nordlys] iss is no https address."),
        ({"site": {"iss": '"https://ehr.example/fhir?x=1"'}}, " line 8: [sites.nordlys] iss is no https address."),
        ({"site": {"iss": '"https://ehr.example/../fhir"'}}, " line 8: [sites.nordlys] iss is no https address."),
        ({"site": {"iss": '"https://ehr.example:70000/fhir"'}}, " line 8: [sites.nordlys] iss is no https address."),
        ({"site": {"iss": '"https://[ehr.example/fhir"'}}, " line 8: [sites.nordlys] iss is no https address."),
        ({"site": {"frame_ancestors": '["*"]'}}, " line 10: [sites.nordlys] frame_ancestors '*' is no https://host"),
        ({"site": {"frame_ancestors": '["https://a.example/x"]'}}, " frame_ancestors 'https://a.example/x' is no"),
        ({"site": {"frame_ancestors": '["https://a.example; x"]'}}, " frame_ancestors 'https://a.example; x' is no"),
        ({"site": {"frame_ancestors": '["https://a.b, https://c.d"]'}}, " frame_ancestors 'https://a.b, https://c.d' "),
        ({"site": {"frame_ancestors": '["http://localhost:8080"]'}}, " frame_ancestors 'http://localhost:8080' is no"),
        ({"site": {"frame_ancestors": '["https://*"]'}}, " frame_ancestors 'https://*' is no"),
        ({"site": {"frame_ancestors": '["https://*.com"]'}}, " frame_ancestors 'https://*.com' is no"),
        ({"site": {"frame_ancestors": '["https://*.com:443"]'}}, " frame_ancestors 'https://*.com:443' is no"),
        ({"site": {"allowed_hosts": '["https://a.example/x"]'}}, " allowed_hosts 'https://a.example/x' is no https"),
        ({"site": {"allowed_hosts": '["https://a.example:65536"]'}}, " 'https://a.example:65536' is no https origin"),
        ({"site": {"extra_headers": '{ Authorization = "x" }'}}, " extra_headers 'Authorization' is no header"),
        ({"site": {"extra_headers": '{ "X-A" = "a\\nB: c" }'}}, " extra_headers 'X-A' is no header"),
        ({"site": {"id_token_algorithms": '["none"]'}}, " id_token_algorithms Must be one of"),
        ({"site": {"id_token_algorithms": '["HS256"]'}}, " id_token_algorithms Must be one of"),
        ({"site": {"id_token_algorithms": "[]"}}, " id_token_algorithms Shorter than minimum length 1."),
        ({"site": {"time_zone": '"Oslo"'}}, " time_zone Not a time zone by its name in the tz database. Write: time_"),
        ({"site": {"iss": '" https://ehr.example/fhir"'}}, " line 8: [sites.nordlys] iss is no https address."),
        ({"site": {"iss": '"https://ehr.example/a b"'}}, " line 8: [sites.nordlys] iss is no https address."),
        ({"site": {"iss": '"https://ehr.example/fhir/metadata"'}}, ' Write: iss = "https://ehr.example/fhir"'),
        (
            {"site": {"iss": '"https://ehr.example/.well-known/smart-configuration"'}},
            ' iss is a page of the FHIR base. Write: iss = "https://ehr.example"',
        ),
        (
            {"site": {"authentication": '"private_key_jwt"'}},
            " private_key_jwt and key_file go together.",
        ),
        ({"site": {"key_file": '"x.pem"'}}, " private_key_jwt and key_file go together."),
        ({"site": {"authentication": '"client_secret_basic"'}}, " client_secret_basic and client_secret_file go tog"),
        ({"site": {"client_secret_file": '"x"'}}, " client_secret_basic and client_secret_file go together."),
        ({"site": {"security_labels": '["substance"]'}}, " security_labels "),
        ({"site": {"pair_window_days": "0"}}, " pair_window_days Must be greater than or equal to 1"),
        ({"site": {"allow_unverified_clinician_scale": '"yes"'}}, " allow_unverified_clinician_scale Not a valid"),
        ({"app": {"public_url": '"https://imr.example/app"'}}, " line 2: [app] public_url is no https origin."),
        ({"app": {"public_url": '"http://127.0.0.1:8481"'}}, " public_url is no https origin."),
        ({"app": {"proxy_hops": '"1"'}}, " proxy_hops Not a valid integer. Write: proxy_hops = 1"),
        ({"app": {"demo": "true", "bind": '"0.0.0.0:80"'}}, " bind the demo is for this machine only."),
        ({"app": {"keys": None}}, ' line 1: [app] keys Missing data for required field. Write: keys = "'),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    (problem,) = problems(written(tmp_path, **change))
    assert told in problem
    assert "Write: " in problem


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, {"public_url": '"x"'}, {"iss": '"x"', "frame_ancestors": '["x"]'})
    assert [problem.partition("] ")[2].split()[0] for problem in problems(path)] == [
        "public_url",
        "iss",
        "frame_ancestors",
    ]


def test_the_demo_may_use_http_on_this_machine_only(tmp_path: Path) -> None:
    local = {"iss": '"http://localhost:8080/fhir"', "frame_ancestors": '["http://localhost:8080"]'}
    path = written(tmp_path, {"demo": "true", "public_url": '"http://127.0.0.1:8081"'}, local)
    assert read_config(path).demo
    (problem,) = problems(written(tmp_path, {"demo": "true"}, {"iss": '"http://ehr.example/fhir"'}))
    assert "iss is no https address" in problem


def test_two_sites_with_one_issuer_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    settings = "\n".join(f"{name} = {value}" for name, value in SITE.items())
    path.write_text(f"{path.read_text()}\n[sites.other]\n{settings}\n")
    (problem,) = problems(path)
    assert "[sites.other] iss is the one of [sites.nordlys] too." in problem


@pytest.mark.parametrize("text", ["[app", "\ufeff\x00"])
def test_a_file_that_is_no_toml(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text)
    assert problems(path)[0].startswith(": is no TOML")


def test_a_file_without_anything_and_one_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("[sitse.nordlys]\n")
    told = " ".join(problems(path))
    assert "[sitse] is not known" in told
    assert "[sites] has no site." in told
    assert "--config" in problems(tmp_path / "none.toml")[0]


def test_a_site_s_name_must_stand_in_an_address(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text().replace("[sites.nordlys]", '[sites."Nord lys"]'))
    assert "has a name that can't stand in an address" in problems(path)[0]


@pytest.mark.parametrize(("mode", "content", "told"), [(0o644, "", "can be read by others"), (0o600, "x", "RSA key")])
def test_a_key_file_is_private_and_a_key(tmp_path: Path, mode: int, content: str, told: str) -> None:
    key = tmp_path / "site.pem"
    key.write_text(content)
    key.chmod(mode)
    path = written(tmp_path, site={"authentication": '"private_key_jwt"', "key_file": '"site.pem"'})
    if os.name == "posix":
        assert any(told in problem for problem in problems(path))
    key.unlink()
    assert "site.pem is missing" in problems(path)[0]


@pytest.mark.parametrize(
    ("mode", "content", "told"),
    [
        (0o644, "s3cret", "can be read by others"),
        (0o600, "", "holds no secret"),
        (0o600, "a\nb", "holds no secret"),
        (0o600, "hemmelig å", "holds no secret"),
        (0o600, "s3cret\n", ""),
    ],
)
def test_a_secret_file_is_private_and_a_secret(tmp_path: Path, mode: int, content: str, told: str) -> None:
    secret = tmp_path / "site.secret"
    secret.write_text(content)
    secret.chmod(mode)
    path = written(tmp_path, site={"authentication": '"client_secret_basic"', "client_secret_file": '"site.secret"'})
    if not told:
        assert read_config(path).sites["nordlys"].client_secret_file == secret
    elif os.name == "posix" or mode == 0o600:
        (problem,) = problems(path)
        assert told in problem
        assert not content or content not in problem
