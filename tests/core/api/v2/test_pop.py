"""What a worker gets: the shapes of a job and of none, batches, source pictures, waiting."""

import asyncio
import base64
from uuid import UUID

import pytest
from sqlalchemy import update

import factories
import pictures
import serving
import statements
from core.api import popping
from core.db import table
from core.features import OURS, version_of
from core.generation import pop, waiters
from core.queue.tables import Job, JobState
from core.workers.tables import WorkerRow

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALWAYS = {
    "ddim_steps": 1,
    "n_iter": 1,
    "sampler_name": "k_euler_a",
    "cfg_scale": 5.0,
    "width": 64,
    "height": 64,
    "karras": True,
    "tiling": False,
    "hires_fix": False,
    "transparent": False,
    "image_is_control": False,
    "return_control_map": False,
    "seed": "7",
    "prompt": "a red fox",
    "use_nsfw_censor": True,
}
SMALL = serving.SMALL
ANONYMOUS = serving.ANONYMOUS
CASCADE = "Stable Cascade 1.0"
QR_CODE = {
    "workflow": "qr_code",
    "extra_texts": [{"text": "https://a.example", "reference": "qr_code"}],
}


async def test_no_job_has_the_same_keys_as_a_job(shop):
    assert await shop.pop() == {
        "id": None,
        "ids": [],
        "ttl": None,
        "model": None,
        "messages": [],
        "r2_upload": None,
        "r2_uploads": None,
        "source_image": None,
        "source_processing": "img2img",
        "source_mask": None,
        "extra_source_images": None,
        "skipped": await counted(shop),
        "payload": {
            "ddim_steps": 30,
            "n_iter": 1,
            "sampler_name": "k_euler_a",
            "cfg_scale": 7.5,
            "width": 512,
            "height": 512,
            "karras": False,
            "tiling": False,
            "hires_fix": False,
            "transparent": False,
            "image_is_control": False,
            "return_control_map": False,
        },
    }


async def counted(shop):
    """What is skipped, which other tests' jobs add to; each key that is there is a whole number."""
    skipped = (await shop.pop())["skipped"]
    always = {
        "worker_id",
        "performance",
        "nsfw",
        "untrusted",
        "models",
        "bridge_version",
        "unsafe_ip",
        "img2img",
        "painting",
        "post-processing",
        "lora",
        "controlnet",
    }
    assert always <= skipped.keys() <= always | {"max_pixels", "step_count", "kudos", "blacklist"}
    assert all(type(count) is int for count in skipped.values())
    return skipped


@pytest.mark.parametrize(
    ("reason", "ask", "offer"),
    [
        ("nsfw", {"nsfw": True}, {"nsfw": False}),
        ("untrusted", {"trusted_workers": True}, {}),
        ("img2img", {"source_image": pictures.SOURCE}, {"allow_img2img": False}),
        (
            "painting",
            {"source_image": pictures.TRANSPARENT, "source_processing": "inpainting"},
            {"allow_painting": False},
        ),
        ("bridge_version", {}, {"bridge_agent": "unknown:0:unknown"}),
        ("max_pixels", {"params": {"width": 1024, "height": 1024}}, {"max_pixels": 4096}),
        ("step_count", {"params": {"steps": 40}}, {"limit_max_steps": True}),
    ],
)
async def test_what_does_not_fit_is_counted_by_its_reason(databases, tmp_path, reason, ask, offer):
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path) as server:
            shop = await serving.open_shop(server)
            await shop.ask(**ask)
            server.horde.counts.read_at = float("-inf")  # counted anew once a second only
            skipped = (await shop.pop(**offer))["skipped"]
            assert {name for name, count in skipped.items() if count} == {reason}
            assert skipped[reason] == 1


