"""What a worker tells of jobs at work: who may, how often, what is shown to whom."""

import asyncio
import base64
import io
import os
from contextlib import aclosing
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from PIL import Image
from sqlalchemy import select

import serving
import statements
from core.api import glimpses
from core.api.streams import EXTENSION as STREAMS
from core.db import now
from core.generation import beats
from core.generation.horde import channel_of
from core.queue.tables import AttemptRow, Outcome
from core.upkeep import steps
from core.wire import events

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPEN = {"censor_nsfw": False}
VALIDATED = "KoboldCppEmbedWorker:2:https://github.com/LostRuins/koboldcpp"
_attempts = AttemptRow.__table__


def webp(side=64, *, noise=False, kind="WEBP", **said):
    image = Image.new("RGB", (side, side), "teal")
    if noise:
        image = Image.frombytes("RGB", (side, side), os.urandom(side * side * 3))
    out = io.BytesIO()
    image.save(out, kind, **said)
    return base64.b64encode(out.getvalue()).decode()


async def told(shop, popped, *, key=None, step=3, steps=9, **shown):
    jobs = [{"id": job} for job in popped["ids"]]
    jobs[0] |= shown
    body = {"jobs": jobs, "step": step, "steps": steps}
    return await shop.server.post("/generate/progress", body, key=key or shop.owner.key)


class Watching:
    """Somebody who watches a request."""

    def __init__(self, shop, request_id):
        streams = shop.server.app.extensions[STREAMS]
        self._events = aclosing(streams.events(UUID(request_id), f"address {uuid4()}"))

    async def __aenter__(self):
        self._stream = await self._events.__aenter__()
        assert (await self.event())[0] == "status"
        return self

    async def __aexit__(self, *error):
        await self._events.__aexit__(*error)

    async def event(self):
        async with asyncio.timeout(30):
            while (block := await anext(self._stream)).startswith(b":"):
                pass
        name, data = block.decode().strip().split("\n")
        name = name.removeprefix("event: ")
        return name, events.decode(name, data.removeprefix("data: "))

    async def progress(self):
        while True:
            name, event = await self.event()
            if name == "progress":
                return event


async def test_who_watches_sees_steps_and_previews(shop):
    request_id = await shop.ask(**OPEN)
    popped = await shop.pop()
    async with Watching(shop, request_id) as watching:
        answer = await told(shop, popped, preview=webp())
        assert answer.json() == {"gone": [], "watched": True, "seconds": 1.0}
        seen = await watching.progress()
        assert (seen.index, seen.step, seen.steps) == (0, 3, 9)
        with Image.open(io.BytesIO(base64.b64decode(seen.preview))) as opened:
            assert (opened.format, opened.size) == ("WEBP", (64, 64))
        await shop.deliver(popped)
        names = [(await watching.event())[0] for _ in range(3)]
    assert names[-1] == "end"
    assert "generation" in names


async def test_where_nobody_watches_it_is_a_sign_of_life(shop):
    await shop.ask(**OPEN)
    popped = await shop.pop()
    heard = (await told(shop, popped, preview=webp())).json()
    elsewhere = not shop.server.horde.bus.alone  # somebody may watch by another process
    assert heard == {"gone": [], "watched": elsewhere, "seconds": 1.0 if elsewhere else 10.0}


async def test_a_worker_that_begins_calls_again_before_its_requester_looks_in_vain(shop):
    await shop.ask(**OPEN)
    popped = await shop.pop()
    elsewhere = not shop.server.horde.bus.alone  # somebody may watch by another process
    for step, seconds in ((0, 2.0), (1, 10.0)):
        heard = (await told(shop, popped, step=step)).json()
        assert heard["seconds"] == (1.0 if elsewhere else seconds)


async def test_a_batch_is_told_of_together_and_shown_one_by_one(shop):
    request_id = await shop.ask(**OPEN, params={**serving.SMALL, "n": 3})
    popped = await shop.pop(amount=3)
    async with Watching(shop, request_id) as watching:
        await told(shop, popped, preview=webp())
        seen = [await watching.progress() for _ in range(3)]
    assert sorted((one.index, one.preview is not None) for one in seen) == [
        (0, True),
        (1, False),
        (2, False),
    ]


async def test_nothing_of_a_request_that_may_have_to_be_censored_is_shown(shop):
    request_id = await shop.ask()
    popped = await shop.pop()
    assert popped["payload"]["use_nsfw_censor"]
    async with Watching(shop, request_id) as watching:
        assert (await told(shop, popped, preview=webp())).status_code == 200
        seen = await watching.progress()
    assert (seen.step, seen.preview) == (3, None)


@pytest.mark.parametrize(
    "preview",
    [
        "not base64!",
        base64.b64encode(b"no picture").decode(),
        webp(1024),  # too many pixels
        webp(120, noise=True, kind="PNG")[:31_000],  # cut off
        webp(85, noise=True, kind="PNG"),  # larger once it is a WebP
        "🦊",
    ],
    ids=range(6),
)
async def test_a_preview_that_is_no_small_picture_is_not_passed_on(shop, preview):
    request_id = await shop.ask(**OPEN)
    popped = await shop.pop()
    async with Watching(shop, request_id) as watching:
        assert (await told(shop, popped, preview=preview)).status_code == 200
        seen = await watching.progress()
    assert seen.preview is None or len(base64.b64decode(seen.preview)) <= 24_000


async def test_a_preview_of_too_many_bytes_is_refused(shop):
    popped = await asked_and_popped(shop)
    answer = await told(shop, popped, preview="A" * 32_005)
    assert answer.status_code == 400


