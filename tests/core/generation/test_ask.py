"""What is asked is stored and paid for in one step, or refused, and then nothing happened."""

import re
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

import factories
from core.db import now, table
from core.generation import ask, holding, pictures
from core.generation.specs import KudosUpfront, Requester
from core.kinds.image import ImageParams
from core.ledger import accounts, audit
from core.ledger.tables import Account, Event, Hold, SystemAccount
from core.queue.matching import Needs
from core.queue.tables import Job, Lane, RequestRow
from core.users import directory
from core.users.roles import DeletedUser
from core.users.tables import Role
from core.workers import fleet

# By hand, for 512x512 pixels (a quarter of a megapixel) and 30 steps: 4 kudos, and for each step
# 0.04 + 0.32 / 4 + 0.17 / 16; 7.91875 in all. Each picture is taxed with 1.
PRICE, PICTURE = 792, 892
TAX = 100
HEAVY = ImageParams(width=1088, height=1024)


@pytest.fixture
async def user(session):
    return (await factories.user(session, available=10_000))[0]


async def asked(session, horde, user, **changes):
    wanted = factories.image_ask(**changes)
    requester = Requester(user=user)
    ask.check(requester, wanted)
    return await ask.ask(session, horde, requester, wanted)


async def held(session, request_id):
    key = holding.key_of(request_id)
    return await session.scalar(select(Hold.amount).where(Hold.key == key))


async def stored(session, request_id):
    return await factories.row(session, RequestRow, request_id)


async def jobs_of(session, request_id):
    of_request = select(table(Job)).where(Job.request_id == request_id).order_by(Job.number)
    return (await session.execute(of_request)).all()


async def serving(session, horde, threads=1):
    """Let a worker be online."""
    owner, _ = await factories.user(session)
    await fleet.check_in(session, owner, factories.declared(threads=threads), at=now())
    horde.online.forget()


# --- what is stored ---


async def test_a_request_and_its_jobs_are_stored(session, horde, user):
    params = ImageParams(width=640, sampler_name="k_heun", karras=False)
    answer = await asked(
        session, horde, user, params=params, n=3, seed="7", models=["Deliberate"], nsfw=True
    )
    request = await stored(session, answer.request_id)
    assert (request.kind, request.user_id, request.n) == ("image", user.id, 3)
    assert (request.prompt, request.client_agent) == ("a red fox", "tests:1:none")
    assert ImageParams.from_json(request.params) == params
    assert request.expires_at - request.created_at == factories.LIFE
    assert Needs.from_json(request.needs) == Needs(
        models=frozenset({"Deliberate"}),
        features=frozenset({"sampler:k_heun", "r2"}),
        nsfw=True,
        covered=True,
        pixels=640 * 512,
        steps=60,
    )
    rows = await jobs_of(session, answer.request_id)
    assert [(row.number, row.seed) for row in rows] == [(0, 7), (1, 8), (2, 9)]
    assert {(row.user_id, row.things) for row in rows} == {(user.id, 640 * 512 * 60)}
    (lane_id,) = {row.lane_id for row in rows}
    assert await session.scalar(select(Lane.key).where(Lane.id == lane_id)) == "parked:image"


@pytest.mark.parametrize("seed", [None, ""])
async def test_without_a_seed_it_is_by_chance(session, horde, user, seed):
    seeds = set()
    for _ in range(3):
        answer = await asked(session, horde, user, seed=seed)
        seeds |= {row.seed for row in await jobs_of(session, answer.request_id)}
    assert len(seeds) == 3
    assert all(0 <= seed < 2**32 for seed in seeds)


