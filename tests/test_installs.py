"""SECURITY E: what is installed is what the locks name, by hash, and nothing of an npm package runs meanwhile."""

import base64
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from shutil import copy

import pytest

from tests import parts
from tests.npm import node_modules

LOCKS = sorted(Path("requirements").glob("*.txt"))
WHEEL = "small-1.0-py3-none-any.whl"


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_each_package_of_a_lock_has_its_version_and_hashes(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) > 10
    entry = re.compile(r"[\w.\-\[\]]+==\S+( *; [^#]+?)? +(--hash=sha256:[0-9a-f]{64} *)+")
    assert [line for line in lines if not entry.fullmatch(line)] == []


def wheel(folder: Path) -> str:
    """A package with nothing in it; its hash."""
    info = "small-1.0.dist-info"
    with zipfile.ZipFile(folder / WHEEL, "w") as built:
        built.writestr("small.py", "")
        built.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: small\nVersion: 1.0\n")
        built.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        built.writestr(f"{info}/RECORD", f"small.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return hashlib.sha256((folder / WHEEL).read_bytes()).hexdigest()


def test_what_has_another_hash_or_none_is_not_installed(tmp_path: Path) -> None:
    """By the script with which everybody installs; pip may look in one folder and nowhere else."""
    (tmp_path / "requirements").mkdir()
    copy("requirements/install", tmp_path / "requirements")
    digest = wheel(tmp_path)
    found = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": os.devnull}

    def installed(named: str) -> tuple[bool, str]:
        (tmp_path / "requirements/app.txt").write_text(f"small==1.0{named}\n", encoding="utf-8")
        ran = subprocess.run(
            ["requirements/install", sys.executable, "app"],
            cwd=tmp_path, env=os.environ | found, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode != 0, "there is no project here to install after the packages"
        return bool(list((tmp_path / ".venv").glob("lib/*/site-packages/small.py"))), ran.stderr

    there, said = installed("")
    assert (there, "--require-hashes" in said) == (False, True), said
    there, said = installed(f" --hash=sha256:{'0' * 64}")
    assert (there, "DO NOT MATCH THE HASHES" in said) == (False, True), said
    there, said = installed(f" --hash=sha256:{digest}")
    assert there, said


@pytest.fixture
def npm_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package.json with its lock that names one package, whose script would leave a file behind."""
    parts.need(parts.NODE)
    monkeypatch.setenv("IMR_TOOLS", str(tmp_path / "tools"))
    told = {"name": "small", "version": "1.0.0", "scripts": {"install": f"touch {tmp_path / 'it-ran'}"}}
    content = json.dumps(told).encode()
    with tarfile.open(tmp_path / "small.tgz", "w:gz") as archive:
        entry = tarfile.TarInfo("package/package.json")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    folder = tmp_path / "front"
    folder.mkdir()
    return folder


def lock(folder: Path, digest: bytes) -> None:
    tarball = f"file:{folder.parent / 'small.tgz'}"
    integrity = f"sha512-{base64.b64encode(digest).decode()}"
    wanted = {"dependencies": {"small": tarball}}
    packages = {"": wanted, "node_modules/small": {"version": "1.0.0", "resolved": tarball, "integrity": integrity}}
    (folder / "package.json").write_text(json.dumps(wanted), encoding="utf-8")
    (folder / "package-lock.json").write_text(
        json.dumps({"lockfileVersion": 3, "requires": True, "packages": packages}), encoding="utf-8"
    )


def test_nothing_of_an_npm_package_runs_when_it_is_installed(npm_folder: Path) -> None:
    lock(npm_folder, hashlib.sha512((npm_folder.parent / "small.tgz").read_bytes()).digest())
    assert (node_modules(npm_folder) / "small/package.json").is_file()
    assert not (npm_folder.parent / "it-ran").exists()


def test_an_npm_package_with_another_hash_is_not_installed(npm_folder: Path) -> None:
    lock(npm_folder, bytes(64))
    with pytest.raises(AssertionError, match="EINTEGRITY"):
        node_modules(npm_folder)
