"""Asking for pictures by version 1: at once and waiting, what is refused, when they are gone."""

import asyncio
import contextlib
import json

import pytest

import serving
from core.api.v1 import generate
from core.generation.horde import JOBS
from serving import ANONYMOUS
from version1 import PICTURE, SMALL, V1

README = {"n": 1, "width": 256, "height": 256}
NOBODY = "00000000-0000-0000-0000-000000000000"
EMPTY = {"waiting": 1, "processing": 0, "finished": 0, "done": False}


def text_of(answer):
    """The text of a refusal, which is bare JSON."""
    told = answer.json()
    assert isinstance(told, str), answer.text
    return told


async def popped(server):
    """The id of the next job, however long it takes until somebody asks for something."""
    return (await server.horde.app.pop(server.owner.key, name=server.name, threads=2, wait=10))[
        "id"
    ]


async def served(server):
    """Serve the next picture."""
    return await server.submit(await popped(server))


class TestSync:
    async def test_the_readmes_call_returns_the_picture(self, horde, server):
        """As curl sends it that is not told that it is JSON."""
        body = json.dumps({"prompt": "a fox", "params": README, "api_key": ANONYMOUS})
        asked = horde.app.http.post(
            "/api/v1/generate/sync",
            content=body,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        answer, _ = await asyncio.gather(asked, served(server))
        assert answer.status_code == 200
        assert answer.json() == [
            {
                "img": PICTURE,
                "seed": 7,
                "server_id": await server.id(),
                "server_name": "A server",
            }
        ]

    async def test_several_pictures(self, horde, server):
        asked = horde.post(
            "/generate/sync", prompt="a fox", params={**SMALL, "n": 2}, api_key=ANONYMOUS
        )
        answer, *_ = await asyncio.gather(asked, served(server), served(server))
        assert len(answer.json()) == 2

    async def test_time_is_up(self, horde, server, monkeypatch):
        monkeypatch.setattr(generate, "MAX_SECONDS", 0.05)
        answer = await horde.post("/generate/sync", prompt="a fox", api_key=ANONYMOUS)
        assert answer.status_code == 500
        assert "expired" in text_of(answer)
        assert (await server.pop()).json()["id"] is None

    @pytest.mark.usefixtures("no_pause")
    async def test_servers_that_fail_at_it(self, horde, server):
        async def fail():
            for _ in range(3):
                job_id = await popped(server)
                await horde.app.submit(server.owner.key, job_id, state="faulted")

        asked = horde.post("/generate/sync", prompt="a fox", params=SMALL, api_key=ANONYMOUS)
        answer, _ = await asyncio.gather(asked, fail())
        assert answer.status_code == 500
        assert "failed" in text_of(answer)

    async def test_who_hangs_up_does_not_want_it_any_more(self, horde, server):
        body = {"prompt": "a fox", "params": SMALL, "api_key": ANONYMOUS}
        async with (
            horde.app.horde.bus.subscribe(JOBS) as queued,
            hanging_up(horde.app.app, "/api/v1/generate/sync", body),
        ):
            await anext(queued)
        assert (await server.pop()).json()["id"] is None


@contextlib.asynccontextmanager
async def hanging_up(app, path, body):
    """Post JSON, and hang up at the end of the block, as a server tells it to its app."""
    hung_up = asyncio.Event()
    told = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]

    async def receive():
        if told:
            return told.pop()
        await hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        raise AssertionError(f"nobody is there to be told {message}")

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"horde.test"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
        "root_path": "",
        "extensions": {},
    }
    answering = asyncio.ensure_future(app(scope, receive, send))
    yield
    hung_up.set()
    await answering


