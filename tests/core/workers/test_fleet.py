from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import NoResultFound

import factories
from core.catalog import agents
from core.db import now, table
from core.errors import Invalid
from core.queue.matching import UNLIMITED, Offer
from core.users import directory, roles
from core.users.tables import Role
from core.workers import admission, fleet, offers
from core.workers.tables import WorkerRow

AT = now()


@pytest.fixture
async def owner(session):
    return (await factories.user(session))[0]


async def check_in(session, owner, *, at=AT, **changes):
    return await fleet.check_in(session, owner, factories.declared(**changes), at=at)


async def stored(session, name="a worker"):
    row = await fleet.by_name(session, name)
    if row is None:
        raise NoResultFound
    return row


async def test_the_first_check_in_makes_the_worker(session, owner):
    seen = await check_in(session, owner, name="  My \t worker ", threads=3)
    assert seen.is_new
    assert (seen.name, seen.paused, seen.maintenance) == ("My worker", False, False)
    row = await stored(session, "MY WORKER")
    assert (row.id, row.name, row.kind, row.user_id) == (seen.id, "My worker", "image", owner.id)
    assert (row.threads, row.agent, row.seen_at) == (3, factories.REGEN, AT)
    assert Offer.from_json(row.offer) == seen.offer


async def test_what_is_declared_becomes_the_offer(session, owner):
    priority, _ = await factories.user(session)
    seen = await check_in(
        session,
        owner,
        models=["stable_diffusion", "Deliberate", "Deliberate"],
        nsfw=False,
        extra_slow=True,
        only_covered=True,
        max_pixels=512 * 512,
        limit_steps=True,
        blacklist=[" RED ", "", "a word of over fifteen letters"],
        priority_usernames=[priority.alias],
    )
    assert seen.offer == Offer(
        kind="image",
        worker_id=str(seen.id),
        user_id=owner.id,
        models=frozenset({"stable_diffusion", "Deliberate"}),
        features=agents.agent(factories.REGEN).features,
        permissions=factories.declared().permissions,
        nsfw=False,
        trusted=False,
        fast=True,
        extra_slow=True,
        only_covered=True,
        pixels=512 * 512,
        steps=30,
        blacklist=frozenset({"red", "a word of over "}),
        users=frozenset({owner.id, priority.id}),
    )


async def test_steps_are_limited_only_where_the_worker_says_so(session, owner):
    assert (await check_in(session, owner)).offer.steps == UNLIMITED


@pytest.mark.parametrize(("speed", "is_fast"), [(None, True), (499_999.0, False), (5e5, True)])
async def test_a_worker_is_slow_below_half_a_megapixelstep_a_second(session, owner, speed, is_fast):
    first = await check_in(session, owner)
    await factories.change_worker(session, first.id, speed=speed)
    assert (await check_in(session, owner)).offer.fast == is_fast


@pytest.mark.parametrize("role", [Role.TRUSTED, Role.MODERATOR])
async def test_a_trusted_owners_worker_is_trusted(session, role):
    owner, _ = await factories.user(session, roles=role)
    assert (await check_in(session, owner)).offer.trusted


# --- what is written when ---


async def test_what_has_not_changed_is_written_every_thirty_seconds_only(session, owner):
    await check_in(session, owner)
    soon = AT + timedelta(seconds=29)
    assert not (await check_in(session, owner, at=soon)).is_new
    assert (await stored(session)).seen_at == AT
    later = AT + timedelta(seconds=30)
    await check_in(session, owner, at=later)
    assert (await stored(session)).seen_at == later


@pytest.mark.parametrize(
    "changes",
    [
        {"nsfw": False},
        {"models": ["Deliberate"]},
        {"max_pixels": 64},
        {"threads": 2},
        {"agent": "AI Horde Worker reGen:12:x"},
    ],
)
async def test_what_has_changed_is_written_at_once(session, owner, changes):
    await check_in(session, owner)
    at = AT + timedelta(seconds=1)
    seen = await check_in(session, owner, at=at, **changes)
    row = await stored(session)
    assert row.seen_at == at
    assert Offer.from_json(row.offer) == seen.offer
    assert (row.threads, row.agent) == (
        changes.get("threads", 1),
        changes.get("agent", factories.REGEN),
    )


@pytest.mark.parametrize(
    ("away", "state", "counted"),
    [
        (40, {}, 40),
        (299, {}, 299),
        (300, {}, 0),
        (40, {"paused": True}, 0),
        (40, {"maintenance": True}, 0),
    ],
)
async def test_uptime_counts_while_the_worker_serves(session, owner, away, state, counted):
    seen = await check_in(session, owner)
    await factories.change_worker(session, seen.id, uptime_seconds=1000, **state)
    await check_in(session, owner, at=AT + timedelta(seconds=away))
    assert (await stored(session)).uptime_seconds == 1000 + counted


async def test_the_worker_is_told_its_state(session, owner):
    seen = await check_in(session, owner)
    await factories.change_worker(
        session, seen.id, paused=True, maintenance=True, maintenance_message="Later."
    )
    again = await check_in(session, owner)
    assert (again.paused, again.maintenance, again.maintenance_message) == (True, True, "Later.")


