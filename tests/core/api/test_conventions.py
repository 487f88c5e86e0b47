"""What holds for every endpoint: headers, error bodies, JSON, field masks, addresses."""

import json

import pytest
from sqlalchemy import func, select

import pictures
import serving
from core.api.v2 import workers
from core.queue.tables import RequestRow
from core.wire.errors import RequestValidationError
from serving import ANONYMOUS

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOBODY = "00000000-0000-0000-0000-000000000000"
JSON_TYPE = "application/json; charset=utf-8"
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET, OPTIONS, PUT, DELETE, PATCH",
    "Access-Control-Allow-Headers": (
        "Accept, Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, apikey, "
        "Client-Agent, X-Fields, X-Forwarded-For, Proxied-For, Proxy-Authorization, "
        "Idempotency-Key"
    ),
    "Horde-Node": "127.0.0.1:7001:",
}
ASKING = {"prompt": "a red fox"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v2/status/heartbeat", 200),
        ("GET", "/api/v2/find_user", 401),
        ("GET", f"/api/v2/generate/check/{NOBODY}", 404),
        ("GET", "/api/v2/generate/sync", 404),
        ("GET", "/api/v2/generate/pop", 405),
        ("POST", "/api/v2/generate/pop", 400),
        ("GET", "/api/v3/nothing", 404),
        ("GET", "/pictures/x.webp", 403),
        ("OPTIONS", "/api/v2/generate/async", 200),
        ("OPTIONS", "/pictures/x.webp", 200),
        ("OPTIONS", f"/api/v2/generate/events/{NOBODY}", 200),
    ],
)
async def test_every_answer_may_be_read_by_a_page_from_elsewhere(site, method, path, status):
    answer = await site.http.request(method, path)
    assert answer.status_code == status
    for name, value in CORS.items():
        assert answer.headers[name].startswith(value)
    if status != 200:
        assert "ETag" not in answer.headers
    if method == "OPTIONS":
        assert answer.content == b""
    else:
        assert answer.headers["Content-Type"] == JSON_TYPE
        assert answer.json()["message"]


@pytest.mark.parametrize("path", ["/generate/sync", "/generate/pop_multi", "/x", "/dev/test-user"])
async def test_what_is_not_there_is_404_as_json(site, path):
    answer = await site.get(path)
    assert answer.status_code == 404
    assert answer.json().keys() == {"message"}


async def test_a_wrong_method_is_405_with_the_contracts_sentence(site):
    answer = await site.get("/generate/async")
    assert answer.status_code == 405
    assert answer.json() == {"message": "The method is not allowed for the requested URL."}


async def test_a_crash_tells_nothing(site, monkeypatch):
    async def broken(*_, **__):
        raise RuntimeError("a secret of the server")

    monkeypatch.setattr(workers.fleet, "online", broken)
    answer = await site.get("/workers")
    assert answer.status_code == 500
    assert answer.json() == {"message": "Internal Server Error"}
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nul",
        b"{'prompt': 1}",
        b'{"prompt": "\xff"}',
        b'{"prompt": "\\ud800"}',
        b"[" * 9999,
    ],
)
@pytest.mark.parametrize("path", ["/generate/async", "/generate/pop", "/generate/submit"])
async def test_a_body_that_is_no_json(site, path, body):
    answer = await site.post(path, body, key=ANONYMOUS)
    assert answer.status_code == 400
    assert answer.json().keys() == {"message"}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_body_that_is_not_declared_as_json(site, kind):
    answer = await site.post("/generate/async", ASKING, key=ANONYMOUS, Content_Type=kind)
    assert answer.status_code == 400
    assert answer.json().keys() == {"message"}


async def test_a_declared_charset_is_fine(site):
    kind = "application/json; charset=utf-8"
    answer = await site.post("/generate/async", ASKING, key=ANONYMOUS, Content_Type=kind)
    assert answer.status_code == 202


async def test_everything_that_is_wrong_is_said_at_once(site):
    body = {
        "prompt": "",
        "params": {"width": 100, "steps": 0, "seed": 5, "cfg_scale": 101, "loras": [{}]},
        "models": [7],
        "nsfw": "yes",
        "source_processing": "txt2img",
        "style": None,
        "unknown": None,
    }
    answer = await site.post("/generate/async", body, key="an unknown key")
    assert answer.status_code == 400
    found = RequestValidationError.model_validate(answer.json())
    assert answer.json().keys() == {"errors", "message"}
    assert answer.json()["message"] == "Input payload validation failed"
    assert found.errors == {
        "prompt": "'' is too short",
        "params.width": "100 is not a multiple of 64",
        "params.steps": "0 is less than the minimum of 1",
        "params.seed": "5 is not of type 'string'",
        "params.cfg_scale": "101 is greater than the maximum of 100.0",
        "params.loras.0.name": "'name' is a required property",
        "models.0": "7 is not of type 'string'",
        "nsfw": "'yes' is not of type 'boolean'",
        "source_processing": (
            "'txt2img' is not one of ['img2img', 'inpainting', 'outpainting', 'remix']"
        ),
        "style": "None is not of type 'string'",
    }


