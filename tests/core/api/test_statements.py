"""What a whole job asks of PostgreSQL, in statements, with caches warm."""

from collections import Counter
from datetime import timedelta

import pytest

import pictures
import serving
import statements
from core import remembered
from core.moderation import modes, prompts
from core.queue import waiting
from core.workers import messages, online

CHECKS = 7
BUDGET = {
    "ask": 7,
    "pop": 5,
    "upload": 1,
    "submit": 6,
    "check while it waits": 2,
    "check when it is done": 1,
    "status": 1,
    "pop of nothing": 3,
}
WHOLE_JOB = 32
"""Ask, pop, upload, submit, seven checks and a status."""


@pytest.fixture
async def shop(postgres_url, tmp_path):
    async with serving.in_process(postgres_url, tmp_path / "data", upkeep="off") as server:
        yield await serving.open_shop(server)


async def a_whole_job(shop, asker):
    """The statements of each step."""
    server, seen = shop.server, {}
    database = server.app.extensions["horde"].database

    async def step(name, call):
        server.app.extensions["recent_checks"]._kept.clear()
        with statements.counted(database) as sent:
            answer = await call
        seen[name] = list(sent.all)
        return answer

    async def check(name, request_id):
        answer = await step(name, server.get(f"/generate/check/{request_id}"))
        assert answer.status_code == 200, answer.text

    request_id = await step("ask", server.ask(key=asker.key, models=[shop.name]))
    await check("check while it waits", request_id)
    popped = await step("pop", shop.pop())
    picture = pictures.WEBP
    uploaded = await step("upload", server.http.put(popped["r2_upload"], content=picture))
    assert uploaded.status_code == 200, uploaded.text
    submitted = await step("submit", shop.submit(popped["id"]))
    assert submitted.status_code == 200, submitted.text
    await check("check when it is done", request_id)
    answer = await step("status", server.get(f"/generate/status/{request_id}"))
    assert len(answer.json()["generations"]) == 1
    for _ in range(2):  # the first counts anew what waits, since something was asked for
        assert (await step("pop of nothing", shop.pop()))["id"] is None
    return seen


def keep_warm(monkeypatch):
    """However slow the machine is from now on, caches stay warm."""
    monkeypatch.setattr(remembered, "SECONDS", 3600)
    monkeypatch.setattr(waiting, "COUNTS_SECONDS", 3600)
    for module in (modes, prompts):
        monkeypatch.setattr(module, "READ_AGAIN", timedelta(hours=1))
    for module in (messages, online):
        monkeypatch.setattr(module, "SEEN_AGAIN_SECONDS", 3600)


async def test_each_step_keeps_its_budget(shop, monkeypatch):
    asker = await shop.server.user("an asker", kudos=1000)
    for _ in range(2):
        await a_whole_job(shop, asker)
    keep_warm(monkeypatch)
    seen = await a_whole_job(shop, asker)
    counts = Counter({name: len(sent) for name, sent in seen.items()})
    assert all(counts[name] <= BUDGET[name] for name in BUDGET), counts
    whole = counts.total() - counts["pop of nothing"]
    assert whole + (CHECKS - 2) * counts["check while it waits"] <= WHOLE_JOB, counts
