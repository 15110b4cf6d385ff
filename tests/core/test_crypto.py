from typing import Any

import pytest

from dotmac.core.crypto import (
    Key,
    KeyFileRefused,
    Keyring,
    SealBroken,
    read_keyring,
    session_options,
)

pytestmark = pytest.mark.unit
PLACE: Any = {"table": "network_nas", "column": "secret", "row_id": 7}
OLD, NEW = Key.derive(1, b"a" * 32), Key.derive(2, b"b" * 32)


def test_opens_what_it_sealed_and_never_the_same_twice():
    ring = Keyring([OLD])
    first, second = (ring.seal("s3cret ☃", **PLACE) for _ in range(2))
    assert ring.unseal(first, **PLACE) == ring.unseal(second, **PLACE) == "s3cret ☃"
    assert first != second
    assert b"s3cret" not in first


@pytest.mark.parametrize("other", [{"table": "x"}, {"column": "x"}, {"row_id": 8}])
def test_a_seal_opens_only_in_its_place(other):
    ring = Keyring([OLD])
    with pytest.raises(SealBroken):
        ring.unseal(ring.seal("x", **PLACE), **{**PLACE, **other})


def test_every_changed_byte_breaks_it():
    ring = Keyring([OLD])
    sealed = ring.seal("x", **PLACE)
    for index in range(len(sealed)):
        broken = bytearray(sealed)
        broken[index] ^= 1
        with pytest.raises(SealBroken):
            ring.unseal(bytes(broken), **PLACE)
    with pytest.raises(SealBroken):
        ring.unseal(sealed[:-1], **PLACE)


def test_two_keys_live_during_rotation():
    old, both = Keyring([OLD]), Keyring([NEW, OLD])
    assert both.unseal(old.seal("x", **PLACE), **PLACE) == "x"
    assert both.seal("x", **PLACE)[1] == 2
    with pytest.raises(SealBroken, match="not in the key ring"):
        old.unseal(both.seal("x", **PLACE), **PLACE)
    assert session_options(both).count("-cdotmac.key_") == 2


def test_refuses_bad_key_files(tmp_path):
    file = tmp_path / "key"
    with pytest.raises(KeyFileRefused, match="Cannot read"):
        read_keyring(file)
    file.write_text(f"1:{'ab' * 32}\n")
    file.chmod(0o644)
    with pytest.raises(KeyFileRefused, match="chmod 600"):
        read_keyring(file)
    file.chmod(0o600)
    assert read_keyring(file).current.id == 1
    for text in ("", "1:abcd", "nonsense", f"0:{'ab' * 32}"):
        file.write_text(text)
        with pytest.raises(KeyFileRefused):
            read_keyring(file)
