"""Following a request: counters as clients read them, results, cancelling, the event stream."""

import asyncio
import base64
import contextlib
import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

import pictures
import serving
import statements
from core.api import hubs
from core.api.context import EXTENSION as SERVER
from core.api.streams import EXTENSION as STREAMS
from core.api.v2 import watch
from core.db import now
from core.queue import claim
from core.upkeep import steps
from core.wire import events

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMALL = serving.SMALL


@pytest.fixture
def no_pause(monkeypatch):
    """A worker gets what it failed at again at once."""
    monkeypatch.setattr(claim, "RETRY_PAUSE", timedelta(0))


def counters(status):
    names = ("finished", "processing", "restarted", "waiting", "done", "faulted")
    return tuple(int(status[name]) for name in names)


async def test_counters_from_ask_to_done(shop, no_pause):
    request_id = await shop.ask(params={**SMALL, "n": 3})
    assert counters(await shop.status(request_id)) == (0, 0, 0, 3, 0, 0)
    popped = await shop.pop(amount=2)
    assert counters(await shop.status(request_id)) == (0, 2, 0, 1, 0, 0)
    await shop.submit(popped["ids"][1], state="faulted")
    assert counters(await shop.status(request_id)) == (0, 1, 1, 2, 0, 0)
    await shop.deliver({**popped, "ids": popped["ids"][:1], "r2_uploads": popped["r2_uploads"][:1]})
    assert counters(await shop.status(request_id)) == (1, 0, 1, 2, 0, 0)
    for _ in range(2):
        await shop.deliver(await shop.pop())
    assert counters(await shop.status(request_id)) == (3, 0, 1, 0, 1, 0)


async def test_the_third_try_of_the_only_worker_ends_a_picture_and_it_alone(shop, no_pause):
    request_id = await shop.ask(params={**SMALL, "n": 3})
    await shop.deliver(await shop.pop())
    for fault in range(1, 4):
        popped = await shop.pop()
        assert (await shop.submit(popped["id"], state="faulted")).json() == {"reward": 0.0}
        assert (await shop.status(request_id))["restarted"] == fault
    assert counters(await shop.status(request_id)) == (1, 0, 3, 1, 0, 0)
    await shop.deliver(await shop.pop())
    status = await shop.status(request_id)
    assert counters(status) == (2, 0, 3, 0, 1, 0)
    assert len(status["generations"]) == 2
    assert (await shop.pop())["id"] is None


async def test_a_request_of_which_nothing_could_be_made_is_faulted(shop, no_pause):
    request_id = await shop.ask()
    for _ in range(3):
        await shop.submit((await shop.pop())["id"], state="faulted")
    assert counters(await shop.status(request_id)) == (0, 0, 3, 0, 1, 1)


async def test_a_reason_is_told_though_a_later_try_gave_none(shop, no_pause):
    request_id = await shop.ask()
    note = {"type": "information", "value": "see_ref", "ref": "no room"}
    await shop.submit((await shop.pop())["id"], state="faulted", gen_metadata=[note])
    await shop.pop()
    async with shop.server.database.writing() as session:
        await steps.abort_stale(session, shop.server.horde, now() + timedelta(hours=1))
    told = [{"index": 0, "tries": 2, "reason": "no room"}]
    assert (await shop.status(request_id))["faults"] == told


async def test_why_a_worker_failed_reaches_who_asked(shop):
    request_id = await shop.ask(params={**SMALL, "n": 2})
    assert "faults" not in (await shop.status(request_id))
    popped = await shop.pop(amount=2)
    note = {"type": "information", "value": "see_ref", "ref": "source_mask cannot be read"}
    await shop.submit(popped["ids"][1], state="faulted", gen_metadata=[note])
    told = [{"index": 1, "tries": 1, "reason": "source_mask cannot be read"}]
    assert (await shop.status(request_id))["faults"] == told
    shop.server.app.extensions[watch.CHECKS]._kept.clear()
    assert (await shop.server.get(f"/generate/check/{request_id}")).json()["faults"] == told
    view = await watch.look(shop.server.app.extensions[SERVER], UUID(request_id), None)
    seen = events.decode("status", view.status.split(b"data: ")[1].decode())
    assert [(job.faults, job.reason) for job in seen.jobs] == [(None, None), (1, told[0]["reason"])]
    assert [fault.model_dump() for fault in seen.faults] == told
    await shop.submit(popped["ids"][0], state="faulted")
    assert (await shop.status(request_id))["faults"] == [{"index": 0, "tries": 1}, *told]