@pytest.mark.parametrize(
    ("model", "steps", "is_served"),
    [
        ("horde-tiny", 24, True),  # 8 to 40 steps
        ("horde-tiny", 33, False),
        ("DreamShaper XL", 8, True),  # 4 to 12
        ("DreamShaper XL", 9, False),
        ("Deliberate", 30, True),  # 20 to 40, as of which nothing is said
        ("Deliberate", 33, False),
    ],
)
async def test_steps_are_limited_by_each_models_own_range(shop, model, steps, is_served):
    request_id = await shop.ask(models=[model], params={**SMALL, "steps": steps})
    both = [model, "Deliberate 3.0"]
    shop.server.horde.counts.read_at = float("-inf")
    popped = await shop.pop(models=both, limit_max_steps=True)
    assert (popped["model"] == model) == is_served
    assert popped["skipped"].get("step_count", 0) == (not is_served)
    assert (await shop.pop(models=both))["id"] or is_served
    await shop.server.call("DELETE", f"/generate/status/{request_id}")


@pytest.mark.parametrize(
    ("agent", "by_link"),
    [
        (serving.WORKER, True),
        ("AI Horde Worker reGen:13:x", True),
        ("AI Horde Worker:24:x", False),
        ("AI Horde Worker~unknown:24:x", False),
        ("SD-WebUI Stable Horde Worker Bridge:1:x", False),
    ],
)
async def test_source_pictures_over_plain_http(databases, tmp_path, agent, by_link):
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, public_url="http://horde.test") as server:
            shop = await serving.open_shop(server)
            source = {"source_image": pictures.SOURCE, "source_mask": pictures.SOURCE}
            await shop.ask(**source, source_processing="inpainting")
            popped = await shop.pop(bridge_agent=agent)
    for sent in (popped["source_image"], popped["source_mask"]):
        assert sent.startswith("http://horde.test/pictures/") == by_link
        assert by_link or base64.b64decode(sent)[8:12] == b"WEBP"


async def test_a_job_has_everything_a_worker_needs(shop):
    request_id = await shop.ask(params={**SMALL, "seed": "7"})
    popped = await shop.pop()
    (job_id,) = popped["ids"]
    assert popped["id"] == job_id
    assert job_id != request_id
    assert popped["payload"] == ALWAYS
    assert popped["r2_uploads"] == [popped["r2_upload"]]
    assert popped["r2_upload"].startswith(f"https://horde.test/pictures/{job_id}.webp?")
    assert (popped["model"], popped["ttl"], popped["skipped"]) == (shop.name, 150, {})
    assert popped["messages"] == []
    assert popped["source_image"] is None


async def test_what_is_set_reaches_the_worker(shop):
    params = {
        **SMALL,
        "seed": "7",
        "steps": 12,
        "sampler_name": "lcm",
        "cfg_scale": 2,
        "karras": False,
        "tiling": True,
        "clip_skip": 2,
        "denoising_strength": 0.5,
        "facefixer_strength": 0.25,
        "post_processing": ["GFPGAN", "RealESRGAN_x2plus"],
        "loras": [{"name": "a", "inject_trigger": "any"}],
        "tis": [{"name": "b", "inject_ti": "prompt"}],
        "unknown": 1,
    }
    await shop.ask(key=shop.owner.key, params=params)
    agent = "AI Horde Worker reGen:13:https://example.com"
    popped = await shop.pop(bridge_agent=agent, allow_lora=True)
    assert popped["payload"] == ALWAYS | {
        "ddim_steps": 12,
        "sampler_name": "lcm",
        "cfg_scale": 2.0,
        "karras": False,
        "tiling": True,
        "clip_skip": 2,
        "denoising_strength": 0.5,
        "facefixer_strength": 0.25,
        "post_processing": ["GFPGAN", "RealESRGAN_x2plus"],
        "loras": [
            {"name": "a", "model": 1.0, "clip": 1.0, "inject_trigger": "any", "is_version": False}
        ],
        "tis": [{"name": "b", "inject_ti": "prompt", "strength": 1.0}],
    }
    assert isinstance(popped["payload"]["cfg_scale"], float)


async def test_a_batch_has_one_seed_and_as_many_ids_as_links(shop):
    await shop.ask(params={**SMALL, "n": 5, "seed": "41"})
    popped = await shop.pop(amount=3)
    assert len(set(popped["ids"])) == 3
    for job_id, link in zip(popped["ids"], popped["r2_uploads"], strict=True):
        assert f"/{job_id}.webp?" in link
    assert (popped["payload"]["n_iter"], popped["payload"]["seed"]) == (3, "41")
    rest = await shop.pop(amount=3)
    assert (rest["payload"]["n_iter"], rest["payload"]["seed"]) == (2, "44")
    assert (await shop.pop(amount=3))["id"] is None


