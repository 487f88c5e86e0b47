import asyncio
import dataclasses

import pytest

import factories
from core.db import table
from core.ledger import accounts, audit
from core.users import directory, roles
from core.users.keys import Keyring
from core.users.names import BadUsername
from core.users.tables import ANONYMOUS_KEY, Role, SharedKey, SharedKeyRow, User, UserRow
from factories import KEYRING

PSEUDONYM = "7f3c1f0e-8f3b-4a52-9d35-0d5c8f8f2a11"


async def test_a_user_is_found_by_key_id_and_alias(session):
    user, key = await factories.user(session, username="Ann#7")
    for found in (
        await directory.by_key(session, KEYRING, key),
        await directory.by_id(session, user.id),
        await directory.by_alias(session, f"Ann#7#{user.id}"),
        await directory.by_oauth_id(session, user.oauth_id),
    ):
        assert found == user
    assert user.alias == f"Ann#7#{user.id}"


async def test_a_key_is_stored_nowhere(session):
    user, key = await factories.user(session)
    assert key not in user.key_hash
    assert user.key_hash == KEYRING.hash(key)


@pytest.mark.parametrize("key", ["", "wrong", "x" * 10_000, "\x00", "\udcff", ANONYMOUS_KEY])
async def test_an_unknown_key_is_refused(session, key):
    await factories.user(session)
    with pytest.raises(directory.UnknownKey) as refused:
        await directory.by_key(session, KEYRING, key)
    assert refused.value.code == "InvalidAPIKey"
    assert refused.value.message.startswith("No user matching sent API Key.")


async def test_the_stored_hash_is_no_key(session):
    user, _ = await factories.user(session)
    with pytest.raises(directory.UnknownKey):
        await directory.by_key(session, KEYRING, user.key_hash)


@pytest.mark.parametrize("user_id", [-1, 999, 2**31, 2**64])
async def test_an_unknown_id_is_refused(session, user_id):
    with pytest.raises(directory.UnknownUser):
        await directory.by_id(session, user_id)


@pytest.mark.parametrize(
    "alias",
    ["", "#", "Ann", "Ann#", "Ann#0", "Ann#-1", "Ann#\u0660", "Ann#9999999999999", "anonymous#0"],
)
async def test_an_unknown_alias_is_refused(session, alias):
    with pytest.raises(directory.UnknownUser):
        await directory.by_alias(session, alias)


async def test_the_anonymous_user_has_the_public_key_and_the_system_account(session):
    await directory.ensure_anonymous(session, KEYRING)
    await directory.ensure_anonymous(session, KEYRING)
    anonymous = await directory.by_key(session, KEYRING, ANONYMOUS_KEY)
    assert (anonymous.id, anonymous.alias, anonymous.concurrency) == (0, "Anonymous#0", 500)
    assert (anonymous.account_id, anonymous.escrow_id) == (7, None)
    assert (await directory.by_alias(session, "Anonymous#0")).id == anonymous.id


async def test_nobody_changes_the_anonymous_user(session):
    anonymous = await directory.by_id(session, 0)
    with pytest.raises(roles.AnonForbidden):
        await directory.set_roles(session, anonymous, grant=Role.TRUSTED)
    with pytest.raises(roles.AnonForbidden):
        await directory.rotate_key(session, KEYRING, anonymous)


@pytest.mark.parametrize(
    ("oauth_id", "floor"), [(PSEUDONYM, 1400), ("g_123", 2500), ("gh_1", 2500)]
)
async def test_the_login_decides_the_floor(session, oauth_id, floor):
    user, _ = await factories.user(session, oauth_id=oauth_id)
    assert await accounts.balance(session, user.account_id) == floor
    assert await accounts.balance(session, user.escrow_id) == 0
    assert (await accounts.lock(session, {user.account_id}))[user.account_id] == 0


async def test_a_login_is_registered_once(database):
    async def register():
        async with database.writing() as session:
            return await factories.user(session, oauth_id="g_123")

    made = await asyncio.gather(*(register() for _ in range(5)), return_exceptions=True)
    refused = [each for each in made if isinstance(each, directory.AlreadyRegistered)]
    assert len(refused) == 4
    async with database.reading() as session:
        assert (await directory.by_oauth_id(session, "g_123")).username == "Someone"
        said = await audit.audit(session)
    assert (said.accounts, said.supply, said.balanced) == (2, 2500, True)