async def test_a_cancel_answers_what_was_before_and_lets_running_jobs_end(shop):
    request_id = await shop.ask(params={**SMALL, "n": 3})
    popped = await shop.pop()
    before = await shop.server.call("DELETE", f"/generate/status/{request_id}")
    assert counters(before.json()) == (0, 1, 0, 2, 0, 0)
    assert counters(await shop.status(request_id)) == (0, 1, 0, 0, 0, 0)
    assert (await shop.pop())["id"] is None
    (reward,) = await shop.deliver(popped)
    assert reward > 0
    assert counters(await shop.status(request_id)) == (1, 0, 0, 0, 1, 0)
    again = await shop.server.call("DELETE", f"/generate/status/{request_id}")
    assert counters(again.json()) == (1, 0, 0, 0, 1, 0)


async def test_a_job_given_back_after_the_cancel_does_not_wait_again(shop):
    request_id = await shop.ask()
    popped = await shop.pop()
    await shop.server.call("DELETE", f"/generate/status/{request_id}")
    await shop.submit(popped["id"], state="faulted")
    assert counters(await shop.status(request_id)) == (0, 0, 1, 0, 1, 0)
    assert (await shop.pop())["id"] is None


async def test_nothing_is_paid_twice_and_a_cancel_gives_the_rest_back(shop):
    payer = await shop.server.user(f"payer{next(serving.NUMBERS)}", kudos=1000)

    async def kudos():
        return (await shop.server.get("/find_user", key=payer.key)).json()["kudos"]

    before = await kudos()
    request_id = await shop.ask(key=payer.key, params={**SMALL, "n": 2})
    tax = (await shop.status(request_id))["kudos_exact"]
    assert tax == 1.0
    assert await kudos() == before - tax
    await shop.deliver(await shop.pop())
    await shop.server.call("DELETE", f"/generate/status/{request_id}")
    consumed = (await shop.status(request_id))["kudos_exact"]
    assert consumed > tax
    assert await kudos() == pytest.approx(before - consumed)
    assert (await shop.server.get("/kudos/audit")).json()["balanced"]


async def test_check_is_status_without_the_pictures_and_kept_for_a_second(shop):
    request_id = await shop.ask()
    first = (await shop.server.get(f"/generate/check/{request_id}")).json()
    status = await shop.status(request_id)
    assert status.keys() - first.keys() == {"generations", "shared"}
    assert {name: status[name] for name in first} == first
    await shop.pop()
    assert (await shop.server.get(f"/generate/check/{request_id}")).json() == first
    shop.server.app.extensions[watch.CHECKS]._kept.clear()
    assert (await shop.server.get(f"/generate/check/{request_id}")).json()["processing"] == 1


async def test_position_and_possibility(shop):
    await shop.pop()
    shop.server.horde.online.forget()
    first = await shop.ask()
    second = await shop.ask()
    positions = [(await shop.status(each))["queue_position"] for each in (first, second)]
    assert positions == [1, 2]
    assert (await shop.status(first))["is_possible"]
    nobody = await shop.server.ask(models=["nobody serves it"])
    assert not (await shop.status(nobody))["is_possible"]
    popped = await shop.pop()
    assert (await shop.status(first))["queue_position"] == 0
    await shop.deliver(popped)
    assert (await shop.status(first))["wait_time"] == 0


async def test_a_picture_comes_with_all_that_is_known_of_it(shop):
    request_id = await shop.ask()
    popped = await shop.pop()
    await shop.server.http.put(popped["r2_upload"], content=pictures.WEBP)
    said = [
        {"type": "lora", "value": "download_failed", "ref": "a"},
        {"type": "batch_index", "value": "see_ref"},
    ]
    await shop.submit(popped["id"], seed=2**40, gen_metadata=said, state="censored", censored=True)
    (generation,) = (await shop.status(request_id))["generations"]
    link = generation.pop("img")
    worker = (await shop.server.get(f"/workers/name/{shop.name}")).json()
    assert generation == {
        "id": popped["id"],
        "seed": str(2**40),
        "censored": False,
        "gen_metadata": said,
        "worker_id": worker["id"],
        "worker_name": shop.name,
        "model": shop.name,
        "state": "ok",
    }
    assert link.startswith("https://horde.test/pictures/")
    assert (await shop.server.http.get(link)).content == pictures.WEBP


@pytest.mark.parametrize(("value", "state"), [("csam", "csam"), ("nsfw", "censored")])
async def test_censorship_is_said_by_metadata(shop, value, state):
    request_id = await shop.ask()
    popped = await shop.pop()
    said = [{"type": "censorship", "value": value}]
    await shop.submit(popped["id"], generation=pictures.RESULT, gen_metadata=said)
    status = await shop.status(request_id)
    assert status["generations"][0]["censored"]
    assert status["generations"][0]["state"] == state
    assert status["kudos_exact"] < 3  # the requester pays the taxes only


