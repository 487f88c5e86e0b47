"""Addresses that moderators keep out, and for whom they hold."""

import contextlib
import dataclasses

import httpx
import pytest

import serving
from core.users.tables import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")

NETWORK = "203.0.113.0/24"
V6 = "2001:db8:7::/48"


async def moderator(site):
    return (await site.user(f"mod{next(serving.NUMBERS)}", roles=int(Role.MODERATOR))).key


@contextlib.asynccontextmanager
async def calling_from(site, address):
    """The same server, called from another address."""
    transport = httpx.ASGITransport(site.app, client=(address, 50000))
    async with httpx.AsyncClient(transport=transport, base_url=serving.PUBLIC_URL) as http:
        yield dataclasses.replace(site, http=http)


async def kept_out(site, key, ipaddr, hours=24):
    answer = await site.post("/operations/ipaddr", {"ipaddr": ipaddr, "hours": hours}, key=key)
    assert answer.json() == {"message": "OK"}, answer.text


async def let_in(site, key, ipaddr):
    answer = await site.call("DELETE", "/operations/ipaddr", {"ipaddr": ipaddr}, key=key)
    assert answer.json() == {"message": "OK"}, answer.text


async def timeouts(site, key, ipaddr=""):
    """What is listed, each with the hours that are left, rounded up."""
    path = f"/operations/ipaddr/{ipaddr}" if ipaddr else "/operations/ipaddr"
    listed = (await site.get(path, key=key)).json()
    return {one["ipaddr"]: -(-one["seconds"] // 3600) for one in listed}


ASKED = {"prompt": "a red fox", "models": [], "params": serving.SMALL}
CALLS = {
    "/generate/async": ASKED,
    "/generate/text/async": {"prompt": "a red fox"},
    "/generate/pop": serving.offer(),
    "/generate/text/pop": serving.offer(max_length=80),
}


async def refused(site, address, path, key):
    """The rc with which a call from the address is refused, or None."""
    async with calling_from(site, address) as there:
        answer = await there.post(path, CALLS[path], key=key)
    return None if answer.is_success else answer.json()["rc"]


@pytest.mark.parametrize("path", CALLS)
@pytest.mark.parametrize(
    ("blocked", "inside", "outside"),
    [(NETWORK, "203.0.113.9", "203.0.112.9"), (V6, "2001:db8:7:9::9", "2001:db8:8::9")],
)
async def test_a_block_holds_for_who_asks_and_who_works(site, path, blocked, inside, outside):
    key, person = await moderator(site), await site.user(f"p{next(serving.NUMBERS)}")
    await kept_out(site, key, blocked)
    assert await refused(site, inside, path, person.key) == "TimeoutIP"
    assert await refused(site, outside, path, person.key) != "TimeoutIP"
    await let_in(site, key, blocked)
    assert await refused(site, inside, path, person.key) != "TimeoutIP"


async def test_ranges_are_listed_and_single_addresses_are_seen(site):
    key = await moderator(site)
    await kept_out(site, key, "198.51.100.0/24", hours=2)
    await kept_out(site, key, "198.51.100.7", hours=3)
    await kept_out(site, key, "2001:db8:5::7", hours=4)
    listed = await timeouts(site, key)
    assert listed["198.51.100.0/24"] == 2
    assert not listed.keys() & {"198.51.100.7", "2001:db8:5::/64"}
    seen = await timeouts(site, key, "198.51.100.7")
    assert seen == {"198.51.100.0/24": 2, "198.51.100.7": 3}
    assert await timeouts(site, key, "198.51.100.0/24") == {"198.51.100.0/24": 2}
    assert await timeouts(site, key, "2001:db8:5::ffff") == {"2001:db8:5::/64": 4}
    assert await timeouts(site, key, "198.51.101.7") == {}


async def test_a_workers_address_is_kept_out(site):
    key, owner = await moderator(site), await site.user(f"w{next(serving.NUMBERS)}")
    name = f"worker {next(serving.NUMBERS)}"
    async with calling_from(site, "2001:db8:6::6") as there:
        await there.pop(owner.key, name=name)
    worker = (await site.get(f"/workers/name/{name}", key=key)).json()
    path = f"/operations/block_worker_ipaddr/{worker['id']}"
    assert (await site.call("PUT", path, {"days": 2}, key=key)).json() == {"message": "OK"}
    assert (await timeouts(site, key))["2001:db8:6::/64"] == 48
    assert await refused(site, "2001:db8:6::7", "/generate/pop", owner.key) == "TimeoutIP"
    assert (await site.call("DELETE", path, key=key)).json() == {"message": "OK"}
    assert await refused(site, "2001:db8:6::7", "/generate/pop", owner.key) != "TimeoutIP"


REFUSED = [
    ("GET", "/operations/ipaddr", None),
    ("POST", "/operations/ipaddr", {"ipaddr": "192.0.2.7", "hours": 1}),
    ("DELETE", "/operations/ipaddr", {"ipaddr": "192.0.2.7"}),
    ("GET", "/operations/ipaddr/192.0.2.7", None),
    ("PUT", "/operations/block_worker_ipaddr/fox", {"days": 1}),
    ("DELETE", "/operations/block_worker_ipaddr/fox", None),
]


@pytest.mark.parametrize(("method", "path", "body"), REFUSED)
async def test_operations_are_for_moderators(site, method, path, body):
    for key, status, rc in (
        ("wrong", 401, "InvalidAPIKey"),
        (serving.ANONYMOUS, 403, "NotModerator"),
    ):
        answer = await site.call(method, path, body, key=key)
        assert (answer.status_code, answer.json()["rc"]) == (status, rc)


@pytest.mark.parametrize("ipaddr", ["red foxes", "192.0.2.256", "0.0.0.0/0", "10.0.0.0/7"])
async def test_what_is_no_address_is_refused(site, ipaddr):
    key = await moderator(site)
    calls = [
        ("POST", "/operations/ipaddr", {"ipaddr": ipaddr, "hours": 1}),
        ("DELETE", "/operations/ipaddr", {"ipaddr": ipaddr}),
        ("GET", f"/operations/ipaddr/{ipaddr}", None),
    ]
    for method, path, body in calls:
        answer = await site.call(method, path, body, key=key)
        assert (answer.status_code, answer.json()["rc"]) == (400, "BadRequest")


@pytest.mark.parametrize("hours", [0, 721])
async def test_a_timeout_has_bounds(site, hours):
    body = {"ipaddr": "192.0.2.7", "hours": hours}
    answer = await site.post("/operations/ipaddr", body, key=await moderator(site))
    assert answer.json()["errors"].keys() == {"hours"}


@pytest.mark.parametrize("worker", ["fox", "00000000-0000-0000-0000-000000000000"])
@pytest.mark.parametrize(("method", "body"), [("PUT", {"days": 30}), ("DELETE", None)])
async def test_there_is_no_such_worker(site, worker, method, body):
    path = f"/operations/block_worker_ipaddr/{worker}"
    answer = await site.call(method, path, body, key=await moderator(site))
    assert (answer.status_code, answer.json()["rc"]) == (404, "WorkerNotFound")
