"""The development endpoint: it is there for a peer on this machine alone, else there is nothing."""

import pytest
import pytest_asyncio

import serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/dev/test-user"
LOCAL = "localhost:7001"
BODY = {"username": "tester", "oauth_id": "g_tester"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(databases, tmp_path_factory):
    with databases.fresh("sqlite") as url:
        folder = tmp_path_factory.mktemp("dev")
        settings = {"dev_endpoints": "on", "public_url": f"http://{LOCAL}"}
        async with serving.in_process(url, folder, **settings) as server:
            yield server


def make(server, body=BODY, **headers):
    return server.post(PATH, body, **{"Host": LOCAL, **headers})


async def test_a_peer_on_this_machine_is_answered_without_a_public_url(databases, tmp_path):
    with databases.fresh("sqlite") as url:
        settings = {"dev_endpoints": "on", "public_url": ""}
        async with serving.in_process(url, tmp_path, **settings) as server:
            assert (await make(server)).status_code == 201


async def find(server, key):
    return await server.get("/find_user", key=key, Host=LOCAL)


async def test_an_account_with_roles_and_kudos(server):
    body = {
        "username": "rich",
        "oauth_id": "g_rich",
        "moderator": True,
        "trusted": True,
        "kudos": 12.5,
    }
    made = await make(server, body)
    assert made.status_code == 201
    user_id = made.json()["user_id"]
    assert made.json() == {
        "api_key": made.json()["api_key"],
        "user_id": str(int(user_id)),
        "username": "rich",
        "alias": f"rich#{user_id}",
        "created": True,
        "kudos": 37.5,
        "moderator": True,
        "trusted": True,
    }
    found = (await find(server, made.json()["api_key"])).json()
    assert (found["kudos"], found["moderator"], found["trusted"]) == (37.5, True, True)


async def test_the_same_login_again_gets_a_new_key_and_nothing_else(server):
    body = {**BODY, "oauth_id": "g_again", "kudos": 5}
    created, refreshed = await make(server, body), await make(server, body)
    assert (created.status_code, refreshed.status_code) == (201, 200)
    first, second = created.json(), refreshed.json()
    assert (first["created"], second["created"]) == (True, False)
    assert first["user_id"] == second["user_id"]
    assert first["api_key"] != second["api_key"]
    assert (await find(server, first["api_key"])).status_code == 404
    assert (await find(server, second["api_key"])).json()["kudos"] == 30.0


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:7001", "127.0.0.1", "127.0.0.1:7001", "[::1]", "[::1]:7001"]
)
async def test_this_machine_has_many_names(server, host):
    assert (await make(server, Host=host)).is_success


async def test_what_programs_send_of_themselves_shows_no_proxy(server):
    usual = {
        "Accept-Language": "*",
        "Client-Agent": "a:1:b",
        "Cookie": "horde=x",
        "Referer": "http://localhost:7001/",
        "Sec-Fetch-Mode": "cors",
        "X-Fields": "api_key",
        "X-Request-Id": "1",
        "traceparent": "00-1-1-00",
    }
    assert (await make(server, **usual)).is_success


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost:7001"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-Host": "localhost"},
        {"X-Forwarded-Proto": "http"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"Proxied-For": "127.0.0.1"},
        {"X-Forwarded-Server": "proxy"},
        {"X-Forwarded": "for=127.0.0.1"},
        {"CF-Connecting-IP": "127.0.0.1"},
        {"CF-Ray": "1"},
        {"True-Client-IP": "127.0.0.1"},
        {"X-Client-IP": "127.0.0.1"},
        {"CDN-Loop": "cloudflare"},
        {"Forwarded-For": "127.0.0.1"},
        {"WL-Proxy-Client-IP": "127.0.0.1"},
        {"X-ProxyUser-IP": "127.0.0.1"},
        {"X-AppEngine-User-IP": "127.0.0.1"},
        {"X-Original-URL": "/api/v2/dev/test-user"},
        {"X-Scheme": "https"},
        {"X-Host": "localhost"},
        {"Front-End-Https": "on"},
        {"X-ARR-LOG-ID": "1"},
        {"X-Varnish": "1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_there_is_nothing_for_others(server, headers):
    refused = await make(server, **headers)
    nowhere = await server.post("/dev/nothing", BODY, Host=LOCAL)
    assert refused.status_code == 404
    assert refused.json() == nowhere.json()


@pytest.mark.parametrize(
    "host",
    [
        "horde.test",
        "localhost.horde.test",
        "127.0.0.1.horde.test",
        "127.0.0.1@horde.test",
        "192.168.0.1:7001",
        "[::1",
    ],
)
async def test_there_is_nothing_by_another_name(server, host):
    assert (await make(server, Host=host)).status_code == 403


@pytest.mark.parametrize(
    ("settings", "peer"),
    [
        ({"dev_endpoints": "off"}, "127.0.0.1"),
        ({"dev_endpoints": "on", "public_url": "https://horde.test"}, "127.0.0.1"),
        ({"dev_endpoints": "on", "host": "::"}, "127.0.0.1"),
        ({"dev_endpoints": "on", "host": "192.168.0.1"}, "127.0.0.1"),
        ({"dev_endpoints": "on"}, "192.168.0.7"),
        ({"dev_endpoints": "on"}, "::ffff:192.168.0.7"),
    ],
)
async def test_there_is_nothing_elsewhere(databases, tmp_path, settings, peer):
    settings = {"public_url": f"http://{LOCAL}", **settings}
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, peer=peer, **settings) as server:
            refused = await make(server)
            nowhere = await server.post("/dev/nothing", BODY, Host=LOCAL)
    assert refused.status_code == 404
    assert refused.json() == nowhere.json()


@pytest.mark.parametrize(
    ("change", "wrong"),
    [({"kudos": -1}, "kudos"), ({"username": ""}, "username"), ({"trusted": 1}, "trusted")],
)
async def test_a_body_has_its_schema(server, change, wrong):
    answer = await make(server, {**BODY, **change})
    assert answer.json()["errors"].keys() == {wrong}


async def test_a_login_has_visible_characters_only(server):
    answer = await make(server, {**BODY, "oauth_id": "a b"})
    assert (answer.status_code, answer.json()["rc"]) == (400, "BadOauthId")