async def test_batching_can_be_ruled_out(shared):
    shop = await serving.open_shop(
        shared, roles=int(serving.Role.CUSTOMIZER | serving.Role.TRUSTED)
    )
    body = {"params": {**SMALL, "n": 2}, "disable_batching": True}
    await shop.ask(key=shop.owner.key, **body)
    assert len((await shop.pop(amount=2))["ids"]) == 1


async def test_time_to_live_grows_with_the_work(shop):
    await shop.ask(
        params={"width": 512, "height": 512, "steps": 40, "sampler_name": "k_heun"},
        key=shop.owner.key,
    )
    assert (await shop.pop())["ttl"] == 30 + 2 * 80
    await shop.ask(extra_slow_workers=True)
    assert (await shop.pop(extra_slow_worker=True))["ttl"] == 450


async def test_source_pictures_come_by_link(shop):
    body = {
        "source_image": pictures.SOURCE,
        "source_mask": pictures.MASK,
        "source_processing": "inpainting",
    }
    await shop.ask(**body)
    popped = await shop.pop()
    assert popped["source_processing"] == "inpainting"
    for field in ("source_image", "source_mask"):
        fetched = await shop.server.http.get(popped[field])
        assert fetched.content[8:12] == b"WEBP"
    assert popped["source_image"] != popped["source_mask"]


async def test_transparency_is_a_mask(shop):
    await shop.ask(source_image=pictures.TRANSPARENT, source_processing="inpainting")
    popped = await shop.pop()
    assert popped["id"]
    assert popped["source_mask"] is None


async def test_the_programs_own_user_goes_first_and_others_wait(shop):
    other = await serving.open_shop(shop.server)
    strangers = await shop.ask(key=other.owner.key)
    own = await shop.ask(key=shop.owner.key)
    await shop.pop()
    assert (await shop.status(own))["processing"] == 1
    assert (await shop.status(strangers))["waiting"] == 1


async def test_a_worker_in_maintenance_serves_its_owner_only(shop):
    await shop.pop()
    async with shop.server.database.writing() as session:
        named = WorkerRow.__table__.c.name == shop.name
        await session.execute(update(WorkerRow.__table__).where(named).values(maintenance=True))
    await shop.ask()
    offered = serving.offer(name=shop.name, models=[shop.name])
    refused = await shop.server.post("/generate/pop", offered, key=shop.owner.key)
    assert refused.status_code == 403
    assert "maintenance mode" in refused.json()["message"].lower()
    own = await shop.ask(key=shop.owner.key)
    assert (await shop.pop())["id"]
    assert (await shop.status(own))["processing"] == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"models": ["unheard of"]}, "we cannot accept workers serving"),
        ({"name": "taken"}, "wrong credentials"),
    ],
)
async def test_workers_know_a_refusal_by_its_words(shop, body, words):
    nobody = await shop.server.user(f"nobody{next(serving.NUMBERS)}")
    if body.get("name"):
        body = {"name": shop.name}
        await shop.pop()
    answer = await shop.server.post("/generate/pop", serving.offer(**body), key=nobody.key)
    assert words in answer.json()["message"].lower()


async def test_our_workers_get_learned_words_where_they_serve_adaptations(shop):
    asked = {**SMALL, "tis": [{"name": "7808"}]}
    request_id = await shop.ask(params=asked)
    agent = f"Stable Horde Worker:{version_of(OURS)}:x"
    assert (await shop.pop(bridge_agent=agent, allow_lora=False))["id"] is None
    assert (await shop.pop(bridge_agent=agent, allow_lora=True))["payload"]["tis"]
    assert (await shop.status(request_id))["processing"] == 1


