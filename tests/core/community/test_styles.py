"""Styles as requests find them, and how their use is counted and rewarded."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

import factories
from core.community import authoring, collections, styles
from core.community.authoring import Draft
from core.community.styles import Listing, StyleMismatch, StyleNotFound
from core.community.tables import CollectionRow, StyleRow
from core.db import now, table
from core.ledger import accounts
from core.stats import uses
from core.users.tables import Role

rows = table(StyleRow)
WORDS = {"name": "Fox", "prompt": "{p}, a fox{np}", "models": ["a model"]}


async def author(session, **properties):
    user, _ = await factories.user(session, roles=int(Role.TRUSTED), **properties)
    return user


async def style(session, user, *, kind="image", **said):
    style_id, _ = await authoring.create(session, user, kind, Draft(**WORDS | said))
    return style_id


async def found(session, name, kind="image"):
    return (await styles.resolve(session, kind, name)).id


async def change(session, style_id, **values):
    await session.execute(update(rows).where(rows.c.id == style_id).values(**values))


async def test_a_style_is_found_by_its_id_and_all_forms_of_its_name(session):
    ann = await author(session, username="Ann")
    own = await style(session, ann)
    for name in (str(own), "fox", "FOX", "style::fox", f"{ann.alias}::fox"):
        assert await found(session, name) == own
    for name in (f"style::{ann.alias}::Fox", f"{ann.alias}::style::Fox", f"Anna#{ann.id}::Fox"):
        assert await found(session, name) == own
    for name in ("a fox", "collection::fox", f"Ann#{ann.id + 1}::fox", "x::fox", str(uuid4())):
        with pytest.raises(StyleNotFound):
            await found(session, name)


async def test_of_several_with_a_name_the_public_and_the_most_used_is_meant(session):
    people = [await author(session) for _ in range(3)]
    first, second, private = [await style(session, user) for user in people]
    await change(session, private, use_count=9, public=False)
    assert await found(session, "fox") == first
    await change(session, second, use_count=1)
    assert await found(session, "fox") == second
    assert await found(session, f"{people[2].alias}::fox") == private
    text = await style(session, await author(session), kind="text")
    assert await found(session, "fox", "text") == text
    with pytest.raises(StyleMismatch):
        await found(session, str(text))


async def test_a_collection_draws_each_of_its_styles(session):
    ann = await author(session)
    members = {await style(session, ann, name=f"fox {number}") for number in range(3)}
    drawn_from = await collections.create(
        session,
        ann,
        name="Foxes",
        info=None,
        public=True,
        style_names=[f"fox {number}" for number in range(3)],
    )
    drawn = set()
    for name in ("foxes", "collection::foxes", f"collection::{ann.alias}::foxes", str(drawn_from)):
        for _ in range(12):
            chosen = await styles.resolve(session, "image", name)
            assert chosen.collection_id == drawn_from
            drawn.add(chosen.id)
    assert drawn == members  # fails once in 10^8
    shadowing = await style(session, ann, name="foxes")
    assert await found(session, "foxes") == shadowing


async def test_a_collection_without_styles_is_no_style(session):
    ann = await author(session)
    only = await style(session, ann)
    await collections.create(
        session, ann, name="Foxes", info=None, public=True, style_names=["fox"]
    )
    await authoring.remove(session, ann, await styles.by_id(session, str(only)))
    with pytest.raises(StyleNotFound):
        await found(session, "foxes")


async def test_models_and_parameters_come_from_the_style(session):
    ann = await author(session)
    own = await style(session, ann, params={"steps": 8, "width": 512}, models=["b", "a"])
    chosen = await styles.resolve(session, "image", str(own))
    asked = {"steps": 30, "width": 64, "height": 64, "n": 2, "seed": "7", "karras": False}
    assert styles.apply(chosen, "red###blue", asked, ["c"]) == (
        "red, a fox###blue",
        {"steps": 8, "width": 512, "height": 64, "n": 2, "seed": "7"},
        ["b", "a"],
    )
    assert chosen.account_id == ann.account_id


async def test_a_style_without_models_leaves_the_request_its_own(session):
    plain = await style(session, await author(session), models=None)
    chosen = await styles.resolve(session, "image", str(plain))
    assert styles.apply(chosen, "red", {}, ["c"])[2] == ["c"]


async def test_public_styles_are_listed_by_25_and_no_page_repeats_another(session):
    ann = await author(session)
    made = []
    for number in range(27):
        one = await style(session, ann, name=f"fox {number}", tags=["red"], models=["m"])
        await change(session, one, use_count=number % 5, created_at=now() + timedelta(number + 1))
        made.append(one)
    await style(session, ann, name="private", public=False, tags=["red"])
    blue = await style(session, ann, name="blue", tags=["blue", "red"], models=["n", "m"])

    async def page(number, **wanted):
        listing = Listing(kind="image", page=number, **wanted)
        return [row.id for row in await styles.listed(session, listing)]

    by_age = await page(1, sort="age", tag="red") + await page(2, sort="age", tag="red")
    assert by_age == [blue, *made]
    popular = await page(1) + await page(2)
    assert sorted(popular) == sorted([blue, *made])
    counts = {one: number % 5 for number, one in enumerate(made)} | {blue: 0}
    assert [counts[one] for one in popular] == sorted(counts.values(), reverse=True)
    assert await page(1, tag="blue") == await page(1, model="n") == [blue]
    assert await page(1, tag="m") == await page(3) == []


async def test_a_use_is_counted_and_rewarded_once(session):
    ann = await author(session)
    own = await style(session, ann)
    collection = await collections.create(
        session, ann, name="Foxes", info=None, public=True, style_names=["fox"]
    )
    before = await accounts.balance(session, ann.account_id)
    request_id = uuid4()
    use = {"style_id": own, "collection_id": collection, "account_id": ann.account_id}
    for _ in range(2):
        await uses.add(session, request_id, use, at=now())
        await styles.count_uses(session, limit=10)
    await uses.add(session, uuid4(), use | {"account_id": None, "collection_id": None}, at=now())
    assert await styles.count_uses(session, limit=10) == 1
    assert await accounts.balance(session, ann.account_id) == before + 200
    assert await styles.uses_of(session, [ann.id]) == {ann.id: {"image": 2}}
    assert await session.scalar(select(table(CollectionRow).c.use_count)) == 1


async def test_uses_are_forgotten_after_a_week_and_not_before_they_are_counted(session):
    ann = await author(session)
    use = {"style_id": await style(session, ann), "collection_id": None, "account_id": None}
    await uses.add(session, uuid4(), use, at=now() - timedelta(days=8))
    assert await uses.forget(session, at=now(), limit=10) == 0
    await styles.count_uses(session, limit=10)
    await uses.add(session, uuid4(), use, at=now())
    await styles.count_uses(session, limit=10)
    assert await uses.forget(session, at=now(), limit=10) == 1
