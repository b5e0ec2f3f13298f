"""SECURITY E: the key file, sealed values and look-ups."""

import base64
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from smart_app.store.cipher import Cipher
from smart_app.store.errors import Damaged, KeyFileError, NotPrivate
from smart_app.store.keys import Keys, load_keys, new_key, new_keys


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_key_file_is_made_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made = load_keys(tmp_path / "a" / "b" / "keys.json", create=True)
    finally:
        os.umask(before)
    assert [mode(tmp_path / each) for each in ("a", "a/b", "a/b/keys.json")] == [0o700, 0o700, 0o600]
    assert list((tmp_path / "a" / "b").iterdir()) == [tmp_path / "a" / "b" / "keys.json"]
    assert load_keys(tmp_path / "a" / "b" / "keys.json") == made


def test_values_lookups_and_audit_have_keys_of_their_own() -> None:
    keys = new_keys()
    assert len({keys.values[0].secret, keys.lookups.secret, keys.audit[0].secret}) == 3
    assert len(keys.lookups.secret) == 32


def test_missing_key_file_is_refused_outside_the_demo(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="There is no key file"):
        load_keys(tmp_path / "keys.json")


@pytest.mark.parametrize("wrong", ["file", "directory"])
def test_key_file_that_others_may_open_is_refused(tmp_path: Path, wrong: str) -> None:
    file = tmp_path / "k" / "keys.json"
    load_keys(file, create=True)
    (file if wrong == "file" else file.parent).chmod(0o640 if wrong == "file" else 0o750)
    with pytest.raises(NotPrivate, match="chmod"):
        load_keys(file)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content.pop("audit"),
        lambda content: content["values"].clear(),
        lambda content: content["lookups"].append(content["audit"][0]),
        lambda content: content["values"].append(content["values"][0]),
        lambda content: content["values"][0].update(key=base64.b64encode(b"short").decode()),
        lambda content: content["values"][0].update(key="not base64!"),
        lambda content: content["values"][0].update(id="a|b"),
    ],
)
def test_spoiled_key_file_is_refused_without_showing_a_key(tmp_path: Path, spoil) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "keys.json"
    load_keys(file, create=True)
    content = json.loads(file.read_text())
    known = [entry["key"] for kind in content.values() for entry in kind]
    spoil(content)
    file.write_text(json.dumps(content))
    with pytest.raises(KeyFileError) as caught:
        load_keys(file)
    assert not any(key in str(caught.value) for key in known)


def test_two_processes_that_make_the_key_file_at_once_read_the_same_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: load_keys(tmp_path / "keys.json", create=True), range(8)))
    assert all(keys == made[0] for keys in made)


def test_keys_do_not_show_in_a_traceback() -> None:
    assert repr(new_keys().values[0].secret) not in repr(new_keys())
    assert "secret" not in repr(new_keys())


PLACE = ("answer", "draft-1/06", "value")


def test_sealed_value_opens_at_its_place() -> None:
    cipher = Cipher(new_keys())
    sealed = cipher.seal_json(*PLACE, {"code": "06-3", "på": "ø"})
    assert cipher.open_json(*PLACE, sealed) == {"code": "06-3", "på": "ø"}
    assert b"06-3" not in sealed
    assert cipher.seal_json(*PLACE, {"code": "06-3", "på": "ø"}) != sealed


@pytest.mark.parametrize(
    "elsewhere",
    [("draft", "draft-1/06", "value"), ("answer", "draft-2/06", "value"), ("answer", "draft-1/06", "other")],
)
def test_value_moved_to_another_table_row_or_column_does_not_open(elsewhere: tuple[str, str, str]) -> None:
    cipher = Cipher(new_keys())
    with pytest.raises(Damaged, match=elsewhere[1]):
        cipher.open(*elsewhere, cipher.seal(*PLACE, b"06-3"))


@pytest.mark.parametrize("at", range(0, 50, 7))
def test_value_with_one_bit_changed_does_not_open(at: int) -> None:
    cipher = Cipher(new_keys())
    sealed = bytearray(cipher.seal(*PLACE, b"06-3 and some more to be changed"))
    sealed[at] ^= 1
    with pytest.raises(Damaged):
        cipher.open(*PLACE, bytes(sealed))


@pytest.mark.parametrize("length", [0, 1, 2, 9, 21, 37])
def test_value_cut_short_does_not_open(length: int) -> None:
    cipher = Cipher(new_keys())
    with pytest.raises(Damaged):
        cipher.open(*PLACE, cipher.seal(*PLACE, b"06-3")[:length])


def test_first_key_writes_and_the_rest_read() -> None:
    old = new_keys()
    new = replace(old, values=(new_key(), *old.values))
    assert Cipher(new).open(*PLACE, Cipher(old).seal(*PLACE, b"06-3")) == b"06-3"
    with pytest.raises(Damaged):
        Cipher(old).open(*PLACE, Cipher(new).seal(*PLACE, b"06-3"))


def test_key_id_is_part_of_the_place() -> None:
    secret = new_key().secret
    first, second = (replace(new_key(), id=name, secret=secret) for name in ("aaaaaaaa", "bbbbbbbb"))
    keys = Keys(values=(first, second), lookups=new_key(), audit=(new_key(),))
    sealed = Cipher(keys).seal(*PLACE, b"06-3")
    with pytest.raises(Damaged):
        Cipher(keys).open(*PLACE, sealed.replace(b"aaaaaaaa", b"bbbbbbbb"))


def test_two_places_never_have_one_name() -> None:
    with pytest.raises(ValueError, match="two places"):
        Cipher(new_keys()).seal("answer", "draft|1", "value", b"")


def test_lookups_tell_kinds_parts_and_keys_apart() -> None:
    cipher = Cipher(new_keys())
    spellings = [("user", "a", "bc"), ("user", "ab", "c"), ("patient", "a", "bc"), ("user", "a", "bc", "")]
    assert len({cipher.lookup(*each) for each in spellings} | {Cipher(new_keys()).lookup(*spellings[0])}) == 5
    assert cipher.lookup(*spellings[0]) == cipher.lookup(*spellings[0])
