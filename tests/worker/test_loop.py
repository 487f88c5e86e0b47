"""The loop over a real socket, with a renderer that makes pictures at once."""

import asyncio
import base64
import io
import time
from dataclasses import replace

import pytest
from PIL import Image

from fake_renderers import BROKEN, TINY, FakeRenderer, ThreadEngine
from worker.engine import EngineDied, EngineEnded
from worker.loop import NothingToServe, Unwelcome
from worker.offers import AGENT

MAINTENANCE = (
    403,
    {"message": "worker is in maintenance mode: back soon", "rc": "WorkerMaintenance"},
)


def opened(webp):
    return Image.open(io.BytesIO(webp))


async def test_a_job_becomes_an_uploaded_picture_and_a_submit(horde, serve):
    [job] = horde.add(payload={"seed": "41", "width": 192, "height": 64})
    async with serve() as serving:
        submit = await serving.submitted(job)
    assert submit == {
        "id": job,
        "generation": "R2",
        "seed": 41,
        "state": "ok",
        "gen_metadata": [{"type": "information", "value": "see_ref", "ref": "k_euler_a"}],
    }
    picture = opened(horde.uploads[job])
    assert (picture.format, picture.size) == ("WEBP", (192, 64))
    assert serving.display.steps == [(1, 3), (2, 3), (3, 3)]
    assert "+10.00 kudos" in serving.display.ended[0]


async def test_each_picture_of_a_batch_has_its_own_seed_and_place(horde, serve):
    jobs = horde.add(n=3, payload={"seed": str(2**32 - 2), "seed_variation": 3})
    async with serve(batch=3) as serving:
        seeds = [(await serving.submitted(job))["seed"] for job in jobs]
    assert seeds == [2**32 - 2, 1, 4]
    reds = [opened(horde.uploads[job]).convert("RGB").getpixel((9, 9))[0] for job in jobs]
    assert [abs(red - seed % 256) < 8 for red, seed in zip(reds, seeds, strict=True)] == [True] * 3


async def test_a_picture_that_is_held_back_says_so_and_no_other_does(horde, serve):
    jobs = horde.add(n=2, payload={"prompt": "nude"})
    async with serve(batch=2) as serving:
        first, second = [await serving.submitted(job) for job in jobs]
    assert first["state"] == "censored"
    assert {"type": "censorship", "value": "nsfw"} in first["gen_metadata"]
    assert (second["state"], len(second["gen_metadata"])) == ("ok", 1)


async def test_without_upload_urls_the_picture_goes_with_the_submit(horde, serve):
    [job] = horde.add(uploads=False)
    async with serve() as serving:
        submit = await serving.submitted(job)
    assert opened(base64.b64decode(submit["generation"])).size == (128, 128)
    assert not horde.uploads


async def test_the_pop_says_what_is_served(horde, serve):
    async with serve() as serving:
        await serving.until(lambda: len(horde.pops) > 1)
    pop = horde.pops[0]
    assert (pop["bridge_agent"], pop["models"], pop["amount"]) == (AGENT, ["tiny"], 1)
    allowed = {name for name, value in pop.items() if name.startswith("allow_") and value}
    assert allowed == {
        "allow_img2img",
        "allow_painting",
        "allow_unsafe_ipaddr",
        "allow_censoring",
    }


async def test_a_gpu_takes_several_pictures_of_a_request_at_once(horde, serve):
    async with serve(ThreadEngine(FakeRenderer("cuda"))) as serving:
        await serving.until(lambda: horde.pops)
    assert horde.pops[0]["amount"] == 4


async def test_a_waiting_pop_gets_the_job_when_it_comes(horde, serve):
    async with serve(wait=20.0) as serving:
        await serving.until(lambda: horde.pops)
        began = time.monotonic()
        [job] = horde.add()
        await serving.submitted(job)
        assert time.monotonic() - began < 5
        assert len(horde.pops) <= 2
        horde.add()  # lets the second pop go home


