import re

import pytest

from core.users.keys import Keyring

OLD, NEW = b"the former master secret", b"the present master secret"


def test_a_key_is_22_url_safe_characters_and_new_each_time():
    keys = {Keyring(NEW).new() for _ in range(100)}
    assert len(keys) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22}", key) for key in keys)


def test_a_hash_names_its_secret_and_fits_its_column():
    stored = Keyring(NEW).hash("some key")
    assert re.fullmatch(r"[0-9a-f]{8}:[0-9a-f]{64}", stored)
    assert len(stored) <= 80


def test_a_hash_is_the_same_for_the_same_secret_and_key_alone():
    assert Keyring(NEW).hash("a") == Keyring(NEW, [OLD]).hash("a")
    assert Keyring(NEW).hash("a") != Keyring(NEW).hash("b")
    assert Keyring(NEW).hash("a").split(":")[1] != Keyring(OLD).hash("a").split(":")[1]


def test_candidates_are_of_all_secrets_the_present_one_first():
    keyring = Keyring(NEW, [OLD])
    assert keyring.candidates("a") == [Keyring(NEW).hash("a"), Keyring(OLD).hash("a")]


def test_a_hash_under_a_former_secret_is_not_current():
    keyring = Keyring(NEW, [OLD])
    assert keyring.is_current(keyring.hash("a"))
    assert not keyring.is_current(Keyring(OLD).hash("a"))
    assert not keyring.is_current(None)


def test_each_purpose_has_a_secret_of_its_own():
    keyring = Keyring(NEW)
    subkeys = {
        keyring.subkey("pictures"),
        keyring.subkey("sessions"),
        Keyring(OLD).subkey("sessions"),
    }
    assert len(subkeys) == 3
    assert {len(subkey) for subkey in subkeys} == {32}
    assert keyring.subkey("pictures") == Keyring(NEW).subkey("pictures")


def test_nothing_hashed_before_is_lost():
    """Written down once: another derivation would lock all users out."""
    assert Keyring(b"secret").hash("0000000000") == (
        "1c820504:fe98419396a9cbbce45baf230d2856e59bb4de6532993bc37a7a77cc40bdaa12"
    )


@pytest.mark.parametrize("key", ["", "\udcff", "\x00", "ключ", "k" * 10_000])
def test_any_text_can_be_hashed(key):
    assert Keyring(NEW).hash(key)


def test_an_empty_secret_is_refused():
    with pytest.raises(ValueError, match="empty"):
        Keyring(b"")