async def test_workers_that_cannot_censor_get_no_request_that_wants_it(shop):
    wanted = await shop.ask(params=SMALL, nsfw=False, censor_nsfw=True)
    refused = await shop.pop(allow_censoring=False)
    assert refused["id"] is None
    assert refused["skipped"]["nsfw"] >= 1
    await shop.ask(params=SMALL, nsfw=True, censor_nsfw=True)
    assert (await shop.pop(allow_censoring=False))["id"]
    assert (await shop.pop())["payload"]["use_nsfw_censor"] is True
    assert (await shop.status(wanted))["processing"] == 1


async def test_an_owner_is_told_which_models_are_left_out_and_why(shop):
    offered = serving.offer(name=shop.name, models=[shop.name, "my own", "another"])
    answers = [
        (await shop.server.post("/generate/pop", offered, key=shop.owner.key)).json()
        for _ in range(2)
    ]
    nobody = await shop.server.user(f"nobody{next(serving.NUMBERS)}")
    known = serving.offer(models=["stable_diffusion", "my own", "another"])
    told = [
        (await shop.server.post("/generate/pop", known, key=nobody.key)).json()["messages"]
        for _ in range(2)
    ]
    assert [answer["messages"] for answer in answers] == [[], []]  # a customizer may bring any
    assert told[0][0]["id"] == told[1][0]["id"]
    assert "my own, another" in told[0][0]["message"]
    assert "customizer" in told[0][0]["message"]


async def test_of_models_that_are_left_out_few_are_named_and_as_they_can_be_seen(shop):
    nobody = await shop.server.user(f"nobody{next(serving.NUMBERS)}")
    odd = [f"\x1b[2J\u202e{'x' * 200}{number}" for number in range(400)]

    async def pop(**changes):
        body = serving.offer(name=f"odd {nobody.id}", **changes)
        return await shop.server.post("/generate/pop", body, key=nobody.key)

    refused, accepted = await pop(models=odd), await pop(models=["stable_diffusion", *odd[1:]])
    told = [refused.json()["message"], accepted.json()["messages"][0]["message"]]
    assert refused.status_code == 400
    assert all("[2Jxxx" in one and one.isprintable() and len(one) < 5000 for one in told)
    strange = await pop(priority_usernames=["\x1b[2Jsomebody"])
    assert strange.json()["message"] == "[2Jsomebody is not of the form name#id."


class Waiting:
    """A pop that waits; `begun` is set once it is in line."""

    def __init__(self, shop, **body):
        line = shop.server.horde.waiters._line
        length = len(line)
        self.task = asyncio.ensure_future(shop.pop(wait=30, **body))
        self._is_in_line = lambda: len(line) > length

    async def begun(self):
        while not self._is_in_line():
            assert not self.task.done(), self.task.result()
            await asyncio.sleep(0)


@pytest.fixture
def only_events_wake(monkeypatch):
    """A waiting pop does not look again by itself, so whatever it gets came by an event."""
    monkeypatch.setattr(waiters, "LOOK_AGAIN_SECONDS", 1000.0)


async def test_a_waiting_pop_gets_the_job_when_it_comes(shop, only_events_wake):
    waiting = Waiting(shop)
    await waiting.begun()
    request_id = await shop.ask()
    popped = await waiting.task
    assert popped["id"]
    assert (await shop.status(request_id))["processing"] == 1


async def test_a_job_that_comes_between_the_look_and_the_wait_wakes_the_pop(
    shop, only_events_wake, monkeypatch
):
    """Here the job comes in, and is told, after the pop has found nothing and before it waits."""
    await shop.ask()  # so that the lane is known
    await shop.pop()
    announce, waiting = pop.announce, shop.server.horde.waiters

    async def ask_meanwhile(horde, popped):
        monkeypatch.setattr(pop, "announce", announce)
        before = waiting.calls
        await shop.ask()
        while waiting.calls == before:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
        await announce(horde, popped)

    monkeypatch.setattr(pop, "announce", ask_meanwhile)
    async with asyncio.timeout(15):
        assert (await shop.pop(wait=30))["id"]


async def test_a_waiting_pop_is_woken_past_those_who_cannot_serve(shop, only_events_wake):
    other = await serving.open_shop(shop.server)
    useless, waiting = Waiting(other), None
    await useless.begun()
    waiting = Waiting(shop)
    await waiting.begun()
    await shop.ask()
    assert (await waiting.task)["id"]
    assert not useless.task.done()
    await other.ask()
    assert (await useless.task)["id"]