async def test_sources_are_fetched_by_url_and_from_base64(horde, serve):
    seen = []

    class Looking(FakeRenderer):
        def render(self, order, on_step):
            seen.append((order.source, order.strength))
            return super().render(order, on_step)

    horde.pictures["a.webp"] = b"by url"
    horde.add(source_image=f"{horde.url}/pictures/a.webp", payload={"denoising_strength": 0.4})
    [job] = horde.add(
        source_image=base64.b64encode(b"inside").decode(),
        source_mask=f"{horde.url}/pictures/a.webp",
        source_processing="inpainting",
    )
    async with serve(ThreadEngine(Looking())) as serving:
        await serving.submitted(job)
    (first, weak), (second, strong) = seen
    assert (first.picture, first.mask, first.painting, weak) == (b"by url", None, False, 0.4)
    assert (second.picture, second.mask) == (b"inside", b"by url")
    assert (second.painting, strong) == (True, 1.0)


@pytest.mark.parametrize(
    ("answer", "payload", "reason"),
    [
        ({"source_image": "{url}/pictures/none.webp"}, {}, "source_image cannot be fetched"),
        ({"source_image": "not base64!"}, {}, "source_image cannot be fetched"),
        ({"model": "another"}, {}, "'another' is not served"),
        ({}, {"control_type": "canny"}, "control:canny"),
        ({}, {"loras": [{"name": "x"}]}, "loras"),
        ({}, {"post_processing": ["GFPGAN"]}, "GFPGAN"),
        ({}, {"sampler_name": "k_unheard_of"}, "the sampler k_unheard_of"),
        ({}, {"prompt": "refuse"}, "not this one"),
    ],
)
async def test_what_cannot_be_made_is_faulted_with_its_reason_and_the_next_job_served(
    horde, serve, answer, payload, reason
):
    answer = {name: text.format(url=horde.url) for name, text in answer.items()}
    [job] = horde.add(payload=payload, **answer)
    [good] = horde.add()
    async with serve() as serving:
        submit = await serving.submitted(job)
        assert (await serving.submitted(good))["state"] == "ok"
    assert submit["state"] == "faulted"
    assert reason in submit["gen_metadata"][-1]["ref"]


@pytest.mark.parametrize(
    ("place", "value"),
    [("{url}/pictures/none.webp", "download_failed"), ("bm8gcGljdHVyZQ==", "parse_failed")],
)
async def test_a_source_that_is_none_is_noted_as_the_contract_has_it(horde, serve, place, value):
    from worker.image.painting import Painting
    from worker.image.sizes import Size

    class Reading(FakeRenderer):
        def render(self, order, on_step):
            Painting.read(order.source, wanted=Size(64, 64), composed=Size(64, 64))

    [job] = horde.add(source_image=place.format(url=horde.url))
    async with serve(ThreadEngine(Reading())) as serving:
        submit = await serving.submitted(job)
    note = submit["gen_metadata"][0]
    assert (note["type"], note["value"]) == ("source_image", value)


async def test_a_job_that_keeps_killing_the_engine_ends_neither_worker_nor_model(
    horde, serve, monkeypatch
):
    monkeypatch.setattr("worker.line_up.FIRST_REST_SECONDS", 0.1)
    # Different jobs each time: one and the same is not tried a third time.
    jobs = [horde.add(payload={"prompt": "die", "seed": f"{seed}"})[0] for seed in range(7)]
    [good] = horde.add()
    async with serve() as serving:
        assert (await serving.submitted(good))["state"] == "ok"
        said = [one for one in serving.display.said if "not offered for" in one]
    assert [horde.submitted(job)["state"] for job in jobs] == ["faulted"] * 7
    assert len(said) == 2