async def asked_and_popped(shop):
    await shop.ask(**OPEN)
    return await shop.pop()


async def test_only_the_owner_of_the_attempt_may_tell(shop):
    popped = await asked_and_popped(shop)
    stranger = await shop.server.user(f"stranger{next(serving.NUMBERS)}")
    answer = await told(shop, popped, key=stranger.key)
    assert (answer.status_code, answer.json()["rc"]) == (403, "WrongCredentials")
    assert (await told(shop, popped, key="no-key-of-anybody")).status_code == 401


async def test_jobs_that_are_over_or_unknown_are_told_to_be_gone(shop):
    popped = await asked_and_popped(shop)
    await shop.deliver(popped)
    unknown = [str(uuid4()), "no id at all"]
    jobs = {"ids": [*popped["ids"], *unknown]}
    answer = await told(shop, jobs)
    assert answer.json() == {"gone": jobs["ids"], "watched": False, "seconds": 10.0}


async def test_two_calls_a_second_are_enough(databases, tmp_path):
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, rate_limits="on") as server:
            shop = await serving.open_shop(server)
            popped = await asked_and_popped(shop)
            answers = [(await told(shop, popped)).status_code for _ in range(3)]
    assert answers.count(200) == 2
    assert answers[-1] == 429


async def test_a_text_is_shown_as_it_is_written(shop):
    name = f"writer {next(serving.NUMBERS)}"
    offered = {"name": name, "models": [name], "bridge_agent": VALIDATED}
    asked = {"prompt": "Once", "models": [name], "params": {"max_length": 20}}
    request_id = (await shop.server.post("/generate/text/async", asked, key=shop.owner.key)).json()[
        "id"
    ]
    popped = (await shop.server.post("/generate/text/pop", offered, key=shop.owner.key)).json()
    long = " upon a time" * 1000  # more than fits into a message between processes
    async with Watching(shop, request_id) as watching:
        await told(shop, popped, text=long, preview=webp())
        seen = await watching.progress()
    assert (seen.text, seen.preview) == (long, None)


async def test_no_deadline_moves_and_little_is_written(shop):
    popped = await asked_and_popped(shop)
    attempt = select(_attempts).where(_attempts.c.id == UUID(popped["id"]))
    async with shop.server.database.reading() as session:
        before = (await session.execute(attempt)).one()
    for _ in range(2):
        with statements.counted(shop.server.database) as sent:
            assert (await told(shop, popped)).status_code == 200
    async with shop.server.database.reading() as session:
        after = (await session.execute(attempt)).one()
    assert before.heard_at is None
    assert after.heard_at is not None
    assert (before.deadline, before.outcome) == (after.deadline, after.outcome)
    assert not [one for one in sent.writing if "UPDATE attempts" in one]


async def upkeep(shop, **later):
    server = shop.server
    async with server.database.writing() as session:
        await steps.abort_stale(session, server.horde, now() + timedelta(**later))


async def outcome(shop, popped):
    async with shop.server.database.reading() as session:
        found = select(_attempts.c.outcome).where(_attempts.c.id == UUID(popped["id"]))
        return await session.scalar(found)


async def test_a_worker_that_falls_silent_loses_its_job_before_the_deadline(shop, monkeypatch):
    monkeypatch.setattr(shop.server.horde, "started_at", now() - timedelta(hours=1))
    heard, never_heard = await asked_and_popped(shop), await asked_and_popped(shop)
    await told(shop, heard)
    await upkeep(shop, seconds=59)
    assert await outcome(shop, heard) == Outcome.ALIVE
    await upkeep(shop, seconds=61)
    assert await outcome(shop, heard) == Outcome.ABORTED
    assert await outcome(shop, never_heard) == Outcome.ALIVE
    assert (await told(shop, heard)).json()["gone"] == heard["ids"]


async def test_nobody_is_blamed_for_a_pause_of_the_servers_own(shop, monkeypatch):
    popped = await asked_and_popped(shop)
    await told(shop, popped)
    monkeypatch.setattr(shop.server.horde, "started_at", now() + timedelta(seconds=80))
    await upkeep(shop, seconds=90)
    assert await outcome(shop, popped) == Outcome.ALIVE


async def test_pieces_that_do_not_fit_together_are_passed_over():
    seen = glimpses.Glimpses()

    def piece(number, count, text="x"):
        return {
            "what": beats.PROGRESS,
            "job": 0,
            "step": 1,
            "steps": 2,
            "shown": "text",
            "piece": [number, count, text],
        }

    assert not seen.take({"what": "done"})
    for message in (piece(2, 2), piece(1, 3), piece(3, 3), piece(1, 1000)):
        assert seen.take(message)
    assert not seen.events
    seen.take(piece(1, 2, "a"))
    seen.take(piece(2, 2, "b"))
    assert b'"text":"ab"' in seen.events[0]
    seen.keep_only([1])
    assert not seen.events


async def test_messages_between_processes_stay_small(shop):
    request_id = await shop.ask(**OPEN)
    popped = await shop.pop()
    subscription = shop.server.horde.bus.subscribe(channel_of(UUID(request_id)))
    async with subscription as messages, Watching(shop, request_id):
        await told(shop, popped, preview=webp(90, noise=True, quality=80))
        pieces = [message["piece"] for message in messages.taken() if "piece" in message]
    assert [number for number, _, _ in pieces] == list(range(1, pieces[0][1] + 1))
    assert max(len(data) for _, _, data in pieces) <= beats.PIECE_CHARS