async def test_who_may_not_serve_it_after_all_passes_the_call_on(shop, only_events_wake):
    picky = Waiting(shop, name=f"{shop.name}, picky", blacklist=["quagga"])
    await picky.begun()
    able = Waiting(shop)
    await able.begun()
    await shop.ask(prompt="a quagga")
    assert (await able.task)["id"]
    assert not picky.task.done()
    await shop.ask()
    assert (await picky.task)["id"]


async def test_of_two_waiting_pops_one_gets_the_only_job(shop, only_events_wake):
    await shop.ask()  # so that the lane is known: of a new one everybody looks at once
    await shop.pop()
    first = Waiting(shop, threads=2)
    await first.begun()
    second = Waiting(shop, threads=2)
    await second.begun()
    await shop.ask()
    assert (await first.task)["id"]
    assert not second.task.done()
    await shop.ask()
    assert (await second.task)["id"]
    jobs = {first.task.result()["id"], second.task.result()["id"]}
    assert len(jobs) == 2


async def test_two_jobs_serve_two_waiting_pops(shop, only_events_wake):
    both = [Waiting(shop, threads=2)]
    await both[0].begun()
    both.append(Waiting(shop, threads=2))
    await both[1].begun()
    await shop.ask(params={**SMALL, "n": 2})
    popped = [await one.task for one in both]
    assert len({job for answer in popped for job in answer["ids"]}) == 2


async def test_a_wait_that_is_in_vain_ends_with_no_job(shop):
    assert (await shop.pop(wait=0.05))["id"] is None
    assert len(shop.server.horde.waiters._line) == 0


async def test_no_session_is_held_while_waiting(shop, only_events_wake):
    waiting = []
    for _ in range(30):  # more than there are connections
        waiting.append(Waiting(shop, threads=30))
        await waiting[-1].begun()
    async with shop.server.database.writing():
        pass
    for n in (20, 10):
        await shop.ask(params={**SMALL, "n": n})
    popped = [await one.task for one in waiting]
    assert len({answer["id"] for answer in popped}) == 30


@pytest.fixture
def looks_often(monkeypatch):
    """A waiting pop looks again all the time, however it is told."""
    monkeypatch.setattr(waiters, "LOOK_AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(popping, "SHARED_SECONDS", 0.0)


async def looked(shop, times):
    """Return when waiting pops have looked so often."""
    heads = shop.server.horde.heads
    for _ in range(times):
        before = heads.read_at
        async with asyncio.timeout(10):
            while heads.read_at == before:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.005)


async def test_an_idle_waiting_pop_reads_one_statement_a_look_and_writes_nothing(shop, looks_often):
    shop.server.horde.heads.read_at = float("-inf")
    waiting = Waiting(shop)
    await waiting.begun()
    await looked(shop, 1)
    with statements.counted(shop.server.database) as counted:
        before = shop.server.horde.heads.read_at
        await looked(shop, 10)
    assert shop.server.horde.heads.read_at > before
    assert counted.writing == []
    assert {"heads" if "lane_version" in one else one for one in counted.reading} == {"heads"}
    await shop.ask()
    assert (await waiting.task)["id"]


async def test_looks_at_the_same_time_are_one(shop, monkeypatch):
    crowd = []
    for _ in range(10):
        crowd.append(Waiting(shop, threads=10))
        await crowd[-1].begun()
    for waiter in shop.server.horde.waiters._line:
        waiter.call = None
    with statements.counted(shop.server.database) as counted:
        shop.server.horde.waiters.hint()
        await looked(shop, 1)
        async with shop.server.horde.heads.turn:
            pass
    assert len(counted.reading) <= 2
    await shop.ask(params={**SMALL, "n": 10})
    assert all([(await one.task)["id"] for one in crowd])