@pytest.mark.parametrize(
    ("path", "body", "wrong"),
    [
        ("/generate/pop", {}, {"name"}),
        ("/generate/pop", {"name": "x", "amount": 21, "models": ["ab"]}, {"amount", "models.0"}),
        ("/generate/pop", {"name": "x", "threads": True}, {"threads"}),
        ("/generate/submit", {}, {"id", "generation", "seed"}),
        ("/generate/submit", {"id": "x", "generation": "R2", "seed": "1"}, {"seed"}),
        ("/generate/submit", {"id": "x", "generation": "R2", "seed": 2**63}, {"seed"}),
        ("/generate/async", [], {""}),
        ("/register", {"username": "ab"}, {"username"}),
    ],
)
async def test_each_body_has_its_schema(site, path, body, wrong):
    answer = await site.post(path, body, key=ANONYMOUS)
    assert answer.status_code == 400
    assert answer.json()["errors"].keys() == wrong


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/generate/async", ASKING),
        ("/generate/pop", serving.offer()),
        ("/generate/submit", {"id": NOBODY, "generation": "R2", "seed": 1}),
    ],
)
@pytest.mark.parametrize("key", [None, ""])
async def test_a_missing_key_is_a_missing_argument(site, path, body, key):
    answer = await site.post(path, body, key=key)
    assert answer.status_code == 400
    assert answer.json() == {
        "errors": {"apikey": "Missing required parameter in the HTTP headers"},
        "message": "Input payload validation failed",
    }


@pytest.mark.parametrize("header", ["apikey", "Apikey", "APIKEY", "ApiKey"])
async def test_the_key_comes_in_any_case(site, header):
    answer = await site.http.get("/api/v2/find_user", headers={header: ANONYMOUS})
    assert answer.json()["username"] == "Anonymous#0"


@pytest.mark.parametrize("prefix", ["/api/v2", "/v2"])
@pytest.mark.parametrize("slash", ["", "/"])
async def test_paths_have_an_alias_and_may_end_with_a_slash(site, prefix, slash):
    there = await site.http.get(f"{prefix}/status/heartbeat{slash}")
    assert there.json()["message"] == "OK"
    asked = await site.http.post(
        f"{prefix}/generate/async{slash}", json=ASKING, headers={"apikey": ANONYMOUS}
    )
    assert asked.status_code == 202
    seen = await site.http.get(f"{prefix}/generate/status/{asked.json()['id']}{slash}")
    assert seen.json()["waiting"] == 1


@pytest.mark.parametrize("path", ["/api", "/api/", "/openapi.json"])
async def test_the_api_describes_itself(site, path):
    answer = await site.http.get(path)
    assert answer.status_code == 200
    assert "/api/v2/generate/async" in answer.text


async def test_an_empty_query_value_says_nothing(site):
    for path in ("/workers?type=&name=", "/status/models?type=&min_count=&max_count=&model_state="):
        assert (await site.get(path)).status_code == 200


async def test_a_get_may_declare_a_body_that_it_has_not(site):
    answer = await site.get("/status/models", Content_Type="application/json")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "mask", "kept"),
    [
        ("/find_user", "username,kudos", {"username": "Anonymous#0", "kudos": -50.0}),
        ("/find_user", "{id, nothing}", {"id": 0}),
        ("/find_user", "records{usage{tokens}}", {"records": {"usage": {"tokens": 0}}}),
        ("/find_user", "nothing", {}),
        ("/workers", "name", []),
        ("/status/heartbeat", "message", {"message": "OK"}),
    ],
)
async def test_a_mask_says_what_is_wanted(site, path, mask, kept):
    answer = await site.get(path, key=ANONYMOUS, X_Fields=mask)
    assert answer.json() == kept
    assert answer.headers["Content-Type"] == JSON_TYPE


async def test_a_masked_answer_keeps_its_status_and_floats(site):
    answer = await site.post("/generate/async", ASKING, key=ANONYMOUS, X_Fields="kudos")
    assert answer.status_code == 202
    assert isinstance(answer.json()["kudos"], float)


@pytest.mark.parametrize("mask", ["{id", "a}b", "a,,b", "a b", "{{a}}", "a{"])
async def test_a_malformed_mask_is_said_and_nothing_is_done(site, mask):
    async def asked():
        async with site.database.reading() as session:
            return await session.scalar(select(func.count()).select_from(RequestRow))

    before = await asked()
    answer = await site.post("/generate/async", ASKING, key=ANONYMOUS, X_Fields=mask)
    assert answer.status_code == 400
    assert answer.json().keys() == {"message"}
    assert answer.json()["message"].startswith("Mask parse error: ")
    assert await asked() == before


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_that_is_too_large_is_413_as_json(databases, tmp_path, declared):
    body = json.dumps({"prompt": "x", "source_image": "A" * 5000}).encode()
    headers = {"apikey": ANONYMOUS, "Content-Type": "application/json"}

    async def in_parts():
        yield body[:2000]
        yield body[2000:]

    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, max_body_bytes=4096) as server:
            answer = await server.http.post(
                "/api/v2/generate/async",
                content=body if declared else in_parts(),
                headers=headers,
            )
    assert answer.status_code == 413
    assert answer.json().keys() == {"message"}
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_whole_floats_are_integers_and_unknown_keys_ignored(site):
    body = {**ASKING, "models": [], "params": {"width": 128.0, "height": 128, "new": 1}, "x": None}
    assert (await site.post("/generate/async", body, key=ANONYMOUS)).status_code == 202


async def test_a_long_agent_is_no_reason_to_refuse(site):
    body = {**ASKING, "source_image": pictures.SOURCE}
    for agent in ("x" * 5000, "", "no version"):
        answer = await site.post("/generate/async", body, key=ANONYMOUS, Client_Agent=agent)
        assert answer.status_code == 202