async def test_a_result_may_come_as_base64(shop):
    request_id = await shop.ask()
    popped = await shop.pop()
    submitted = await shop.submit(popped["id"], generation=pictures.RESULT)
    assert submitted.status_code == 200
    assert isinstance(submitted.json()["reward"], float)
    (generation,) = (await shop.status(request_id))["generations"]
    assert (await shop.server.http.get(generation["img"])).content == pictures.WEBP


async def test_without_r2_a_picture_is_base64_and_na_when_it_is_gone(shop):
    request_id = await shop.ask(r2=False)
    popped = await shop.pop(bridge_agent="unknown:0:unknown")
    await shop.deliver(popped)
    (generation,) = (await shop.status(request_id))["generations"]
    assert base64.b64decode(generation["img"]) == pictures.WEBP
    await shop.server.horde.store.delete(f"{popped['id']}.webp")
    (generation,) = (await shop.status(request_id))["generations"]
    assert generation["img"] == "N/A"


@pytest.mark.parametrize(
    ("delivery", "public_url", "by_link"),
    [
        ("auto", "https://horde.test", True),
        ("auto", "", False),
        ("url", "", True),
        ("base64", "https://horde.test", False),
    ],
)
async def test_how_pictures_are_handed_out(databases, tmp_path, delivery, public_url, by_link):
    chosen = {"image_delivery": delivery, "public_url": public_url}
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, **chosen) as server:
            shop = await serving.open_shop(server)
            request_id = await shop.ask()
            await shop.deliver(await shop.pop())
            (generation,) = (await shop.status(request_id))["generations"]
    assert generation["img"].startswith("http") == by_link


async def test_over_plain_http_each_program_gets_pictures_as_it_needs_them(databases, tmp_path):
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, public_url="http://horde.test") as server:
            shop = await serving.open_shop(server)

            async def image(**asked_and_headers):
                asked = {k: v for k, v in asked_and_headers.items() if k == "r2"}
                request_id = await shop.ask(**asked)
                await shop.deliver(await shop.pop())
                headers = {k: v for k, v in asked_and_headers.items() if k != "r2"}
                for method in ("GET", "DELETE"):
                    path = f"/generate/status/{request_id}"
                    answer = await server.call(method, path, **headers)
                    yield answer.json()["generations"][0]["img"]
                stream = await server.get(f"/generate/events/{request_id}", **headers)
                line = next(each for each in stream.text.splitlines() if '"img"' in each)
                yield json.loads(line.removeprefix("data: "))["img"]

            named = [one async for one in image(r2=True, User_Agent="python-requests/2.32")]
            assert {one.partition("?")[0][:26] for one in named} == {"http://horde.test/pictures"}
            for sent in (
                {"r2": True, "User_Agent": "Python-urllib/2.7"},
                {"r2": True, "Client_Agent": "AIHordeForGimp:1:x"},
                {"User_Agent": "python-requests/2.32"},
                {"r2": False},
            ):
                told = [one async for one in image(**sent)][:2]
                assert [base64.b64decode(one) for one in told] == [pictures.WEBP] * 2


class Stream:
    """The events of a request, read one by one from the app."""

    def __init__(self, server, request_id):
        client = server.app.test_client()
        path = f"/api/v2/generate/events/{request_id}"
        self._connection = client.request(path, method="GET")
        self._text = b""

    async def __aenter__(self):
        await self._connection.__aenter__()
        await self._connection.send_complete()
        return self

    async def __aexit__(self, *error):
        await self._connection.disconnect()
        await self._connection.__aexit__(*error)

    async def block(self):
        """What comes next, up to a blank line."""
        while b"\n\n" not in self._text:
            self._text += await self._connection.receive()
        block, _, self._text = self._text.partition(b"\n\n")
        return block.decode()

    async def event(self):
        """The next event's name and data, comments aside."""
        while (block := await self.block()).startswith(":"):
            pass
        name, data = block.split("\n")
        return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))

    async def until(self, name, **values):
        """The next event of this name in which these values are so."""
        while True:
            found, data = await self.event()
            if found == name and all(data.get(key) == value for key, value in values.items()):
                return data


@pytest.fixture
def only_events_tell(monkeypatch):
    """A stream does not look again by itself, so whatever it says came by an event."""
    monkeypatch.setattr(hubs, "LOOK_AGAIN_SECONDS", 1000.0)


async def test_a_stream_tells_a_requests_life_in_order(shop, only_events_tell):
    request_id = await shop.ask(params={**SMALL, "n": 2})
    async with Stream(shop.server, request_id) as stream:
        name, first = await stream.event()
        assert (name, first["waiting"]) == ("status", 2)
        assert [job["state"] for job in first["jobs"]] == ["waiting", "waiting"]
        popped = await shop.pop(amount=2)
        at_work = await stream.until("status", processing=2)
        assert {job["worker_name"] for job in at_work["jobs"]} == {shop.name}
        await shop.deliver(popped)
        pictures_seen = [(await stream.until("generation"))["id"] for _ in range(2)]
        assert sorted(pictures_seen) == sorted(popped["ids"])
        end = await stream.until("end")
    assert counters(end) == (2, 0, 0, 0, 1, 0)


