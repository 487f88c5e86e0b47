"""What a worker tells its horde while it is at work, and what it learns from that."""

import asyncio
import base64

from core.wire.limits import MAX_TEXT_RESULT_CHARS
from fake_renderers import FakeRenderer, ThreadEngine
from worker import beats
from worker.renderer import Shown
from worker.text.kind import Texts


def heard(horde, **answer):
    """Let the horde listen; its answers."""
    horde.progress_answer = {"gone": [], "watched": False, "seconds": 0.1, **answer}


class Showing(FakeRenderer):
    """Has something to show at each step; makes steps until it may end."""

    def __init__(self, go, data=b"a preview"):
        super().__init__()
        self.go, self.data, self.looked = go, data, 0

    def render(self, order, on_step):
        for step in range(1, 100):
            on_step(step, 100, self.look)
            if self.go.wait(0.02):
                break
        return super().render(order, on_step)

    def look(self):
        self.looked += 1
        return Shown(0, self.data)


async def test_a_horde_that_does_not_listen_is_told_once(horde, serve):
    async with serve() as serving:
        for _ in range(3):
            [job] = horde.add()
            assert (await serving.submitted(job))["state"] == "ok"
            await serving.until(lambda: horde.progress)
    assert len(horde.progress) == 1


async def test_steps_and_previews_reach_who_looks_on(horde, serve, monkeypatch):
    import threading

    monkeypatch.setattr("worker.beats.MIN_SECONDS", 0.05)
    heard(horde, watched=True)
    go = threading.Event()
    [job] = horde.add()
    async with serve(ThreadEngine(Showing(go))) as serving:
        preview = base64.b64encode(b"a preview").decode()
        await serving.until(lambda: any(preview in str(one) for one in horde.progress))
        go.set()
        assert (await serving.submitted(job))["state"] == "ok"
    last = horde.progress[-1]
    assert last["jobs"] == [{"id": job, "preview": preview}]
    assert 0 < last["step"] <= last["steps"]


async def test_nothing_is_shown_where_nobody_looks_on_or_nobody_may(horde, serve, monkeypatch):
    import threading

    monkeypatch.setattr("worker.beats.MIN_SECONDS", 0.05)
    for answer, payload in (
        ({"watched": False}, {}),
        ({"watched": True}, {"use_nsfw_censor": True}),
    ):
        heard(horde, **answer)
        horde.progress.clear()
        go = threading.Event()
        renderer = Showing(go)
        [job] = horde.add(payload=payload)
        async with serve(ThreadEngine(renderer)) as serving:
            await serving.until(lambda: len(horde.progress) > 3)
            go.set()
            assert (await serving.submitted(job))["state"] == "ok"
        assert renderer.looked == 0


async def test_a_text_is_told_as_it_is_written(horde, serve, monkeypatch):
    import threading

    from fake_renderers import STORY
    from worker.offers import text_offer
    from worker.settings import Settings

    monkeypatch.setattr("worker.beats.MIN_SECONDS", 0.05)
    heard(horde, watched=True)
    go = threading.Event()

    class Writing(Showing):
        def _write(self, order, on_step):
            for step in range(1, 17):
                on_step(step, 16, self.look)
                go.wait(0.05)
            return super()._write(order, on_step)

        render = FakeRenderer.render

    settings = Settings(url=horde.url, name="tester", wait_seconds=0.05)
    job = horde.add_text()
    async with serve(
        ThreadEngine(Writing(go, " there was")),
        kind=lambda client: Texts(client, text_offer(settings)),
        models={"story": STORY},
    ) as serving:
        await serving.until(lambda: any(" there was" in str(one) for one in horde.progress))
        go.set()
        await serving.submitted(job)


async def test_a_job_that_is_gone_is_left_at_the_next_step(horde, serve, monkeypatch, tmp_path):
    monkeypatch.setattr("worker.beats.MIN_SECONDS", 0.05)
    heard(horde)
    [gone] = horde.add(payload={"prompt": f"wait {tmp_path / 'never'}"})
    async with serve() as serving:
        await serving.display.stepped.wait()
        heard(horde, gone=[gone])
        [good] = horde.add()
        assert (await serving.submitted(good))["state"] == "ok"
        await serving.until(lambda: any("left: " in one for one in serving.display.ended))
    assert horde.submitted(gone) is None


async def test_the_horde_hears_of_a_job_until_it_is_told_what_came_of_it(horde, serve, monkeypatch):
    monkeypatch.setattr("worker.beats.MIN_SECONDS", 0.05)
    monkeypatch.setattr("worker.beats.MAX_SECONDS", 0.1)
    monkeypatch.setattr("worker.in_hand.FIRST_LATE_SECONDS", 0.5)
    heard(horde)
    horde.submit_errors.extend([(503, {})] * 3)
    [job] = horde.add()
    async with serve() as serving:
        await serving.until(lambda: any("kept until" in one for one in serving.display.ended))
        told = len(horde.progress)
        await serving.until(lambda: len(horde.progress) > told + 1)
        heard(horde, gone=[job])
        await serving.until(lambda: any("delivered late" in one for one in serving.display.said))
        await asyncio.sleep(0)


async def test_what_cannot_be_told_ends_no_signs_of_life(horde, serve, monkeypatch):
    import threading

    monkeypatch.setattr("worker.beats.MIN_SECONDS", 0.05)
    monkeypatch.setattr("worker.beats.MAX_SECONDS", 0.1)
    heard(horde)
    said, calls = beats._said, []

    def too_long_once(batch, wanted):
        calls.append(batch)
        if len(calls) == 2:
            wanted.shown = Shown(0, "x" * (MAX_TEXT_RESULT_CHARS + 1))
        try:
            return said(batch, wanted)
        finally:
            wanted.shown = None

    monkeypatch.setattr(beats, "_said", too_long_once)
    go = threading.Event()
    [job] = horde.add()
    async with serve(ThreadEngine(Showing(go))) as serving:
        await serving.until(lambda: len(horde.progress) > 2)
        go.set()
        assert (await serving.submitted(job))["state"] == "ok"
    assert len(calls) > len(horde.progress)