class TestAsync:
    async def test_from_asking_to_the_picture(self, horde, server):
        request_id = await horde.ask()
        waiting = (await horde.get(f"/generate/check/{request_id}")).json()
        assert waiting.items() >= EMPTY.items()
        assert waiting.keys() == {*EMPTY, "wait_time", "queue_position"}
        assert (await server.serve()).json()["reward"] > 0
        done = (await horde.get(f"/generate/prompt/{request_id}")).json()
        assert (done["done"], done["finished"], done["waiting"]) == (True, 1, 0)
        assert done["generations"] == [
            {"img": PICTURE, "seed": 7, "server_id": await server.id(), "server_name": "A server"}
        ]

    async def test_what_was_handed_out_is_gone(self, horde, server):
        request_id = await horde.ask()
        unfinished = (await horde.get(f"/generate/prompt/{request_id}")).json()
        assert (unfinished["done"], unfinished["generations"]) == (False, [])
        await server.serve()
        assert (await horde.get(f"/generate/prompt/{request_id}")).status_code == 200
        for path in ("prompt", "check"):
            gone = await horde.get(f"/generate/{path}/{request_id}")
            assert (gone.status_code, text_of(gone)) == (404, "ID not found")

    async def test_arguments_from_a_form(self, horde, server):
        form = {"prompt": "a fox", "api_key": ANONYMOUS, "params": json.dumps(SMALL)}
        answer = await horde.app.http.post("/api/v1/generate/async", data=form)
        assert answer.status_code == 200, answer.text
        popped = (await server.pop()).json()["payload"]
        assert (popped["prompt"], popped["width"]) == ("a fox", 64)

    async def test_arguments_from_the_query(self, horde, server):
        query = {"prompt": "a fox", "api_key": ANONYMOUS, "servers": [await server.id()]}
        answer = await horde.app.http.post("/api/v1/generate/async", params=query)
        assert answer.status_code == 200, answer.text
        assert (await server.pop()).json()["id"]

    async def test_only_the_servers_that_are_named(self, app, horde, server):
        other = type(server)(horde, await app.user("Another"), "Another server")
        await other.pop()
        await horde.ask(servers=[await other.id()])
        app.horde.counts.read_at = float("-inf")  # else they may be a second old
        refused = (await server.pop()).json()
        assert refused == {"id": None, "skipped": {"server_id": 1}}
        assert (await other.pop()).json()["id"]

    async def test_more_than_20_are_20(self, horde, server):
        request_id = await horde.ask(params={**SMALL, "n": 500})
        assert (await horde.get(f"/generate/check/{request_id}")).json()["waiting"] == 20

    async def test_what_version_2_knows_too_is_for_its_workers(self, app, horde, server):
        await horde.ask(params={**SMALL, "sampler_name": "k_lms", "cfg_scale": 9, "seed": 12})
        payload = (await app.pop(server.owner.key))["payload"]
        assert (payload["sampler_name"], payload["cfg_scale"]) == ("k_lms", 9.0)
        assert payload["seed"] == "12"


class TestRefused:
    @pytest.mark.parametrize("path", ["sync", "async"])
    async def test_with_a_bare_text(self, horde, server, path):
        usual = {"prompt": "a fox", "api_key": ANONYMOUS, "params": SMALL}
        for arguments, status, text in (
            ({"api_key": "nobodys"}, 401, "API Key"),
            ({"prompt": " "}, 400, "empty prompt"),
            ({"params": {"width": 100}}, 400, "multiple of 64"),
            ({"params": {"height": 0}}, 400, "multiple of 64"),
            ({"params": {"width": 2**40}}, 400, "multiple of 64"),
            ({"params": {"steps": 101}}, 400, "steps"),
            ({"params": {"toggles": "x" * 20_000}}, 400, "too many"),
            ({"servers": [NOBODY]}, 503, "not found"),
            ({"servers": ["no id"]}, 503, "not found"),
        ):
            answer = await horde.post(f"/generate/{path}", **usual | arguments)
            assert answer.status_code == status, arguments
            assert text in text_of(answer)

    async def test_where_nobody_could_make_it(self, horde):
        answer = await horde.post("/generate/async", prompt="a fox", api_key=ANONYMOUS)
        assert answer.status_code == 503
        assert "No available workers" in text_of(answer)
        assert (await horde.get("/status/performance")).json()["queued_requests"] == 0

    async def test_too_many_at_once(self, app, horde, server):
        crowd = await app.user("Crowd", concurrency=1)
        await horde.ask(api_key=crowd.key)
        answer = await horde.post("/generate/async", prompt="a fox", api_key=crowd.key)
        assert answer.status_code == 503
        assert "Parallel requests" in text_of(answer)

    async def test_in_maintenance(self, horde, server, admin):
        on = await horde.put("/admin/maintenance", api_key=admin.key, active=True)
        assert on.status_code == 200
        answer = await horde.post("/generate/async", prompt="a fox", api_key=ANONYMOUS)
        assert answer.status_code == 503
        assert "maintenance" in text_of(answer)

    async def test_a_request_that_is_not_there(self, horde):
        for path in ("check", "prompt"):
            for request_id in (NOBODY, "no id"):
                answer = await horde.get(f"/generate/{path}/{request_id}")
                assert (answer.status_code, text_of(answer)) == (404, "ID not found")