@pytest.mark.parametrize("oauth_id", ["", "g_\x00", "g_ 1", "é", "x" * 51])
async def test_a_login_that_no_service_has_is_refused(session, oauth_id):
    assert await directory.by_oauth_id(session, oauth_id) is None
    with pytest.raises(directory.BadOauthId):
        await factories.user(session, oauth_id=oauth_id)


async def test_a_bad_name_is_not_registered(session):
    with pytest.raises(BadUsername):
        await factories.user(session, username=" ")


async def test_names_need_not_be_unique(session):
    first, _ = await factories.user(session, username="Ann")
    second, _ = await factories.user(session, username="Ann")
    assert first.alias != second.alias


async def test_a_rotated_key_replaces_the_old_one(database):
    async with database.writing() as session:
        user, old = await factories.user(session)
    async with database.writing() as session:
        new = await directory.rotate_key(session, KEYRING, user)
    async with database.reading() as session:
        assert (await directory.by_key(session, KEYRING, new)).id == user.id
        with pytest.raises(directory.UnknownKey):
            await directory.by_key(session, KEYRING, old)


async def test_a_key_of_a_former_secret_works_and_is_renewed(database):
    newer = Keyring(b"another master secret", [b"a master secret for tests only, 32+ characters"])
    async with database.writing() as session:
        _, key = await factories.user(session)
    async with database.writing() as session:
        user = await directory.by_key(session, newer, key)
        assert not newer.is_current(user.key_hash)
        await directory.rehash(session, newer, user, key)
    async with database.reading() as session:
        user = await directory.by_key(session, Keyring(b"another master secret"), key)
        assert newer.is_current(user.key_hash)


async def test_a_key_rotated_meanwhile_is_not_brought_back(database):
    async with database.writing() as session:
        user, old = await factories.user(session)
        new = await directory.rotate_key(session, KEYRING, user)
        await directory.rehash(session, KEYRING, user, old)
    async with database.reading() as session:
        assert (await directory.by_key(session, KEYRING, new)).id == user.id
        with pytest.raises(directory.UnknownKey):
            await directory.by_key(session, KEYRING, old)


async def test_roles_are_granted_and_revoked(database):
    async with database.writing() as session:
        user, key = await factories.user(session, roles=Role.FLAGGED | Role.VPN)
    async with database.writing() as session:
        user = await directory.set_roles(
            session, user, grant=Role.TRUSTED | Role.CUSTOMIZER, revoke=Role.FLAGGED | Role.SPECIAL
        )
    assert Role(user.roles) == Role.TRUSTED | Role.CUSTOMIZER | Role.VPN
    async with database.reading() as session:
        assert (await directory.by_key(session, KEYRING, key)).roles == user.roles


async def test_roles_set_at_once_are_both_kept(database):
    """Each starts from what it read before the other was written."""
    async with database.writing() as session:
        made, _ = await factories.user(session)
    async with database.reading() as session:
        first = await directory.by_id(session, made.id)
    async with database.reading() as session:
        second = await directory.by_id(session, made.id)
    async with database.writing() as session:
        await directory.set_roles(session, first, grant=Role.TRUSTED)
    async with database.writing() as session:
        second = await directory.set_roles(session, second, grant=Role.VPN)
    assert Role(second.roles) == Role.TRUSTED | Role.VPN


@pytest.mark.parametrize(("read", "stored"), [(User, UserRow), (SharedKey, SharedKeyRow)])
def test_what_is_read_has_the_columns_that_are_stored(read, stored):
    fields = {field.name for field in dataclasses.fields(read)}
    assert fields == {column.name for column in table(stored).columns}


async def test_a_moderator_is_trusted(session):
    user, _ = await factories.user(session, roles=Role.MODERATOR)
    assert user.has(Role.TRUSTED)
    assert user.has(Role.MODERATOR)
    assert not user.has(Role.ADMIN)