async def test_after_a_death_the_next_engine_is_ready_before_the_next_job(horde, serve):
    engine = ThreadEngine()
    horde.add(payload={"prompt": "die"})
    async with serve(engine) as serving:
        await serving.until(lambda: horde.submits)
        pops = len(horde.pops)
        await serving.until(lambda: len(horde.pops) > pops)
        assert engine.running
        assert engine.starts == 2


async def test_a_success_between_forgives_deaths(horde, serve):
    prompts = ["die", "die", "fine", "die", "die", "fine"]
    jobs = [horde.add(payload={"prompt": prompt})[0] for prompt in prompts]
    async with serve() as serving:
        states = [(await serving.submitted(job))["state"] for job in jobs]
    assert states == ["faulted", "faulted", "ok"] * 2


async def test_a_model_that_does_not_load_is_not_offered(horde, serve, both_models):
    async with serve(models=both_models) as serving:
        await serving.until(lambda: horde.pops)
    assert horde.pops[0]["models"] == ["tiny"]
    assert any("broken is not offered" in sentence for sentence in serving.display.said)


async def test_no_model_that_loads_is_the_end(horde, serve):
    async with serve(models={"broken": BROKEN}) as serving:
        await serving.ends(NothingToServe)
    assert not horde.pops


async def test_stopping_finishes_the_job_in_hand(horde, serve, tmp_path):
    go = tmp_path / "go"
    [job] = horde.add(payload={"prompt": f"wait {go}"})
    async with serve() as serving:
        await serving.display.stepped.wait()
        serving.stop.set()
        pops = len(horde.pops)
        horde.add()
        assert not horde.submits
        go.touch()
        await serving.ends()
    assert horde.submitted(job)["state"] == "ok"
    assert len(horde.submits) == 1
    assert len(horde.pops) == pops


async def test_stopping_does_not_wait_for_a_model_that_still_loads(horde, serve):
    class Slow(ThreadEngine):
        loading = asyncio.Event()

        async def load(self, model):
            self.loading.set()
            await asyncio.Event().wait()  # it would take minutes

    async with serve(Slow()) as serving:
        await Slow.loading.wait()
        serving.stop.set()
        await serving.ends()
    assert not horde.pops


async def test_a_second_signal_gives_back_the_jobs_in_hand(horde, serve, tmp_path):
    go = tmp_path / "go"
    jobs = horde.add(n=2, payload={"prompt": f"wait {go}"})
    async with serve(batch=2) as serving:
        await serving.display.stepped.wait()
        serving.task.cancel()
        await serving.ends(asyncio.CancelledError)
        go.touch()
    assert sorted(body["id"] for body in horde.submits) == sorted(jobs)
    assert {body["state"] for body in horde.submits} == {"faulted"}


async def test_the_next_job_is_fetched_before_this_one_ends(horde, serve, tmp_path):
    go = tmp_path / "go"
    horde.add(payload={"prompt": f"wait {go}", "ddim_steps": 2})
    async with serve(ahead_seconds=3600) as serving:
        await serving.until(lambda: len(horde.pops) > 1)
        assert not horde.submits
        horde.add()
        await serving.until(lambda: not horde.jobs)
        pops = len(horde.pops)
        await asyncio.sleep(0.2)  # one batch ahead, and no more: that nothing comes has no event
        assert len(horde.pops) == pops
        go.touch()
        await serving.until(lambda: len(horde.submits) == 2)


async def test_maintenance_is_said_once_and_waited_out(horde, serve, monkeypatch):
    monkeypatch.setattr("worker.loop.MAINTENANCE_SECONDS", 0.01)
    horde.pop_errors.extend([MAINTENANCE] * 3)
    [job] = horde.add()
    async with serve() as serving:
        assert (await serving.submitted(job))["state"] == "ok"
    assert [said for said in serving.display.said if "maintenance" in said] == [
        "idle: worker is in maintenance mode: back soon"
    ]


