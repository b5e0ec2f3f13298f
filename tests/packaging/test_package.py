"""What `imr-fhir package` writes: the parts of the package, the same bytes every time, and what it refuses."""

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from imr_fhir import artefacts
from imr_fhir.cli import main
from imr_fhir.packaging import identity
from imr_fhir.packaging.archive import tgz
from imr_fhir.packaging.bundles import KINDS, bundle
from imr_fhir.packaging.examples import examples
from imr_fhir.packaging.npm import npm_package
from tests.after.test_everything_written_is_valid import profile_of

ARTEFACTS = artefacts.artefact_resources()
VIEWS = artefacts.view_definitions()
PACKAGE = npm_package(ARTEFACTS, examples(), VIEWS)


def members(package: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(package), mode="r:gz") as tar:
        opened = {member.name: tar.extractfile(member) for member in tar}
        return {name: file.read() for name, file in opened.items() if file}


def parsed(package: bytes, name: str) -> Any:
    return json.loads(members(package)[name])


class TestNpm:
    def test_manifest(self) -> None:
        manifest = parsed(PACKAGE, "package/package.json")
        assert manifest["name"] == "imr.fhir"
        assert manifest["version"] == f"{artefacts.VERSION}-draft", "a prerelease while the base is not registered"
        assert manifest["notForPublication"] is True
        assert (manifest["canonical"], manifest["fhirVersions"]) == (artefacts.BASE, ["4.0.1"])
        assert manifest["dependencies"] == {"hl7.fhir.r4.core": "4.0.1"}
        assert next(iter(members(PACKAGE))) == "package/package.json"

    @pytest.mark.parametrize(("folder", "expected"), [("package", ARTEFACTS), ("package/example", examples())])
    def test_each_resource_is_a_file_and_in_the_index(self, folder: str, expected: list[dict[str, Any]]) -> None:
        index = parsed(PACKAGE, f"{folder}/.index.json")
        files = {each["filename"]: parsed(PACKAGE, f"{folder}/{each['filename']}") for each in index["files"]}
        there = {f"{resource['resourceType']}/{resource['id']}" for resource in files.values()}
        guide = {"ImplementationGuide/imr.fhir"} if folder == "package" else set()
        assert there == {f"{resource['resourceType']}/{resource['id']}" for resource in expected} | guide
        for each in index["files"]:
            resource = files[each["filename"]]
            assert {key: resource.get(key) for key in each if key != "filename"} == {
                key: value for key, value in each.items() if key != "filename"
            }
        on_disk = {name for name in members(PACKAGE) if name.rpartition("/")[0] == folder}
        assert on_disk - {f"{folder}/package.json", f"{folder}/.index.json"} == {f"{folder}/{name}" for name in files}

    def test_artefacts_go_as_they_are(self) -> None:
        for artefact in ARTEFACTS:
            packed = parsed(PACKAGE, f"package/{artefact['resourceType']}-{artefact['id']}.json")
            assert artefacts.content_hash(packed) == artefacts.content_hash(artefact)

    def test_views_stand_apart_and_need_not_be_there(self) -> None:
        apart = {name: content for name, content in members(PACKAGE).items() if name.startswith("package/other/")}
        assert [json.loads(content) for content in apart.values()] == VIEWS
        assert set(members(PACKAGE)) - set(members(npm_package(ARTEFACTS, examples(), []))) == set(apart)

    def test_guide_lists_all(self) -> None:
        guide = parsed(PACKAGE, "package/ImplementationGuide-imr.fhir.json")
        listed = [each["reference"]["reference"] for each in guide["definition"]["resource"]]
        assert listed == [f"{each['resourceType']}/{each['id']}" for each in (*ARTEFACTS, *examples())]
        assert guide["version"] == identity.PACKAGE_VERSION

    def test_npm_reads_it(self, tmp_path: Path) -> None:
        """As other tools do, which know nothing of how it was packed."""
        (tmp_path / "package.tgz").write_bytes(PACKAGE)
        subprocess.run(["tar", "xzf", "package.tgz"], cwd=tmp_path, check=True)
        assert json.loads((tmp_path / "package/package.json").read_text())["name"] == "imr.fhir"


