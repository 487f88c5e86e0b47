"""Who may ask, in one order: the requester, the horde, the rules, the filter."""

import pytest
from sqlalchemy import delete, insert, update

import factories
from core.db import table
from core.generation import admission, ask
from core.generation.admission import Caller
from core.generation.ask import MissingPrompt
from core.generation.gates import MaintenanceMode
from core.generation.specs import RequestSpec
from core.kinds.alchemy import AlchemyParams
from core.moderation import shipped
from core.moderation.prompts import CorruptPrompt
from core.moderation.tables import HordeModes
from core.users.directory import UnknownKey
from core.users.shared_keys import BeyondSharedKey, SharedKeyExpired
from core.users.tables import SharedKeyRow

UNKNOWN = UnknownKey("No such key.")
FORMS = AlchemyParams(source_image="x.webp", tiles=1, forms=[{"name": "caption"}])
REFUSED = "a naked toddler"


@pytest.fixture
def database_url(sqlite_url):
    """One engine: nothing here differs between them."""
    return sqlite_url


@pytest.fixture(autouse=True)
async def filters(session):
    """The filters that every horde starts with."""
    await shipped.ensure(session)


async def shared_key(session, **properties):
    """A friend's shared key."""
    owner, _ = await factories.user(session, available=10_000)
    adding = insert(table(SharedKeyRow)).values(user_id=owner.id, **properties)
    key_id = await session.scalar(adding.returning(SharedKeyRow.id))
    return owner, Caller(user=UNKNOWN, key=str(key_id)), key_id


async def test_a_user_asks_as_they_are(session, horde):
    user, _ = await factories.user(session)
    wanted = factories.image_ask()
    admitted = await admission.admit(session, horde, Caller(user=user), wanted)
    assert (admitted.requester.user, admitted.wanted) == (user, wanted)


async def test_who_has_a_shared_key_asks_as_its_owner(session, horde):
    owner, caller, key_id = await shared_key(session)
    admitted = await admission.admit(session, horde, caller, factories.image_ask())
    assert admitted.requester.user.id == owner.id
    assert admitted.requester.shared_key.id == key_id


async def test_forms_cannot_be_asked_for_with_it(session, horde):
    _, caller, _ = await shared_key(session)
    wanted = RequestSpec(kind="alchemy", prompt="", params=FORMS, n=1)
    with pytest.raises(UnknownKey):
        await admission.admit(session, horde, caller, wanted)


async def test_the_horde_comes_before_the_rules_and_these_before_the_filter(session, horde):
    """Each refusal hides what would be refused after it."""
    _, caller, _ = await shared_key(session, max_image_steps=10)
    user, _ = await factories.user(session, username="another")

    async def refused(reason, who, **changes):
        with pytest.raises(reason):
            await admission.admit(session, horde, who, factories.image_ask(**changes))

    await refused(UnknownKey, Caller(user=UNKNOWN, key="nobody's"), prompt=" ")
    await refused(MissingPrompt, Caller(user=user), prompt=" ")
    await refused(BeyondSharedKey, caller, prompt=REFUSED, replacement_filter=False)
    await refused(CorruptPrompt, Caller(user=user), prompt=REFUSED, replacement_filter=False)
    await session.execute(update(table(HordeModes)).values(maintenance=True))
    horde.modes.forget()
    await refused(MaintenanceMode, Caller(user=user), prompt=" ")


async def test_a_shared_key_that_is_deleted_meanwhile_is_refused(session, horde):
    """Source pictures are fetched after the admission, which takes seconds."""
    _, caller, key_id = await shared_key(session)
    admitted = await admission.admit(session, horde, caller, factories.image_ask())
    await session.execute(delete(SharedKeyRow).where(SharedKeyRow.id == key_id))
    with pytest.raises(SharedKeyExpired):
        await ask.ask(session, horde, admitted.requester, admitted.wanted)