async def test_a_job_that_does_not_fit_is_tried_once_and_not_at_each_look(shop, looks_often):
    request_id = await shop.ask(prompt="a quagga")
    waiting = Waiting(shop, blacklist=["quagga"])
    await waiting.begun()
    await looked(shop, 2)
    with statements.counted(shop.server.database) as counted:
        await looked(shop, 5)
    assert counted.writing == []
    await shop.ask()
    assert (await waiting.task)["id"]
    await shop.server.call("DELETE", f"/generate/status/{request_id}")


async def test_a_job_whose_event_is_lost_is_found_by_the_clock(shop, looks_often, monkeypatch):
    waiting = Waiting(shop)
    await waiting.begun()

    async def lost(channel, message):
        pass

    monkeypatch.setattr(shop.server.horde.bus, "publish", lost)
    await shop.ask()
    async with asyncio.timeout(15):
        assert (await waiting.task)["id"]


async def test_a_worker_that_waits_with_all_its_threads_is_answered_at_once(shop, only_events_wake):
    first = Waiting(shop)
    await first.begun()
    async with asyncio.timeout(15):
        assert (await shop.pop(wait=30))["id"] is None
    await shop.ask()
    assert (await first.task)["id"]


async def test_an_address_has_so_many_waiting_pops(databases, tmp_path, only_events_wake):
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, max_waiting_pops_per_address=1) as server:
            first = Waiting(await serving.open_shop(server))
            await first.begun()
            other = await serving.open_shop(server)
            async with asyncio.timeout(15):
                assert (await other.pop(wait=30))["id"] is None
            server.horde.waiters.close()  # as where the server stops
            async with asyncio.timeout(15):
                assert (await first.task)["id"] is None
                assert (await other.pop(wait=30))["id"] is None


@pytest.mark.parametrize(
    ("also", "asked", "is_served"),
    [
        ([], {"control_type": "canny"}, False),
        (["control:canny", "annotator:canny"], {"control_type": "canny"}, True),
        (["control:canny", "annotator:canny"], {"control_type": "depth"}, False),
        (["control:depth"], {"control_type": "depth"}, False),
        (["control:depth"], {"control_type": "depth", "image_is_control": True}, True),
        (["annotator:canny"], {"control_type": "canny"}, False),
        (["annotator:canny"], {"control_type": "canny", "return_control_map": True}, True),
        ([], {"post_processing": ["NMKD_Siax"]}, False),
        (["post:NMKD_Siax"], {"post_processing": ["NMKD_Siax"]}, True),
        (["post:NMKD_Siax"], {"post_processing": ["RealESRGAN_x2plus"]}, False),
        (["post:GFPGAN"], {"post_processing": ["GFPGAN"]}, True),
        (["layer_diffuse"], {"post_processing": ["GFPGAN"]}, False),
        ([], {"transparent": True}, False),
        (["layer_diffuse"], {"transparent": True}, True),
        ([], QR_CODE, False),
        (["qr_code"], QR_CODE, True),
    ],
)
async def test_a_worker_may_have_a_part_of_what_a_switch_is_for(shop, also, asked, is_served):
    source = {"source_image": pictures.SOURCE} if "control_type" in asked else {}
    await shop.ask(params={**SMALL, **asked}, **source)
    agent = f"Stable Horde Worker:{version_of(OURS)}:x"
    off = {"allow_controlnet": False, "allow_post_processing": False}
    popped = await shop.pop(bridge_agent=agent, also=also, **off)
    assert (popped["id"] is not None) is is_served


async def remixing(shop):
    """A worker with the one model that remixes: its name, and its id in a list."""
    name = f"{shop.name} remixes"
    assert (await shop.pop(name=name, models=[CASCADE]))["id"] is None
    found = await shop.server.get(f"/workers/name/{name}")
    return name, [found.json()["id"]]