class TestExamples:
    def test_each_profile_has_one(self) -> None:
        profiles = {
            r["url"] for r in ARTEFACTS if r["resourceType"] == "StructureDefinition" and r["type"] != "Extension"
        }
        assert {profile for each in examples() for profile in each["meta"].get("profile", ())} == profiles

    def test_they_are_what_the_app_files(self) -> None:
        for each in examples():
            assert each["meta"].get("profile", [""]) == [profile_of(each)]

    def test_references_stay_among_them(self) -> None:
        there = {f"{each['resourceType']}/{each['id']}" for each in examples()}

        def references(value: Any) -> list[str]:
            if isinstance(value, dict):
                own = [value["reference"]] if isinstance(value.get("reference"), str) else []
                return own + [found for inner in value.values() for found in references(inner)]
            return [found for inner in value for found in references(inner)] if isinstance(value, list) else []

        assert set(references(examples())) <= there


class TestArchive:
    @pytest.mark.parametrize("size", [0, 1, 65535, 65536, 200_000])
    def test_gzip_reads_it(self, size: int) -> None:
        content = bytes(number % 251 for number in range(size))
        assert members(tgz({"a": content, "b/c": b"x"})) == {"a": content, "b/c": b"x"}
        assert gzip.decompress(tgz({"a": content}))[:1] == b"a"

    def test_nothing_of_this_machine_is_in_it(self) -> None:
        with tarfile.open(fileobj=io.BytesIO(PACKAGE)) as tar:
            assert {(m.uid, m.gid, m.uname, m.gname, m.mode, m.mtime) for m in tar} == {
                (0, 0, "", "", 0o644, 499162500)
            }
        assert PACKAGE[4:8] == b"\0\0\0\0", "gzip's own time"


@pytest.mark.parametrize("kind", KINDS)
def test_bundles_put_each_artefact_under_its_id(kind: Any) -> None:
    made = bundle(kind, ARTEFACTS)
    assert made["type"] == kind
    for entry, artefact in zip(made["entry"], ARTEFACTS, strict=True):
        assert entry["resource"] == {**artefact, "meta": {"tag": [artefacts.loaded_tag(artefact)]}}
    for entry in made["entry"]:
        reference = f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        assert entry["request"] == {"method": "PUT", "url": reference}


# The command


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["package", *arguments])


def test_same_bytes_whatever_the_machine_does(tmp_path: Path) -> None:
    built = []
    for number, (zone, umask, seed) in enumerate((("Asia/Tokyo", 0o077, "1"), ("America/Lima", 0o002, "77"))):
        folder = tmp_path / f"build {number}"
        folder.mkdir()
        code = f"import os; os.umask({umask}); from imr_fhir.cli import main; main(['package', '-o', 'out'])"
        environment = {**os.environ, "TZ": zone, "PYTHONHASHSEED": seed, "LC_ALL": "C"}
        command = [sys.executable, "-c", code]
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
        built.append({path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()})
    assert len(built[0]) > 10
    assert built[0] == built[1]


def test_says_what_it_wrote_and_writes_again(tmp_path: Path) -> None:
    out = tmp_path / "dist"
    first, second = run("-o", str(out)), run("-o", str(out), "--json")
    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    told = json.loads(second.stdout)
    assert {each["file"] for each in told["files"]} == {
        path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()
    }
    assert f"{out / 'imr.fhir-0.1.0-draft.tgz'}" in first.output
    (package,) = (each for each in told["files"] if each["file"].endswith(".tgz"))
    assert f"sha256 {package['sha256']}" in first.output


def test_two_builds_are_never_mixed(tmp_path: Path) -> None:
    (tmp_path / "imr.fhir-0.0.9.tgz").write_bytes(b"older")
    refused = run("-o", str(tmp_path))
    assert refused.exit_code == 1
    assert "imr.fhir-0.0.9.tgz" in refused.output
    assert "Nothing was written" in refused.output
    assert [path.name for path in tmp_path.iterdir()] == ["imr.fhir-0.0.9.tgz"]


def test_a_folder_that_can_not_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = run("-o", str(tmp_path / "file" / "dist"))
    assert refused.exit_code == 1
    assert "not a directory. What is there is not whole. Name a folder" in refused.output