async def test_who_connects_again_gets_everything_again(shop):
    request_id = await shop.ask(params={**SMALL, "n": 2})
    popped = await shop.pop(amount=2)
    await shop.deliver(popped)
    for _ in range(2):
        async with Stream(shop.server, request_id) as stream:
            names = [await stream.event() for _ in range(4)]
        assert [name for name, _ in names] == ["generation", "generation", "status", "end"]
        assert [data["index"] for name, data in names if name == "generation"] == [0, 1]
        assert [data["id"] for name, data in names if name == "generation"] == popped["ids"]


async def test_a_cancel_ends_the_stream(shop, only_events_tell):
    request_id = await shop.ask()
    async with Stream(shop.server, request_id) as stream:
        await stream.event()
        await shop.server.call("DELETE", f"/generate/status/{request_id}")
        assert counters(await stream.until("end")) == (0, 0, 0, 0, 1, 0)


async def test_silence_is_broken_by_a_comment(shop, monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.0)
    monkeypatch.setattr(hubs, "LOOK_AGAIN_SECONDS", 0.01)
    request_id = await shop.ask()
    async with Stream(shop.server, request_id) as stream:
        assert (await stream.block()).startswith("event: status")
        assert await stream.block() == ":"


async def test_who_hangs_up_is_forgotten(shop, only_events_tell):
    request_id = await shop.ask()
    channel, channels = f"request:{request_id}", shop.server.horde.bus._subscribers._by_channel
    async with Stream(shop.server, request_id) as stream:
        await stream.event()
        assert channel in channels
    await asyncio.sleep(0)  # the app hears of it
    await shop.pop()
    assert channel not in channels


async def test_watchers_of_a_request_share_its_looks(shop, only_events_tell, monkeypatch):
    monkeypatch.setattr(shop.server.app.extensions[STREAMS], "_most_of_address", 100)
    request_id = await shop.ask()
    await shop.status(request_id)  # so that the lane is known
    async with contextlib.AsyncExitStack() as stack:
        line = []
        with statements.counted(shop.server.database) as counted:
            for _ in range(20):
                line.append(await stack.enter_async_context(Stream(shop.server, request_id)))
                assert (await line[-1].until("status"))["waiting"] == 1
            assert len(counted.reading) <= 6
        popped = await shop.pop()
        with statements.counted(shop.server.database) as counted:
            for stream in line:
                await stream.until("status", processing=1)
            assert len(counted.reading) <= 2 * 8
        await shop.deliver(popped)
        for stream in line:
            assert (await stream.until("generation"))["id"] == popped["id"]
            await stream.until("end")


async def test_an_address_has_so_many_streams_and_a_server_too(databases, tmp_path):
    settings = {"max_streams": 2, "max_streams_per_address": 1}
    settings |= {"rate_limits": "on", "trusted_proxies": ["127.0.0.1"]}
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, **settings) as server:
            request_id = await server.ask()
            where = f"/generate/events/{request_id}"
            async with Stream(server, request_id) as stream:
                await stream.event()
                refused = await server.get(where)
                assert refused.status_code == 429
                assert refused.json()["rc"] == "TooManyStreams"
                assert refused.headers["X-RateLimit-Limit"] == "10"
                assert refused.headers["Retry-After"]
                with server.app.extensions[STREAMS].place("another address"):
                    refused = await server.get(where, X_Forwarded_For="192.0.2.1")
                    assert (refused.status_code, refused.json()["rc"]) == (429, "TooManyStreams")
            async with Stream(server, request_id) as stream:
                assert (await stream.event())[0] == "status"


async def test_who_begins_to_watch_while_the_server_stops_may_come_again(databases, tmp_path):
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path) as server:
            request_id = await server.ask()
            async with Stream(server, request_id) as stream:
                await stream.event()
                server.app.extensions[STREAMS].hubs.close()
                assert await stream.block() == events.COME_AGAIN.decode().strip()
            refused = await server.get(f"/generate/events/{request_id}")
            assert (refused.status_code, refused.json()["rc"]) == (503, "Unavailable")


async def test_nobody_knows_a_request_that_is_none(shop):
    for unknown in ("nonsense", str(uuid4())):
        answer = await shop.server.get(f"/generate/events/{unknown}")
        assert (answer.status_code, answer.json()["rc"]) == (404, "RequestNotFound")