@pytest.mark.parametrize(
    ("also", "processing", "extra", "is_served"),
    [
        ([], "remix", False, False),
        (["remix"], "remix", False, True),
        (["remix"], "remix", True, False),
        (["remix", "extra_source_images"], "remix", True, True),
        (["remix", "extra_source_images"], "img2img", False, False),
        (["remix", "extra_source_images"], "inpainting", False, False),
    ],
)
async def test_a_worker_may_remix_pictures_and_start_from_none(
    shop, also, processing, extra, is_served
):
    asked = {"models": [CASCADE], "source_image": pictures.SOURCE, "source_processing": processing}
    if extra:
        asked["extra_source_images"] = [{"image": pictures.SOURCE, "strength": 0.5}]
    if processing == "inpainting":
        asked["source_mask"] = pictures.SOURCE
    name, targeted = await remixing(shop)
    await shop.ask(params=SMALL, workers=targeted, **asked)
    agent = f"Stable Horde Worker:{version_of(OURS)}:x"
    off = {"allow_img2img": False, "allow_painting": False}
    popped = await shop.pop(name=name, models=[CASCADE], bridge_agent=agent, also=also, **off)
    assert (popped["id"] is not None) is is_served
    if extra and is_served:
        assert [one["strength"] for one in popped["extra_source_images"]] == [0.5]


async def test_other_programs_remix_where_they_start_from_pictures(shop):
    name, targeted = await remixing(shop)
    remix = {"source_image": pictures.SOURCE, "source_processing": "remix"}
    await shop.ask(params=SMALL, models=[CASCADE], workers=targeted, **remix)
    regen = {"bridge_agent": "AI Horde Worker reGen:4:x", "name": name, "models": [CASCADE]}
    assert (await shop.pop(**regen, allow_img2img=False))["id"] is None
    assert (await shop.pop(**regen))["source_processing"] == "remix"


async def test_a_worker_that_says_nothing_more_of_a_switch_has_all_behind_it(shop):
    await shop.ask(params={**SMALL, "control_type": "depth"}, source_image=pictures.SOURCE)
    agent = "AI Horde Worker reGen:13:x"
    assert (await shop.pop(bridge_agent=agent, allow_controlnet=True))["id"] is not None


@pytest.fixture
def looks(monkeypatch):
    """Tells of each look for work, by putting something into a queue."""
    told, look = asyncio.Queue(), pop.pop

    async def telling(*args, **kwargs):
        found = await look(*args, **kwargs)
        told.put_nowait(found)
        return found

    monkeypatch.setattr(pop, "pop", telling)
    return told


def take_all_of(request_id):
    """What a claim of the request's jobs does."""
    jobs = table(Job)
    return update(jobs).where(jobs.c.request_id == request_id).values(state=JobState.PROCESSING)


@pytest.mark.parametrize("where", ["parked", "in a lane", "of the worker's owner"])
async def test_what_another_has_locked_and_leaves_is_not_missed(shop, looks, monkeypatch, where):
    monkeypatch.setattr(popping, "INCONCLUSIVE_PAUSES", (0.01,) * 1000)
    if where != "parked":
        assert (await shop.pop())["id"] is None  # a worker that may serve it was seen
        looks.get_nowait()
    key = ANONYMOUS
    if where == "of the worker's owner":
        key = shop.owner.key
        async with shop.server.database.writing() as session:
            await session.execute(update(WorkerRow).values(maintenance=True))
    database, request_id = shop.server.database, UUID(await shop.ask(key=key))
    async with factories.undone(database) as session:
        await session.execute(take_all_of(request_id))
        popped = asyncio.create_task(shop.pop())
        if not database.is_sqlite:  # there, writers take turns: it has not looked yet
            async with asyncio.timeout(30):
                await looks.get()
    assert (await popped)["ids"]


async def test_a_worker_is_not_kept_by_what_others_have_locked(shop, looks, monkeypatch):
    if shop.server.database.is_sqlite:
        pytest.skip("writers take turns")
    monkeypatch.setattr(popping, "INCONCLUSIVE_PAUSES", (0.01,) * 2)
    request_id = UUID(await shop.ask())
    async with factories.undone(shop.server.database) as session:
        await session.execute(take_all_of(request_id))
        assert (await shop.pop())["id"] is None
    assert looks.qsize() == 3
    assert (await shop.pop())["ids"]


async def test_what_does_not_fit_or_is_not_there_is_looked_for_once(shop, looks):
    await shop.ask(params={**SMALL, "width": 512, "height": 512})
    assert (await shop.pop(max_pixels=4096))["id"] is None
    assert looks.qsize() == 1
