"""The contract's limits, as a client meets them: before everything else, and told in headers."""

import asyncio
import time

import pytest
import pytest_asyncio

import serving
from core.accounts import sessions
from core.db import now

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After")
NOBODY = "00000000-0000-0000-0000-{:012}"


@pytest_asyncio.fixture(loop_scope="module")
async def limited(databases, tmp_path):
    """Makes an app with limits: `async with limited()`."""
    with databases.fresh("sqlite") as url:
        yield lambda **more: serving.in_process(url, tmp_path, **{"rate_limits": "on", **more})


def stop_the_clock(server):
    """Let no window end, however long the test takes."""
    server.app.extensions["horde"].limiter._counters._clock = lambda: 1000.0


def told(answer):
    return tuple(int(answer.headers[name]) for name in HEADERS)


async def test_a_limit_is_told_with_every_answer_and_its_end_is_429(limited):
    async with limited() as server:
        request_id = await server.ask()
        answers = [await server.get(f"/generate/status/{request_id}") for _ in range(12)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 2
    assert answers[-1].json() == {"message": "10 per 1 minute"}
    assert [told(answer)[:2] for answer in answers[:10]] == [
        (10, left) for left in range(9, -1, -1)
    ]
    assert told(answers[-1])[:2] == (10, 0)
    for answer in answers:
        _, _, reset, retry_after = told(answer)
        assert 1 <= retry_after <= 60
        assert abs(reset - time.time() - retry_after) <= 5
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_errors_tell_how_the_limit_stands_too(limited):
    async with limited() as server:
        unknown = await server.get("/generate/status/x")
        invalid = await server.post("/generate/async", {}, key=serving.ANONYMOUS)
        wrong_key = await server.post("/register", b"{")
    assert (unknown.status_code, told(unknown)[:2]) == (404, (10, 9))
    assert (invalid.status_code, told(invalid)[0]) == (400, 2)
    assert (wrong_key.status_code, told(wrong_key)[:2]) == (400, (5, 4))


async def test_each_path_and_method_has_its_own_window(limited):
    async with limited() as server:
        for _ in range(10):
            await server.get(f"/generate/status/{NOBODY.format(1)}")
        assert (await server.get(f"/generate/status/{NOBODY.format(1)}")).status_code == 429
        assert (await server.get(f"/generate/status/{NOBODY.format(2)}")).status_code == 404
        gone = await server.call("DELETE", f"/generate/status/{NOBODY.format(1)}")
        assert gone.status_code == 404


async def test_a_path_is_one_however_it_is_written(limited):
    written = ["/api/v2/generate/status/{}", "/v2/generate/status/{}", "/v2/generate/status/{}/"]
    ids = ["abcdefab-0000-0000-0000-000000000000", "ABCDEFAB-0000-0000-0000-000000000000"]
    paths = [path.format(one) for path in written for one in ids]
    async with limited() as server:
        statuses = [(await server.http.get(path)).status_code for path in paths * 2]
    assert statuses == [404] * 10 + [429] * 2


async def test_asking_has_a_limit_a_second_before_body_and_key_are_looked_at(limited):
    async with limited() as server:
        calls = [server.post("/generate/async", b"{", key="an unknown key") for _ in range(20)]
        answers = await asyncio.gather(*calls)
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= 10
    assert {answer.json()["message"] for answer in refused} == {"2 per 1 second"}
    assert {answer.status_code for answer in answers} == {400, 429}


async def test_five_registrations_an_hour(limited):
    async with limited() as server:
        paths = ["/api/v2/register", "/v2/register"] * 3
        answers = [await server.http.post(path, json={"username": "fox"}) for path in paths]
    assert [answer.status_code for answer in answers] == [201] * 5 + [429]
    assert answers[-1].json() == {"message": "5 per 1 hour"}


async def test_a_heartbeat_has_no_limit(limited):
    async with limited() as server:
        answers = [await server.get("/status/heartbeat") for _ in range(100)]
    assert {answer.status_code for answer in answers} == {200}
    assert not answers[0].headers.keys() & {name.lower() for name in HEADERS}


async def test_limits_can_be_switched_off(limited):
    async with limited(rate_limits="off") as server:
        answers = [await server.get("/generate/status/x") for _ in range(12)]
    assert {answer.status_code for answer in answers} == {404}


async def statuses(server, *forwarded):
    """The statuses of eleven calls, each with what these functions of its number forward."""
    return [
        (
            await server.http.get(
                "/api/v2/generate/status/x",
                headers=[("X-Forwarded-For", line(number)) for line in forwarded],
            )
        ).status_code
        for number in range(11)
    ]


async def test_a_stranger_cannot_choose_an_address(limited):
    async with limited() as server:
        assert await statuses(server, lambda n: f"10.0.0.{n}") == [404] * 10 + [429]


async def test_a_trusted_proxy_says_who_calls(limited):
    trusted = {"trusted_proxies": ["127.0.0.0/8"]}
    async with limited(**trusted) as server:
        assert await statuses(server, lambda n: f"10.0.0.{n}") == [404] * 11
        # What a client forwards itself stands before what the proxy adds, in one line or two.
        same = lambda _: "10.0.1.1"  # noqa: E731
        assert await statuses(server, lambda n: f"10.0.0.{n}, 10.0.1.2") == [404] * 10 + [429]
        assert await statuses(server, lambda n: f"10.0.0.{n}", same) == [404] * 10 + [429]
        assert await statuses(server, lambda _: "no address") == [404] * 10 + [429]


async def test_an_id_is_one_however_it_is_written(limited):
    spelled = ["1", "01", "001", "%31", "1/", "%EF%BC%91"]  # the last: a full-width 1
    one, other = "0abcdefab00000000000000000000000", "0ABCDEFA-B000-0000-0000-000000000000"
    async with limited() as server:
        stop_the_clock(server)
        users = [
            (await server.http.get(f"{prefix}/users/{spelled[number % len(spelled)]}")).status_code
            for number in range(31)
            for prefix in ("/api/v2", "/v2")
        ]
        ids = [one, other, f"%7B{one}%7D", f"urn:uuid:{other}"]
        requests = [
            (await server.get(f"/generate/status/{ids[number % len(ids)]}")).status_code
            for number in range(11)
        ]
    assert 429 not in users[:60]
    assert users[60:] == [429] * 2
    assert requests == [404] * 10 + [429]


async def test_the_aliases_of_version_1_are_one_as_well(limited):
    prefixes = ["/api/v1", "/api/latest", ""]
    async with limited() as server:
        stop_the_clock(server)
        statuses = [
            (await server.http.get(f"{prefixes[number % 3]}/servers")).status_code
            for number in range(91)
        ]
        again = [
            (
                await server.http.get(f"{prefixes[number % 3]}/generate/prompt/{NOBODY.format(1)}")
            ).status_code
            for number in range(3)
        ]
    assert statuses == [200] * 90 + [429]
    assert again == [404, 404, 429]


async def test_a_head_counts_as_a_get(limited):
    path = f"/api/v2/generate/status/{NOBODY.format(1)}"
    async with limited() as server:
        stop_the_clock(server)
        statuses = [
            (await server.http.request(("GET", "HEAD")[number % 2], path)).status_code
            for number in range(11)
        ]
    assert statuses == [404] * 10 + [429]


async def test_made_up_keys_are_counted_by_address(limited):
    gift = {"username": "somebody#2", "amount": 1}
    async with limited() as server:
        stop_the_clock(server)
        made_up = [
            await server.post("/kudos/transfer", gift, key=f"made up {number}")
            for number in range(10)
        ]
        giver, taker = await server.user("Giver", kudos=100), await server.user("Taker")
        mine = await server.post(
            "/kudos/transfer", {"username": taker.alias, "amount": 1}, key=giver.key
        )
    assert [answer.status_code for answer in made_up] == [401] + [429] * 9
    assert mine.status_code == 200  # a good key has a window of its own


async def test_a_user_is_one_by_whichever_key_or_session(limited):
    async with limited() as server:
        stop_the_clock(server)
        giver, taker = await server.user("Giver", kudos=100), await server.user("Taker")
        async with server.database.writing() as session:
            keyring = server.app.extensions["horde"].keyring
            tokens = [
                (await sessions.begin_program(session, keyring, giver.id, at=now()))[0]
                for _ in range(9)
            ]
        gift = {"username": taker.alias, "amount": 1}
        answers = [
            await server.post("/kudos/transfer", gift, key=key) for key in [giver.key, *tokens]
        ]
    assert [answer.status_code for answer in answers] == [200] + [429] * 9


async def test_a_window_takes_the_same_room_whatever_was_sent(limited):
    async with limited() as server:
        for number in range(20):
            await server.get(f"/users/%F0%9F%98%80{'x' * 1000}{number}", key="k" * 5000)
            await server.post("/generate/async", {}, key=f"{number}" * 3000)
        tables = server.app.extensions["horde"].limiter._counters._windows
    keys = [key for table in tables.values() for key in table]
    assert len(keys) > 20
    assert max(map(len, keys)) <= 40
