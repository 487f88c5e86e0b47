"""What a shared key allows, and its budget, of which nothing is spent twice."""

from datetime import timedelta
from uuid import uuid4

import pytest

import factories
from core.accounts import shared_keys as owned_keys
from core.db import now
from core.users import shared_keys
from core.users.shared_keys import Standing

AT = now()


async def key(session, **wanted):
    owner, _ = await factories.user(session)
    return await owned_keys.create(session, owner, {"budget": 1000, **wanted}, at=AT)


async def budget(session, key_id):
    found = await shared_keys.by_id(session, key_id)
    return found.budget, found.held, found.utilized


async def reserve(session, made, cost, **options):
    request_id = uuid4()
    options.setdefault("allow_downgrade", False)
    standing = await shared_keys.reserve(session, made.id, request_id, cost, **options)
    return request_id, standing


async def test_it_is_found_by_its_id_and_by_nothing_else(session):
    made = await key(session, name="a key")
    assert (await shared_keys.by_key(session, str(made.id))).name == "a key"
    for other in (str(uuid4()), "0000000000", ""):
        assert await shared_keys.by_key(session, other) is None


@pytest.mark.parametrize(
    ("properties", "later", "standing"),
    [
        ({}, 0, Standing.OWNER),
        ({"budget": None}, 0, Standing.OWNER),
        ({"days": 1}, 23, Standing.OWNER),
        ({"days": 1}, 24, shared_keys.SharedKeyExpired),
        ({"budget": 0}, 0, shared_keys.SharedKeyEmpty),
    ],
)
def test_whether_it_can_be_used(properties, later, standing):
    days = properties.pop("days", None)
    made = factories.friends_key(
        **{"budget": 1000, "expires_at": days and AT + timedelta(days=days), **properties}
    )
    at = AT + timedelta(hours=later)
    if isinstance(standing, Standing):
        assert shared_keys.check_usable(made, at=at, allow_downgrade=False) is standing
        return
    with pytest.raises(standing):
        shared_keys.check_usable(made, at=at, allow_downgrade=False)


def test_an_empty_one_asks_anonymously_where_that_is_allowed():
    empty = factories.friends_key(budget=0)
    assert shared_keys.check_usable(empty, at=AT, allow_downgrade=True) is Standing.ANONYMOUS


@pytest.mark.parametrize(
    ("limit", "size"),
    [("max_image_pixels", "pixels"), ("max_image_steps", "steps"), ("max_text_tokens", "tokens")],
)
def test_its_limits_hold(limit, size):
    shared_keys.check_size(factories.friends_key(), **{size: 10**9})
    shared_keys.check_size(factories.friends_key(**{limit: 10}), **{size: 10})
    for most in (0, 9):
        with pytest.raises(shared_keys.BeyondSharedKey):
            shared_keys.check_size(factories.friends_key(**{limit: most}), **{size: 10})


async def test_what_is_set_aside_cannot_be_set_aside_again(session):
    made = await key(session)
    first, _ = await reserve(session, made, 700)
    with pytest.raises(shared_keys.SharedKeyInsufficientKudos):
        await reserve(session, made, 301)
    assert await budget(session, made.id) == (1000, 700, 0)
    _, standing = await reserve(session, made, 301, allow_downgrade=True)
    assert standing is Standing.LAST
    await shared_keys.release(session, [first])
    assert await budget(session, made.id) == (1000, 300, 0)


async def test_charges_come_out_of_what_is_set_aside(session):
    made = await key(session)
    request, standing = await reserve(session, made, 500)
    assert standing is Standing.OWNER
    await shared_keys.consume(session, request, 200)
    assert await budget(session, made.id) == (800, 300, 200)
    await shared_keys.consume(session, request, 300)
    await shared_keys.release(session, [request])
    assert await budget(session, made.id) == (500, 0, 500)


async def test_what_a_charge_lacks_comes_from_what_nobody_has(session):
    made = await key(session)
    other, _ = await reserve(session, made, 600)
    request, _ = await reserve(session, made, 100)
    await shared_keys.consume(session, request, 1000)
    assert await budget(session, made.id) == (600, 600, 1000)
    await shared_keys.consume(session, other, 600)
    assert await budget(session, made.id) == (0, 0, 1600)


async def test_an_unlimited_one_only_counts(session):
    made = await key(session, budget=None)
    request, standing = await reserve(session, made, 10**9)
    await shared_keys.consume(session, request, 10**9)
    await shared_keys.add(session, made.id, 100)
    await shared_keys.release(session, [request])
    assert (standing, await budget(session, made.id)) == (Standing.OWNER, (None, 0, 10**9))


async def test_a_key_that_is_gone_is_passed_over(session):
    made = await key(session)
    request, _ = await reserve(session, made, 500)
    await owned_keys.remove_all(session, made.user_id)
    await shared_keys.consume(session, request, 200)
    await shared_keys.release(session, [request])
    assert await shared_keys.by_id(session, made.id) is None