async def test_priority_is_the_accounts_kudos(session, horde):
    ranks = {}
    for name, properties in {
        "rich": {"available": 100_000},  # 1000 kudos and the floor of 25
        "poor": {},
        "flagged": {"roles": Role.FLAGGED, "available": 100_000},
    }.items():
        user, _ = await factories.user(session, **properties)
        answer = await asked(session, horde, user)
        ranks[name] = (await jobs_of(session, answer.request_id))[0].rank
    anonymous = await directory.by_id(session, 0)
    answer = await asked(session, horde, anonymous)
    ranks["anonymous"] = (await jobs_of(session, answer.request_id))[0].rank
    ahead = {name: ranks["anonymous"] - rank for name, rank in ranks.items()}
    # Within the seconds that this test takes, each worth 5.
    assert ahead == pytest.approx(
        {"rich": 1075, "poor": 75, "flagged": -50, "anonymous": 0}, abs=25
    )


# --- what it costs ---


async def test_the_tax_is_paid_and_the_price_held(session, horde, user):
    answer = await asked(session, horde, user, n=2)
    assert answer.price == PRICE
    assert await held(session, answer.request_id) == 2 * PICTURE
    account = await factories.row(session, Account, user.account_id)
    assert (account.balance - account.held - account.floor, account.held) == (
        10_000 - TAX - 2 * PICTURE,
        2 * PICTURE,
    )
    assert await accounts.balance(session, SystemAccount.TAX) == TAX
    assert (await stored(session, answer.request_id)).terms == {
        "version": 1,
        "account": user.account_id,
        "price": PRICE,
        "tax": TAX,
        "slow_workers": True,
        "worker_blacklist": False,
    }


@pytest.mark.parametrize(
    ("available", "is_held", "forgiven", "covered"),
    [
        (0, 0, TAX, False),
        (60, 0, TAX - 60, False),
        (TAX + 500, 500, 0, False),
        (TAX + PICTURE - 1, PICTURE - 1, 0, False),
        (TAX + PICTURE, PICTURE, 0, True),
    ],
)
async def test_what_is_there_is_held_and_the_rest_trusted(
    session, horde, available, is_held, forgiven, covered
):
    user, _ = await factories.user(session, available=available)
    answer = await asked(session, horde, user)
    assert await held(session, answer.request_id) == is_held
    assert await accounts.balance(session, SystemAccount.FORGIVENESS) == -forgiven
    needs = Needs.from_json((await stored(session, answer.request_id)).needs)
    assert needs.covered == covered
    assert (await audit.audit(session)).balanced


async def test_a_trusted_users_request_counts_as_covered(session, horde):
    user, _ = await factories.user(session, roles=Role.TRUSTED)
    answer = await asked(session, horde, user)
    assert Needs.from_json((await stored(session, answer.request_id)).needs).covered


async def test_the_anonymous_user_holds_nothing(session, horde):
    anonymous = await directory.by_id(session, 0)
    answer = await asked(session, horde, anonymous)
    assert await held(session, answer.request_id) is None
    assert await accounts.balance(session, SystemAccount.ANONYMOUS) == -TAX
    assert not Needs.from_json((await stored(session, answer.request_id)).needs).covered


def test_extra_pictures_are_taxed():
    extra = [{"image": "x", "strength": 1.0}] * 2
    params = ImageParams(extra_source_images=extra)
    assert ask.quote(factories.image_ask(params=params)).tax == 100 + 2 * 500


@pytest.mark.parametrize(
    ("changes", "results"),
    [
        ({}, 892),
        ({"n": 3}, 3 * 892),
        ({"models": ["Deliberate", "SDXL 1.0"]}, 2 * 792 + 100),
        ({"slow_workers": False}, 1070),  # 8.92 * 1.2
        ({"worker_blacklist": True}, 981),
        ({"params": ImageParams(source_image="x")}, 1130),  # 7.92 * 1.3 + 1
    ],
)
def test_quotes(changes, results):
    assert ask.quote(factories.image_ask(**changes)).results == results


# --- refusals: nothing is stored and nothing charged ---

