"""Whatever is raised wherever: each popped job is told about, and the next one is served."""

import errno
import json

import pytest

import pictures
from core.client import HordeClient, handed_out
from fake_renderers import FakeRenderer, ThreadEngine
from worker import pictures as encoding
from worker.alchemy.kind import Forms
from worker.alchemy.order import Description
from worker.image import popped
from worker.image.kind import Pictures
from worker.loop import Worker
from worker.offers import alchemy_offer, text_offer
from worker.settings import Settings
from worker.text.kind import Texts

FULL = OSError(errno.ENOSPC, "No space left on device", "/home/somebody/private")
ERRORS = [FULL, ValueError("encoding error 5"), MemoryError(), ExceptionGroup("x", [KeyError(1)])]


def first_call_raises(monkeypatch, owner, name, error):
    """Let the first call fail; later ones work. Works for functions and for coroutines."""
    usual, failed = getattr(owner, name), []

    def called(*args, **kwargs):
        if failed:
            return usual(*args, **kwargs)
        failed.append(True)
        raise error

    monkeypatch.setattr(owner, name, called)
    return failed


STAGES = {
    "reading the pop": (popped, "batch"),
    "checking the order": (popped, "check"),
    "fetching and ordering": (Pictures, "order"),
    "handing it to the engine": (ThreadEngine, "render"),
    "rendering": (FakeRenderer, "render"),
    "encoding": (encoding, "to_webp"),
    "uploading": (HordeClient, "upload"),
    "submitting": (HordeClient, "submit"),
    "packing": (Pictures, "pack"),
    "delivering": (Pictures, "send"),
}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("stage", STAGES)
async def test_one_jobs_surprise_faults_that_job_alone(horde, serve, monkeypatch, stage, error):
    monkeypatch.setattr("worker.loop.FIRST_PAUSE_SECONDS", 0.01)
    failed = first_call_raises(monkeypatch, *STAGES[stage], error)
    [job], [good] = horde.add(), horde.add()
    async with serve() as serving:
        submit = await serving.submitted(job)
        assert (await serving.submitted(good))["state"] == "ok"
        assert not serving.task.done()
    assert failed
    assert submit["state"] == "faulted"
    reason = submit["gen_metadata"][-1]["ref"]
    assert type(error).__name__ in reason
    assert "private" not in json.dumps(submit)


@pytest.mark.parametrize("stage", ["encoding", "uploading", "submitting"])
async def test_one_picture_of_a_batch_may_be_lost_and_the_others_are_not(
    horde, serve, monkeypatch, stage
):
    first_call_raises(monkeypatch, *STAGES[stage], FULL)
    jobs = horde.add(n=3)
    async with serve(batch=3) as serving:
        states = [(await serving.submitted(job))["state"] for job in jobs]
    assert states == ["faulted", "ok", "ok"]


@pytest.mark.parametrize("shown", ["begin", "step", "end", "say"])
async def test_what_cannot_be_shown_is_done_all_the_same(horde, serve, monkeypatch, shown):
    jobs = [horde.add()[0] for _ in range(2)]
    async with serve() as serving:
        monkeypatch.setattr(type(serving.display), shown, broken_terminal)
        states = [(await serving.submitted(job))["state"] for job in jobs]
    assert states == ["ok", "ok"]


def broken_terminal(*_):
    raise BrokenPipeError(errno.EPIPE, "Broken pipe")


async def test_a_fault_that_cannot_be_told_leaves_the_worker_alive(horde, serve, monkeypatch):
    first_call_raises(monkeypatch, Pictures, "order", FULL)
    failed = first_call_raises(monkeypatch, Pictures, "fault", MemoryError())
    horde.add()
    [good] = horde.add()
    async with serve() as serving:
        assert (await serving.submitted(good))["state"] == "ok"
    assert failed


async def test_a_bug_of_the_popping_loop_gives_back_what_is_at_work(
    horde, serve, monkeypatch, tmp_path
):
    [job] = horde.add(payload={"prompt": f"wait {tmp_path / 'go'}"})
    usual = Worker._has_models

    async def later(worker):
        if horde.pops:
            await serving.display.stepped.wait()
            raise RuntimeError("a bug")
        return await usual(worker)

    monkeypatch.setattr(Worker, "_has_models", later)
    async with serve(ahead_seconds=3600) as serving:
        await serving.ends(ExceptionGroup)
        (tmp_path / "go").touch()
    given_back(horde.submitted(job))


async def test_a_bug_of_the_rendering_loop_gives_back_what_was_popped(horde, serve, monkeypatch):
    async def broken(worker, _):
        await worker._ready.get()
        raise RuntimeError("a bug")

    monkeypatch.setattr(Worker, "_render_all", broken)
    [job] = horde.add()
    async with serve() as serving:
        await serving.ends(ExceptionGroup)
    given_back(horde.submitted(job))


def given_back(submit):
    assert submit["state"] == "faulted"
    assert submit["gen_metadata"][-1]["ref"] == "the worker stopped before it was done"


MANY_DIGITS = 10**4000