# --- refusals ---


async def test_the_anonymous_user_owns_no_workers(session):
    anonymous = await directory.by_id(session, 0)
    with pytest.raises(admission.AnonForbiddenWorker):
        await check_in(session, anonymous)


@pytest.mark.parametrize(
    ("role", "refusal"),
    [(Role.DELETED, roles.DeletedUser), (Role.FLAGGED, admission.WorkerFlagged)],
)
async def test_who_may_not_run_workers(session, role, refusal):
    owner, _ = await factories.user(session, roles=role)
    with pytest.raises(refusal):
        await check_in(session, owner)


async def test_a_workers_name_is_its_owners(session, owner):
    await check_in(session, owner)
    other, _ = await factories.user(session)
    with pytest.raises(fleet.WrongCredentials, match="rong credentials"):
        await check_in(session, other, name="A WORKER")


async def test_a_workers_name_is_of_one_kind(session, owner):
    await check_in(session, owner)
    with pytest.raises(fleet.NameTaken):
        await check_in(session, owner, kind="text")


@pytest.mark.parametrize("name", ["", "  ", "My Colab", "tpu 1", "GOOGLE"])
async def test_names_that_are_refused(session, owner, name):
    with pytest.raises(Invalid) as refused:
        await check_in(session, owner, name=name)
    assert refused.value.code == "BadRequest"


@pytest.mark.parametrize("name", ["x" * 300, "\u0390" * 300, "ß" * 300])
async def test_a_long_name_is_cut(session, owner, name):
    seen = await check_in(session, owner, name=name)
    assert seen.name == name[:100]
    assert (await stored(session, seen.name)).id == seen.id
    assert (await check_in(session, owner, name=name)).id == seen.id


@pytest.mark.parametrize(
    "username", ["alice", "alice#", "alice#x", "#-1", f"alice#{10**30}", "alice#٣x"]
)
async def test_prioritised_users_are_named_by_alias(session, owner, username):
    with pytest.raises(offers.InvalidPriorityUsername):
        await check_in(session, owner, priority_usernames=[username])


@pytest.mark.parametrize(
    ("roles", "invited", "limit", "refusal"),
    [
        (0, 0, 3, admission.TooManyWorkers),
        (0, 5, 5, admission.TooManyWorkers),
        (Role.TRUSTED, 0, 20, admission.TooManyWorkersTrusted),
        (Role.TRUSTED, 21, 21, admission.TooManyWorkersTrusted),
    ],
)
async def test_how_many_workers_a_user_may_have(session, roles, invited, limit, refusal):
    owner, _ = await factories.user(session, roles=roles)
    owner = await directory.change(session, owner, worker_invited=invited)
    for n in range(limit):
        await check_in(session, owner, name=f"worker {n}")
    with pytest.raises(refusal):
        await check_in(session, owner, name="one too many")
    await check_in(session, owner, name="worker 0")
    count = select(func.count()).where(table(WorkerRow).c.user_id == owner.id)
    assert await session.scalar(count) == limit


# --- models ---


async def test_unknown_models_are_dropped(session, owner):
    seen = await check_in(session, owner, models=["my own", "stable_diffusion"])
    assert seen.offer.models == {"stable_diffusion"}


@pytest.mark.parametrize("models", [[], ["my own"]])
async def test_a_worker_without_a_known_model_is_refused(session, owner, models):
    with pytest.raises(Invalid, match="we cannot accept workers serving") as refused:
        await check_in(session, owner, models=models)
    assert refused.value.code == "BadRequest"
    assert await fleet.by_name(session, "a worker") is None


@pytest.mark.parametrize("role", [Role.CUSTOMIZER, Role.SPECIAL])
async def test_customizers_bring_any_model(session, role):
    owner, _ = await factories.user(session, roles=role)
    seen = await check_in(session, owner, models=["my own"])
    assert seen.offer.models == {"my own"}


async def test_lists_are_cut(session):
    owner, _ = await factories.user(session, roles=Role.CUSTOMIZER)
    seen = await check_in(
        session,
        owner,
        models=[f"model {n}" for n in range(400)],
        blacklist=[f"word {n}" for n in range(300)],
    )
    assert len(seen.offer.models) == 300
    assert len(seen.offer.blacklist) == 200


# --- look-ups ---


async def test_who_is_online(session, owner):
    await check_in(session, owner, name="here", at=AT - timedelta(seconds=299))
    await check_in(session, owner, name="gone", at=AT - timedelta(seconds=300))
    assert [row.name for row in await fleet.online(session, at=AT)] == ["here"]


async def test_looking_workers_up(session, owner):
    seen = await check_in(session, owner)
    stranger = (await check_in(session, owner, name="other")).id
    assert (await fleet.by_id(session, seen.id)).name == "a worker"
    assert await fleet.by_name(session, "nobody") is None
    lost = uuid4()
    assert await fleet.by_id(session, lost) is None
    assert await fleet.missing(session, [seen.id, lost]) == {lost}
    assert await fleet.names(session, [seen.id, stranger, lost]) == {
        seen.id: "a worker",
        stranger: "other",
    }
