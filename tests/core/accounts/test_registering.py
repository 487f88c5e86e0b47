import pytest

import factories
from core.accounts import registering
from core.accounts.changes import ProfaneUserName
from core.accounts.registering import RegistrationClosed
from core.ledger import accounts
from core.moderation import modes
from core.users import directory
from core.users.names import BadUsername
from factories import KEYRING


@pytest.fixture
def database_url(sqlite_url):
    """Nothing here depends on the engine; the directory's tests run on both."""
    return sqlite_url


async def register(session, *, username="Ann", oauth_id=None, is_open=True):
    return await registering.register(
        session, KEYRING, username=username, oauth_id=oauth_id, is_open=is_open
    )


async def test_who_has_no_login_is_pseudonymous(session):
    user, key = await register(session)
    assert directory.is_pseudonymous(user.oauth_id)
    assert await accounts.balance(session, user.account_id) == 1400
    assert (await directory.by_key(session, KEYRING, key)).id == user.id


async def test_a_login_is_registered_once(session):
    user, _ = await register(session, oauth_id="gh_7")
    assert (user.oauth_id, await accounts.balance(session, user.account_id)) == ("gh_7", 2500)
    assert (await directory.by_oauth_id(session, "gh_7")).id == user.id


async def test_a_login_cannot_be_registered_twice(database):
    async with database.writing() as session:
        await register(session, oauth_id="gh_7")
    with pytest.raises(directory.AlreadyRegistered):
        async with database.writing() as session:
            await register(session, oauth_id="gh_7")


@pytest.mark.parametrize("oauth_id", [None, "gh_7"])
async def test_nobody_registers_where_it_is_closed(session, oauth_id):
    with pytest.raises(RegistrationClosed):
        await register(session, oauth_id=oauth_id, is_open=False)


async def test_a_raid_keeps_out_who_has_no_login(session):
    await modes.switch(session, raid=True)
    with pytest.raises(RegistrationClosed) as refused:
        await register(session)
    assert "under attack" in refused.value.message
    user, _ = await register(session, oauth_id="gh_7")
    assert user.id


@pytest.mark.parametrize(("name", "error"), [("fuck you", ProfaneUserName), (" ", BadUsername)])
async def test_names_are_looked_at(session, name, error):
    user, _ = await factories.user(session, username="Ann")
    with pytest.raises(error):
        await register(session, username=name)
    with pytest.raises(error):
        await registering.rename(session, user, name)
    assert (await directory.by_id(session, user.id)).username == "Ann"


async def test_a_name_can_be_changed(session):
    user, _ = await factories.user(session, username="Ann")
    await registering.rename(session, user, "  Bob\t ")
    assert (await directory.by_id(session, user.id)).alias == f"Bob#{user.id}"
