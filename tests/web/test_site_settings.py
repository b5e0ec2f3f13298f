"""What a site's settings must have among themselves, and the ready tables for each kind of EHR."""

import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest
from joserfc.jwk import ECKey
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from imr_fhir.ehr.capability import WRITTEN
from smart_app.config_file import read_config
from smart_app.hospital import Hospital
from smart_app.ready_sites import READY, ready_settings
from smart_app.sandbox import EHRS, FLOWSHEET
from smart_app.site_checks import flat_keys
from tests.web.test_config import problems, written


@pytest.mark.parametrize(
    ("site", "told"),
    [
        ({"never_write": '["Patient"]'}, " never_write Must be one of: QuestionnaireResponse, "),
        ({"observation_shape": '"wide"'}, " observation_shape Must be one of: components, members, flat."),
        (
            {"observation_shape": '"flat"'},
            " line 10: [sites.nordlys] observation_shape flat needs flat_codes",
        ),
        ({"flat_codes": '{ client-mean = "31000" }'}, " flat_codes Not a code as system|code."),
        (
            {"flat_codes": '{ client-9 = "s|1" }'},
            " flat_codes 'client-9' is no figure. Write: client-09 = \"s|1",
        ),
        ({"flat_codes": '{ x = "s|1" }'}, " flat_codes 'x' is no figure. Write: client-mean = \"s|1\""),
        (
            {"flat_codes": '{ client-01 = "s|1", clinician-01 = "s|1" }'},
            " line 10: [sites.nordlys] flat_codes clinician-01 has the code of client-01.",
        ),
        ({"document_format": '"word"'}, " document_format Must be one of: text, pdf."),
        ({"document_type": '"74465-6"'}, " document_type Not a code as system|code."),
        ({"course_episode_types": '["IMR"]'}, " course_episode_types Not a code as system|code."),
        ({"ca_file": '"none.pem"'}, "none.pem can't be read (No such file or directory)."),
        ({"ca_file": '"imr-app.toml"'}, "imr-app.toml has no certificate in PEM ("),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, site: dict[str, str | None], told: str) -> None:
    (problem,) = problems(written(tmp_path, site=site))
    assert told in problem
    assert "Write: " in problem


def test_flat_codes_may_be_a_table_of_their_own(tmp_path: Path) -> None:
    path = written(tmp_path, site={"observation_shape": '"flat"'})
    path.write_text(f'{path.read_text()}\n[sites.nordlys.flat_codes]\nclient-mean = "urn:x|1"\n')
    assert read_config(path).sites["nordlys"].flat_codes == {"client-mean": "urn:x|1"}
    path.write_text(f'{path.read_text()}client-16 = "urn:x|2"\n')
    (problem,) = problems(path)
    assert problem.startswith(" line 11: [sites.nordlys] flat_codes 'client-16' is no figure.")


@pytest.mark.parametrize("installed", [True, False])
def test_pdf_needs_what_makes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: bool) -> None:
    module = ModuleType("weasyprint")
    module.__spec__ = ModuleSpec("weasyprint", None)
    monkeypatch.setitem(sys.modules, "weasyprint", module if installed else None)  # type: ignore[arg-type]
    path = written(tmp_path, site={"document_format": '"pdf"'})
    if installed:
        assert read_config(path).sites["nordlys"].document_format == "pdf"
    else:
        assert "pdf needs WeasyPrint and Pango, and one is not installed." in problems(path)[0]


def test_a_site_s_own_certificate_authorities_are_the_ones_believed(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(Path(DEFAULT_CA_BUNDLE_PATH).read_bytes())
    config = read_config(written(tmp_path, site={"ca_file": '"ca.pem"'}))
    assert config.sites["nordlys"].ca_file == ca
    Hospital(config.sites["nordlys"], config)
    ca.unlink()
    with pytest.raises(OSError, match="No such file"):
        Hospital(config.sites["nordlys"], config)


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    path = tmp_path / "imr-app.toml"
    path.write_text(READY.read_text(encoding="utf-8"), encoding="utf-8")
    key = tmp_path / "imr.pem"
    key.write_bytes(ECKey.generate_key("P-384").as_pem(private=True))
    secret = tmp_path / "imr.secret"
    secret.write_text("as OpenEMR gave it")
    for each in (key, secret):
        each.chmod(0o600)
    return path


def test_the_ready_tables_are_right_and_one_is_there_for_each_ehr_of_the_sandbox(ready: Path) -> None:
    sites = read_config(ready).sites
    assert set(sites) == set(EHRS) - {"azure"}  # to the app a generic server
    assert set(sites["epic"].flat_codes) == set(flat_keys())
    assert {code.partition("|")[0] for code in sites["epic"].flat_codes.values()} == {FLOWSHEET}
    assert sites["dips"].extra_headers.keys() == EHRS["dips"].headers.keys()


@pytest.mark.parametrize("ehr", EHRS)
def test_what_a_ready_table_leaves_to_be_written_the_ehr_takes(ready: Path, ehr: str) -> None:
    settings = ready_settings(ehr)
    taken = {name for name in WRITTEN if EHRS[ehr].takes("create", name)}
    # taken, and not of what the app has: OpenEMR's goals are its administrators', Epic's forms those that it assigned
    others = {"openemr": {"Goal"}, "epic": {"QuestionnaireResponse"}}.get(ehr, set())
    assert not taken & set(settings.get("never_write", ())) - {"Observation"} - others
    assert set(WRITTEN) - set(settings.get("never_write", ())) <= taken


def test_openemr_gives_a_users_scopes_to_a_client_with_a_secret_and_none_with_a_wildcard(ready: Path) -> None:
    """Its registration: "system and user scopes are only allowed for confidential clients"; its issue 7775."""
    openemr = read_config(ready).sites["openemr"]
    assert openemr.authentication != "public"
    assert "user/QuestionnaireResponse.write" in openemr.scopes.split()
    assert "*" not in openemr.scopes


def test_ready_settings_name_no_hospital() -> None:
    settings = [setting for ehr in EHRS for setting in ready_settings(ehr)]
    assert set(settings) == {"scopes", "never_write", "observation_shape", "flat_codes", "document_format"}