class TestArguments:
    async def test_what_is_missing_is_named(self, horde):
        answer = await horde.post("/generate/async", params=SMALL)
        assert answer.status_code == 400
        assert answer.json()["message"] == "Input payload validation failed"
        assert answer.json()["errors"].keys() == {"prompt", "api_key"}
        assert "Missing required parameter" in answer.json()["errors"]["prompt"]

    @pytest.mark.parametrize("prefix", ["", "/api/latest"])
    async def test_the_oldest_paths_tell_it_as_they_did(self, horde, prefix):
        answer = await V1(horde.app, prefix).post("/generate/async", prompt="a fox")
        assert answer.status_code == 400
        assert answer.json().keys() == {"message"}
        assert answer.json()["message"].keys() == {"api_key"}

    async def test_params_that_are_none(self, horde):
        usual = {"prompt": "a fox", "api_key": ANONYMOUS}
        for params in (
            {"n": 0},
            {"steps": 0},
            {"n": "many"},
            [],
            "{",
            {"width": 2**70},
            {"x": {"y": ["\0"]}},
        ):
            answer = await horde.post("/generate/async", **usual, params=params)
            assert answer.status_code == 400, params
            assert answer.json()["errors"].keys() == {"params"}

    async def test_what_is_no_json(self, horde):
        for body in (
            b"{",
            b"[]",
            b'"text"',
            b'{"prompt": NaN}',
            b'{"prompt": "\\ud800", "api_key": "0000000000"}',
            b'{"params": ' + b"[" * 100_000,
            b"\xff\xfe",
            b"",
        ):
            answer = await horde.app.http.post(
                "/api/v1/generate/async",
                content=body,
                headers={"Content-Type": "application/json"},
            )
            assert answer.status_code == 400, body[:20]
            assert "JSON" in answer.json()["message"]

    async def test_params_of_a_form_that_are_no_json(self, horde, server):
        for params in ('{"x": NaN}', '{"x": 1e999}', '{"x": "\\u0000"}', '{"x": "\\ud800"}', "[1]"):
            form = {"prompt": "a fox", "api_key": ANONYMOUS, "params": params}
            answer = await horde.app.http.post("/api/v1/generate/async", data=form)
            assert answer.status_code == 400, params
            assert answer.json()["errors"].keys() == {"params"}

    async def test_texts_with_a_nul(self, horde, server):
        for bad in ({"prompt": "a\0b"}, {"params": {"toggles": ["\0"]}}, {"api_key": "\0"}):
            usual = {"prompt": "a fox", "api_key": ANONYMOUS}
            assert (await horde.post("/generate/async", **usual | bad)).status_code == 400

    async def test_a_key_with_line_breaks_is_nobodys(self, horde):
        answer = await horde.post("/generate/async", prompt="a fox", api_key="a\r\nHost: b")
        assert answer.status_code == 401


async def test_where_version_1_was_found_and_where_not(app, server):
    for prefix in ("", "/api/latest", "/api/v1"):
        horde = V1(app, prefix)
        request_id = await horde.ask()
        assert (await horde.get(f"/generate/check/{request_id}")).status_code == 200
    for path in ("/api/v2/generate/sync", "/api/v3/generate/async", "/api/generate/async"):
        assert (await app.http.post(path, json={})).status_code in (404, 405)


async def test_limits_are_those_of_2022(databases, tmp_path):
    """Twice a minute for a request's pictures, and the third time is one too many."""
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, rate_limits="on") as app:
            answers = [await app.http.get(f"/api/v1/generate/prompt/{NOBODY}") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [404, 404, 429]
    assert answers[2].json() == {"message": "2 per 1 minute"}