async def test_a_server_that_stumbles_is_asked_again(horde, serve, monkeypatch):
    monkeypatch.setattr("worker.loop.FIRST_PAUSE_SECONDS", 0.01)
    horde.pop_errors.extend([(500, {"message": "Internal Server Error"}), (503, {})])
    [job] = horde.add()
    async with serve() as serving:
        await serving.submitted(job)


@pytest.mark.parametrize(
    "refusal",
    [
        None,
        (403, {"message": "you provided wrong credentials", "rc": "WrongCredentials"}),
        (403, {"message": "Anonymous users cannot run workers.", "rc": "AnonForbiddenWorker"}),
        (403, {"message": "New workers need an invitation.", "rc": "WorkerInviteOnly"}),
    ],
)
async def test_an_unwelcome_worker_ends(horde, serve, refusal):
    if refusal:
        horde.pop_errors.append(refusal)
    async with serve(key="another-key") as serving:
        await serving.ends(Unwelcome)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, {"message": "Processing Job with ID x does not exist.", "rc": "InvalidJobID"}),
        (400, {"message": "already submitted", "rc": "DuplicateGen"}),
        (400, {"message": "Please check your worker speed", "rc": "AbortedGen"}),
    ],
)
async def test_a_job_that_is_no_longer_ours_is_dropped(horde, serve, status, body):
    horde.submit_errors.append((status, body))
    [lost] = horde.add()
    async with serve() as serving:
        await serving.submitted(lost)
        [job] = horde.add()
        await serving.submitted(job)
    assert [one["id"] for one in horde.submits] == [lost, job]
    assert any("1 lost" in outcome for outcome in serving.display.ended)


async def test_a_submit_is_repeated_until_the_server_has_it(horde, serve):
    horde.submit_errors.extend([(503, {}), (502, {})])
    [job] = horde.add()
    async with serve() as serving:
        await serving.until(lambda: len(horde.submits) == 3)
    assert {body["id"] for body in horde.submits} == {job}
    assert "+10.00 kudos" in serving.display.ended[0]


async def test_a_picture_that_cannot_be_uploaded_is_faulted(horde, serve):
    horde.upload_status = 403
    [job] = horde.add()
    async with serve() as serving:
        submit = await serving.submitted(job)
    assert submit["state"] == "faulted"


class Away(ThreadEngine):
    """Its program is away for the first loads."""

    def __init__(self, times):
        super().__init__()
        self.times, self.loads = times, 0

    async def load(self, model):
        self.loads += 1
        if self.loads <= self.times:
            self.running = False
            raise EngineEnded("the program behind this worker does not answer")
        await super().load(model)


async def test_a_program_that_is_away_for_long_ends_no_worker(horde, serve, monkeypatch):
    monkeypatch.setattr("worker.line_up.FIRST_REST_SECONDS", 0.05)
    async with serve(Away(3)) as serving:
        [job] = horde.add()
        assert (await serving.submitted(job))["state"] == "ok"
    assert [one for one in serving.display.said if "tiny is not offered for" in one]


async def test_a_model_that_kills_the_engine_once_when_it_is_proved_is_tried_again(horde, serve):
    class Dies(ThreadEngine):
        died = False

        async def load(self, model):
            if model.name == "other" and not self.died:
                self.died = True
                raise EngineDied("the engine died (SIGKILL)")
            await super().load(model)

    async with serve(Dies(), models={"tiny": TINY, "other": replace(TINY, name="other")}) as one:
        await one.until(lambda: any(pop["models"] == ["tiny", "other"] for pop in horde.pops))
    assert not [said for said in one.display.said if "any more" in said]


async def test_a_worker_that_is_told_to_stop_waits_for_no_model(horde, serve):
    class Slow(ThreadEngine):
        loading, left = asyncio.Event(), False

        async def load(self, model):
            self.loading.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.left = True

    engine = Slow()
    async with serve(engine) as serving:
        await asyncio.wait_for(engine.loading.wait(), 30)
        serving.stop.set()
        await serving.ends()
    assert engine.left
    assert not horde.pops
