"""Passkeys: believed only together with the API key of the service that has it."""

import pytest

import factories
from core.users import directory, passkeys
from core.users.keys import Keyring
from core.users.tables import Role
from factories import KEYRING


@pytest.fixture
async def service(session):
    user, key = await factories.user(session, roles=int(Role.SERVICE))
    return user, key, await passkeys.renew(session, KEYRING, user)


async def believes(session, passkey, api_key, keyring=KEYRING):
    known = passkeys.Passkeys()
    await known.refresh(session)
    return known.believes(keyring, passkey=passkey, api_key=api_key)


async def test_a_service_is_believed_with_its_own_key_alone(session, service):
    _, key, passkey = service
    other, other_key = await factories.user(session, roles=int(Role.SERVICE))
    others = await passkeys.renew(session, KEYRING, other)
    assert len(passkey) == 16
    assert await believes(session, passkey, key)
    for wrong in ("", "0" * 16, others, key, "\udcff"):
        assert not await believes(session, wrong, key)
    for wrong in ("", "0000000000", other_key, passkey):
        assert not await believes(session, passkey, wrong)


async def test_a_new_one_replaces_the_old(session, service):
    user, key, old = service
    new = await passkeys.renew(session, KEYRING, user)
    assert await believes(session, new, key)
    assert not await believes(session, old, key)


async def test_who_is_no_service_any_more_is_not_believed(session, service):
    user, key, passkey = service
    await directory.set_roles(session, user, revoke=Role.SERVICE)
    assert not await believes(session, passkey, key)
    await directory.set_roles(session, user, grant=Role.SERVICE | Role.DELETED)
    assert not await believes(session, passkey, key)


async def test_it_holds_under_a_new_secret(session, service):
    _, key, passkey = service
    old = b"a master secret for tests only, 32+ characters"  # of factories.KEYRING
    newer = Keyring(b"another master secret, also 32+ bytes", [old])
    assert await believes(session, passkey, key, newer)


async def test_it_is_stored_nowhere(session, service):
    user, _, passkey = service
    stored = await directory.by_id(session, user.id)
    assert passkey not in stored.passkey_hash
    assert stored.passkey_hash != KEYRING.hash(passkey)