REFUSED = {
    "WorkerNotFound": (fleet.WorkerNotFound, {}, {"workers": [str(uuid4())]}),
    "no worker's id": (fleet.WorkerNotFound, {}, {"workers": ["not an id"]}),
    "TooManyPrompts": (ask.TooManyPrompts, {"concurrency": 2}, {"n": 3}),
    "too large": (KudosUpfront, {}, {"params": HEAVY}),
    "too many steps": (KudosUpfront, {}, {"params": ImageParams(steps=41)}),
    "fast workers": (KudosUpfront, {}, {"slow_workers": False}),
    "DeletedUser": (DeletedUser, {"roles": Role.DELETED}, {}),
    "MissingPrompt": (ask.MissingPrompt, {}, {"prompt": " \n"}),
    "RequiresTrust": (
        ask.RequiresTrust,
        {},
        {"n": 2, "params": ImageParams(disable_batching=True)},
    ),
    "MoreExtraImages": (
        pictures.MoreExtraImagesNeedTrust,
        {},
        {"params": ImageParams(extra_source_images=[{"image": "x", "strength": 1.0}] * 2)},
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_refused_request_leaves_nothing(database, horde, name):
    refusal, properties, changes = REFUSED[name]
    async with database.writing() as session:
        user, _ = await factories.user(session, **properties)
        events = await count(session, Event)
    with pytest.raises(refusal):
        async with database.writing() as session:
            await asked(session, horde, user, **changes)
    async with database.reading() as session:
        assert [await count(session, model) for model in (RequestRow, Job, Hold, Lane)] == [0] * 4
        assert await count(session, Event) == events


async def count(session, model):
    return await session.scalar(select(func.count()).select_from(table(model)))


@pytest.mark.parametrize(
    ("roles", "changes"),
    [
        (0, {"params": ImageParams(disable_batching=True)}),
        (Role.TRUSTED, {"n": 2, "params": ImageParams(disable_batching=True)}),
        (0, {"n": 30, "params": ImageParams(width=64, height=64, steps=1)}),
    ],
)
async def test_what_is_allowed_after_all(session, horde, roles, changes):
    user, _ = await factories.user(session, roles=roles)
    await asked(session, horde, user, **changes)


async def test_waiting_jobs_count_towards_the_concurrency(session, horde):
    user, _ = await factories.user(session, concurrency=3)
    await asked(session, horde, user, n=2)
    with pytest.raises(ask.TooManyPrompts):
        await asked(session, horde, user, n=2)
    await factories.claimed(session, horde.lanes, factories.able(), amount=1)
    await asked(session, horde, user, n=2)  # one is being made, and counts no longer


async def test_targeted_workers(session, horde, user):
    ids = []
    for n in range(6):
        owner, _ = await factories.user(session)
        seen = await fleet.check_in(session, owner, factories.declared(name=f"w {n}"), at=now())
        ids.append(str(seen.id))
    answer = await asked(session, horde, user, workers=ids, worker_blacklist=True)
    needs = Needs.from_json((await stored(session, answer.request_id)).needs)
    assert needs.workers == set(ids[:5])
    assert needs.avoid


# --- heavy requests ---


@pytest.mark.parametrize(
    ("threads", "waiting", "models", "side"),
    [
        (0, 0, [], 1024),
        (0, 100, [], 1024 - 90),
        (9, 100, [], 1024),
        (5, 100, [], 1024 + 50 - 90),
        (0, 10_000, [], 576),
        (0, 10_000, ["stable_diffusion_2.1"], 768),
        (0, 10_000, ["SDXL 1.0"], 1024),
    ],
)
async def test_the_free_size_depends_on_how_busy_it_is(
    session, horde, threads, waiting, models, side
):
    if threads:
        await serving(session, horde, threads)
        await horde.online.refresh(session, at=now())
    await factories.request(session, horde.lanes, n=1)
    await horde.lanes.update(session)
    (lane_id,) = horde.lanes.least_needs()
    horde.counts.jobs = {lane_id: waiting}
    assert pictures.free_side(horde, factories.image_ask(models=models)) == side


@pytest.mark.parametrize(
    ("changes", "is_heavy"),
    [
        ({"params": ImageParams(width=1024, height=1024)}, False),
        ({"params": HEAVY}, True),
        ({"params": ImageParams(steps=40)}, False),
        ({"params": ImageParams(steps=41)}, True),
        ({"params": ImageParams(steps=20, sampler_name="k_heun")}, False),
        ({"params": ImageParams(steps=21, sampler_name="k_heun")}, True),
        ({"params": ImageParams(steps=500, sampler_name="k_dpm_adaptive")}, False),
        ({"params": ImageParams(steps=10, sampler_name="lcm")}, False),
        ({"params": ImageParams(steps=11, sampler_name="lcm")}, True),
        ({"params": ImageParams(steps=20, control_type="canny")}, False),
        ({"params": ImageParams(steps=21, control_type="canny")}, True),
        ({"params": ImageParams(steps=12), "models": ["DreamShaper XL"]}, False),
        ({"params": ImageParams(steps=13), "models": ["Deliberate", "DreamShaper XL"]}, True),
        ({"slow_workers": False}, True),
    ],
)
def test_what_is_heavy(changes, is_heavy):
    assert pictures.is_heavy(factories.image_ask(**changes), 1024) == is_heavy


@pytest.mark.parametrize(
    ("params", "words"),
    [
        (
            {"steps": 21, "sampler_name": "k_heun"},
            "40 steps (k_heun counts each",
        ),
        ({"steps": 41}, "40 steps and the pixels of 1024x1024 at most"),
        (
            {"width": 3072, "sampler_name": "k_dpm_adaptive"},
            "40 steps (k_dpm_adaptive counts as 40",
        ),
        ({"steps": 11, "sampler_name": "lcm"}, "10 steps and the pixels"),
    ],
)
async def test_who_needs_kudos_in_advance_is_told_beyond_what(session, horde, params, words):
    poor, _ = await factories.user(session, available=0)
    wanted = factories.image_ask(params=ImageParams(**params), models=["Deliberate"])
    with pytest.raises(KudosUpfront, match=re.escape(f"Without them it may have {words}")):
        await ask.ask(session, horde, Requester(user=poor), wanted)
    hurried = factories.image_ask(slow_workers=False)
    with pytest.raises(KudosUpfront, match="and has to take slow workers, too"):
        await ask.ask(session, horde, Requester(user=poor), hurried)


async def test_a_heavy_request_is_served_where_it_can_be_paid(session, horde):
    wanted = factories.image_ask(params=HEAVY, n=2)
    total = ask.quote(wanted).total
    poor, _ = await factories.user(session, available=total - 1)
    with pytest.raises(KudosUpfront, match=f"{total / 100:.2f} kudos"):
        await ask.ask(session, horde, Requester(user=poor), wanted)
    user, _ = await factories.user(session, available=total)
    answer = await ask.ask(session, horde, Requester(user=user), wanted)
    assert await held(session, answer.request_id) == total - TAX
    assert (await accounts.funds(session, user.account_id)).available == 0


async def test_the_anonymous_user_gets_nothing_heavy(session, horde):
    anonymous = await directory.by_id(session, 0)
    with pytest.raises(KudosUpfront):
        await asked(session, horde, anonymous, params=HEAVY)


@pytest.mark.parametrize(
    ("changes", "side", "smaller"),
    [
        ({"params": HEAVY}, 1024, {"width": 1024, "height": 960}),
        ({"params": ImageParams(width=3072, height=1024)}, 1024, {"width": 1728, "height": 576}),
        ({"params": ImageParams(width=3072, height=64)}, 400, {"width": 2752, "height": 64}),
        ({"params": ImageParams(width=1024, height=1024)}, 576, {"width": 576, "height": 576}),
        ({"params": ImageParams(steps=90)}, 1024, {"steps": 40}),
        (
            {"params": ImageParams(steps=90, sampler_name="k_heun")},
            1024,
            {"steps": 20, "sampler_name": "k_heun"},
        ),
        ({"params": ImageParams(steps=50, sampler_name="lcm")}, 1024, {"steps": 10}),
        ({"params": ImageParams(steps=40, control_type="hed")}, 1024, {"steps": 20}),
        ({"slow_workers": False}, 1024, {}),
    ],
)
def test_a_smaller_request_is_not_heavy(changes, side, smaller):
    wanted = factories.image_ask(**changes)
    less = pictures.downgraded(wanted, side)
    assert less.params == replace(wanted.params, **smaller)
    assert less.slow_workers
    free = max(side, 512)
    assert less.params.pixels <= free**2
    assert not pictures.is_heavy(less, free)


async def test_a_heavy_request_may_be_made_smaller(session, horde):
    user, _ = await factories.user(session)
    answer = await asked(session, horde, user, params=HEAVY, allow_downgrade=True)
    params = ImageParams.from_json((await stored(session, answer.request_id)).params)
    assert (params.width, params.height) == (1024, 960)


async def test_what_can_be_paid_is_not_made_smaller(session, horde, user):
    answer = await asked(session, horde, user, params=HEAVY, allow_downgrade=True)
    assert ImageParams.from_json((await stored(session, answer.request_id)).params) == HEAVY


# --- warnings ---


async def test_nobody_there_is_said(session, horde, user):
    answer = await asked(session, horde, user)
    assert [warning.code for warning in answer.warnings] == ["NoAvailableWorker"]
    assert "warning" in answer.warnings[0].message.lower()
    await serving(session, horde)
    assert (await asked(session, horde, user)).warnings == []
    answer = await asked(session, horde, user, models=["Deliberate"])
    assert [warning.code for warning in answer.warnings] == ["NoAvailableWorker"]


async def test_what_the_models_advise_is_said(session, horde, user):
    await serving(session, horde)
    params = ImageParams(clip_skip=1)
    answer = await asked(session, horde, user, params=params, models=["Anything v5"])
    assert [warning.code for warning in answer.warnings] == [
        "NoAvailableWorker",
        "ClipSkipMismatch",
    ]


async def test_workers_are_told(session, horde, user):
    await serving(session, horde)
    answer = await asked(session, horde, user, n=3)
    async with horde.bus.subscribe("jobs") as messages:
        await ask.announce(horde, answer)
        assert await anext(messages) == {"lane": next(iter(answer.lanes)), "count": 3}


# --- what nobody could serve ---


async def key_of_lane(session, request_id):
    ids = {row.lane_id for row in await jobs_of(session, request_id)}
    (key,) = await session.scalars(select(Lane.key).where(Lane.id.in_(ids)))
    return key


async def test_what_nobody_could_serve_of_late_is_parked_and_tells_nobody(session, horde, user):
    await serving(session, horde)
    answer = await asked(session, horde, user, models=["made up"])
    assert await key_of_lane(session, answer.request_id) == "parked:image"
    assert not answer.lanes


@pytest.mark.parametrize(("minutes", "is_parked"), [(59, False), (61, True)])
async def test_who_was_here_within_the_hour_could_have_served(
    session, horde, user, minutes, is_parked
):
    owner, _ = await factories.user(session)
    gone = now() - timedelta(minutes=minutes)
    await fleet.check_in(session, owner, factories.declared(), at=gone)
    answer = await asked(session, horde, user, models=["stable_diffusion"])
    key = await key_of_lane(session, answer.request_id)
    assert key.startswith("parked") == is_parked


async def test_the_anonymous_users_parked_jobs_are_counted_together(session, horde):
    await serving(session, horde)
    anonymous = await directory.by_id(session, 0)
    wanted = {"n": 20, "params": ImageParams(width=64, height=64, steps=1)}
    for n in range(anonymous.concurrency // 20):
        await asked(session, horde, anonymous, models=[f"made up {n}"], **wanted)
        await horde.lanes.update(session)
    with pytest.raises(ask.TooManyPrompts):
        await asked(session, horde, anonymous, models=["made up again"], **wanted)
    await asked(session, horde, anonymous, models=["stable_diffusion"], **wanted)