@pytest.mark.parametrize(
    "payload",
    [
        {"seed": "9" * 5000},
        {"seed": None},
        {"seed": 7},
        {"width": None},
        {"width": "wide"},
        {"width": 0},
        {"width": -64},
        {"width": 100},
        {"width": 1_000_000, "height": 1_000_000},
        {"width": MANY_DIGITS, "height": MANY_DIGITS},
        {"width": 64.5},
        {"width": 3136},
        {"ddim_steps": 0},
        {"ddim_steps": 10**9},
        {"ddim_steps": MANY_DIGITS},
        {"cfg_scale": float("nan")},
        {"cfg_scale": float("inf")},
        {"cfg_scale": MANY_DIGITS},
        {"denoising_strength": -1},
        {"denoising_strength": float("nan")},
        {"hires_fix": True, "hires_fix_denoising_strength": 7},
        {"clip_skip": -3},
        {"clip_skip": MANY_DIGITS},
        {"seed_variation": MANY_DIGITS},
        {"sampler_name": None},
        {"sampler_name": "k" * 100_000},
        {"prompt": "x" * 2_000_000},
        {"prompt": ["a", "list"]},
        {"loras": [{"name": "x"}] * 1000},
        {"loras": [{"model": 99}]},
        {"post_processing": ["RealESRGAN_x4plus"] * 3},
        {"control_type": {"a": "map"}},
        {"n_iter": "many"},
    ],
    ids="-".join,
)
async def test_an_order_beyond_all_measure_is_a_fault(horde, serve, monkeypatch, payload):
    monkeypatch.setattr("worker.loop.FIRST_PAUSE_SECONDS", 0.01)
    [job] = horde.add(payload=payload)
    [good] = horde.add()
    async with serve() as serving:
        submit = await serving.submitted(job)
        assert (await serving.submitted(good))["state"] == "ok"
    if payload == {"seed": None}:
        assert submit["state"] == "ok"  # one is drawn
        return
    assert submit["state"] == "faulted"
    assert 0 < len(submit["gen_metadata"][-1]["ref"]) <= 255


@pytest.mark.parametrize(
    "answer",
    [
        {"model": None},
        {"model": "x" * 100_000},
        {"r2_uploads": ["no URL", 7]},
        {"r2_uploads": ["file:///etc/passwd"]},
        {"source_image": 7},
        {"source_image": "ftp://somewhere/x"},
        {"source_image": "http://[::1"},
        {"messages": [{"no": "message"}]},
        {"payload": "none"},
        {"payload": None},
    ],
    ids=str,
)
async def test_an_answer_of_another_form_is_a_fault(horde, serve, monkeypatch, answer):
    monkeypatch.setattr("worker.loop.FIRST_PAUSE_SECONDS", 0.01)
    [job] = horde.add(**answer) if "payload" not in answer else [add_raw(horde, answer)]
    [good] = horde.add()
    async with serve() as serving:
        submit = await serving.submitted(job)
        assert (await serving.submitted(good))["state"] == "ok"
    assert submit["state"] == "faulted"


def add_raw(horde, answer):
    [job] = horde.add()
    horde.jobs[-1].update(answer)
    return job


async def test_more_pictures_than_were_asked_for_are_all_given_back(horde, serve):
    jobs = horde.add(n=3)
    async with serve() as serving:
        states = [(await serving.submitted(job))["state"] for job in jobs]
    assert states == ["faulted"] * 3


async def test_a_horde_of_the_first_version_names_one_job(horde, serve):
    [job] = horde.add()
    horde.jobs[0]["ids"] = []
    async with serve() as serving:
        assert (await serving.submitted(job))["state"] == "ok"


@pytest.fixture
def write(serve, horde):
    from fake_renderers import STORY

    settings = Settings(url=horde.url, name="tester", wait_seconds=0.05)
    return lambda: serve(
        kind=lambda client: Texts(client, text_offer(settings)), models={"story": STORY}
    )


@pytest.mark.parametrize(
    "payload",
    [
        {"max_length": 513},
        {"max_length": 0},
        {"max_length": MANY_DIGITS},
        {"max_context_length": 2049},
        {"temperature": float("nan")},
        {"temperature": -1},
        {"top_k": MANY_DIGITS},
        {"rep_pen": 1e300},
        {"prompt": "x" * 1_100_000},
        {"stop_sequence": "no list"},
        {"sampler_order": [{}]},
    ],
    ids=lambda payload: next(iter(payload)),
)
async def test_a_text_beyond_all_measure_is_a_fault(horde, write, monkeypatch, payload):
    monkeypatch.setattr("worker.loop.FIRST_PAUSE_SECONDS", 0.01)
    job, good = horde.add_text(payload=payload), horde.add_text()
    async with write() as serving:
        submit = await serving.submitted(job)
        assert (await serving.submitted(good))["state"] == "ok"
    assert submit["state"] == "faulted"


async def test_more_texts_and_forms_than_were_asked_for_are_given_back(horde, write, serve):
    texts = [f"text-{number}" for number in range(5)]
    horde.add_text(ids=texts, id=texts[0])
    async with write() as serving:
        for one in texts:
            assert (await serving.submitted(one))["state"] == "faulted"
    forms = [horde.add_form("palette", pictures.picture()) for _ in range(2)]
    horde.forms.append({"forms": [horde.forms.popleft()["forms"][0] for _ in forms], "skipped": {}})
    settings = Settings(url=horde.url, name="tester", wait_seconds=0.05)
    async with serve(
        kind=lambda client: Forms(client, alchemy_offer(settings)),
        models={"palette": Description("palette")},
    ) as serving:
        for form in forms:
            assert (await serving.submitted(form))["state"] == "faulted"


def test_jobs_are_found_in_answers_that_nobody_can_read():
    digits = "9" * 5000
    answer = f'{{"id": "a", "ids": ["a", "b", 3], "payload": {{"width": {digits}, "x": NaN}}}}'
    assert handed_out.ids(answer.encode()) == ["a", "b"]
    assert handed_out.ids(b'{"forms": [{"id": "c"}, {"id": null}, 5]}') == ["c"]
    for nothing in (b"", b"[]", b"[" * 100_000, b"\xff", b'{"ids": {"a": 1}, "forms": 3}'):
        assert handed_out.ids(nothing) == []
