"""Changing users by role, and deleting them in two steps."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

import serving
from core.db import now
from core.ledger import audit
from core.ledger.tables import Entry
from core.users.tables import Role, UserRow
from core.workers.tables import WorkerRow

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADMIN = int(Role.ADMIN | Role.MODERATOR)
users = UserRow.__table__


@pytest.fixture
def number():
    return next(serving.NUMBERS)


@pytest.fixture
def change(shared):
    """Changes a user: the answer's JSON."""

    async def put(user, by, **body):
        answer = await shared.call("PUT", f"/users/{user.id}", body, key=by.key)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return put


async def seen(server, user, by):
    return (await server.get(f"/users/{user.id}", key=by.key)).json()


async def test_admins_move_kudos_through_the_ledger(shared, change, number):
    admin = await shared.user(f"admin{number}", roles=ADMIN)
    user = await shared.user(f"user{number}")
    assert await change(user, admin, kudos=100.5) == {"new_kudos": 125.5}
    assert await change(user, admin, kudos=-1000) == {"new_kudos": 25.0}
    assert (await seen(shared, user, user))["kudos_details"]["admin"] == 0.0
    assert await change(user, admin, kudos=10) == {"new_kudos": 35.0}
    assert (await seen(shared, user, user))["kudos_details"]["admin"] == 10.0
    async with shared.database.reading() as session:
        assert (await audit.audit(session)).balanced


async def test_an_admin_need_not_be_a_moderator(shared, change, number):
    admin = await shared.user(f"admin{number}", roles=int(Role.ADMIN))
    user = await shared.user(f"user{number}")
    assert await change(user, admin, kudos=1) == {"new_kudos": 26.0}
    answer = await shared.call("PUT", f"/users/{user.id}", {"vpn": True}, key=admin.key)
    assert answer.json()["rc"] == "NotModerator"


async def test_monthly_kudos_begin_at_once(shared, change, number):
    admin = await shared.user(f"admin{number}", roles=ADMIN)
    user = await shared.user(f"user{number}")
    assert await change(user, admin, monthly_kudos=1000) == {"monthly_kudos": 1000}
    assert await change(user, admin, monthly_kudos=-400) == {"monthly_kudos": 600}
    told = await seen(shared, user, admin)
    assert told["monthly_kudos"]["amount"] == 600
    assert told["monthly_kudos"]["last_received"].endswith("-0000")
    assert (told["kudos"], told["kudos_details"]["recurring"]) == (1025.0, 1000.0)
    assert await change(user, admin, monthly_kudos=-10_000) == {"monthly_kudos": 0}


async def test_admins_appoint_moderators(shared, change, number):
    admin = await shared.user(f"admin{number}", roles=ADMIN)
    user = await shared.user(f"user{number}")
    wanted = {"moderator": True, "usage_multiplier": 1.5}
    assert await change(user, admin, **wanted) == wanted
    told = await seen(shared, user, admin)
    assert (told["moderator"], told["trusted"]) == (True, True)
    assert told["monthly_kudos"]["amount"] == 300_000


async def test_moderators_change_what_is_theirs(shared, change, number):
    moderator = await shared.user(f"mod{number}", roles=int(Role.MODERATOR))
    user = await shared.user(f"user{number}")
    wanted = {
        "concurrency": 100,
        "worker_invited": 5,
        "trusted": True,
        "flagged": True,
        "customizer": True,
        "vpn": True,
        "service": True,
        "special": True,
        "admin_comment": "a kind comment",
    }
    assert await change(user, moderator, **wanted) == wanted
    told = await seen(shared, user, moderator)
    assert {name: told[name] for name in wanted} == wanted
    assert await change(user, moderator, reset_suspicion=True) == {"new_suspicion": 0}
    taken = {name: False for name, value in wanted.items() if value is True}
    assert await change(user, moderator, **taken) == taken


async def test_education_may_have_more_wait(shared, change, number):
    moderator = await shared.user(f"mod{number}", roles=int(Role.MODERATOR))
    user = await shared.user(f"user{number}")
    told = await change(user, moderator, education=True)
    assert told == {"education": True, "concurrency": 200}
    told = await change(user, moderator, education=False)
    assert told == {"education": False, "concurrency": 30}
    told = await change(user, moderator, education=True, concurrency=77)
    assert told == {"education": True, "concurrency": 77}


async def test_who_is_trusted_gets_what_was_kept_back(shared, change, number):
    shop = await serving.open_shop(shared, kudos=0)
    moderator = await shared.user(f"mod{number}", roles=int(Role.MODERATOR))
    await shop.ask()
    await shop.deliver(await shop.pop())
    before = await seen(shared, shop.owner, moderator)
    assert before["evaluating_kudos"] > 0
    await change(shop.owner, moderator, trusted=True)
    after = await seen(shared, shop.owner, moderator)
    assert after["evaluating_kudos"] == 0.0
    assert after["kudos"] == before["kudos"] + before["evaluating_kudos"]


async def test_users_change_what_is_theirs(shared, change, number):
    user = await shared.user(f"user{number}")
    wanted = {"public_workers": True, "username": "  a  new name ", "contact": "me@example.com"}
    told = await change(user, user, **wanted)
    assert told == {**wanted, "username": "a new name"}
    seen_by_self = await seen(shared, user, user)
    assert (seen_by_self["username"], seen_by_self["contact"]) == (
        f"a new name#{user.id}",
        "me@example.com",
    )


async def test_a_change_is_whole_or_none(shared, number):
    user = await shared.user(f"user{number}")
    body = {"contact": "me@example.com", "undelete": True}
    answer = await shared.call("PUT", f"/users/{user.id}", body, key=user.key)
    assert answer.json()["rc"] == "UserNotDeleted"
    assert "contact" not in await seen(shared, user, user)


async def test_a_service_calls_for_others(databases, tmp_path):
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, rate_limits="on") as server:
            service = await server.user("service", roles=int(Role.SERVICE))
            other = await server.user("other", roles=int(Role.SERVICE))
            body = {"generate_proxy_passkey": True}
            told = await server.call("PUT", f"/users/{service.id}", body, key=service.key)
            passkey = told.json()["proxy_passkey"]
            assert len(passkey) == 16

            async def left(key, passkey, address="203.0.113.7"):
                headers = {"Proxied_For": address, "Proxy_Authorization": passkey}
                answer = await server.get("/find_user", key=key, **headers)
                return int(answer.headers["X-RateLimit-Remaining"])

            assert await left(service.key, passkey) == 89
            assert await left(service.key, passkey, "203.0.113.8") == 89
            assert await left(service.key, passkey, "203.0.113.8") == 88
            # Everybody else calls from where they call, whatever they say.
            own = await left(service.key, "0" * 16)
            assert await left(other.key, passkey) == own - 1
            assert await left(service.key, passkey, "no address") == own - 2


async def test_deleting_disables_first(shared, change, number):
    user = await shared.user(f"user{number}", kudos=100)
    assert (await shared.call("DELETE", f"/users/{user.id}", key=user.key)).json() == {
        "message": "OK"
    }
    assert (await seen(shared, user, user))["deleted"] is True
    refused = await shared.post("/generate/async", {"prompt": "x"}, key=user.key)
    assert refused.json()["rc"] == "DeletedUser"
    assert await change(user, user, undelete=True) == {"undeleted": True}
    await shared.ask(key=user.key)


async def test_after_30_idle_days_everything_but_numbers_is_gone(shared, number):
    moderator = await shared.user(f"mod{number}", roles=int(Role.MODERATOR))
    wiped = []
    for _ in range(2):  # two of them must not clash
        shop = await serving.open_shop(shared)
        await shop.ask(key=shop.owner.key)
        await shop.deliver(await shop.pop())
        await shared.call("PUT", "/sharedkeys", {}, key=shop.owner.key)
        await wipe(shared, shop.owner, moderator)
        wiped.append(shop.owner)
    for person in wiped:
        told = await seen(shared, person, moderator)
        assert told["username"] == f"Wiped#{person.id}"
        assert (told["worker_count"], told["sharedkey_ids"]) == (0, [])
        assert "contact" not in told
        assert (await shared.get("/find_user", key=person.key)).status_code == 404
    async with shared.database.reading() as session:
        said = await audit.audit(session)
        assert said.balanced
        assert await session.scalar(select(func.count()).select_from(Entry)) == said.entries
        ids = [person.id for person in wiped]
        assert not list(
            await session.scalars(select(WorkerRow.id).where(WorkerRow.user_id.in_(ids)))
        )
        logins = await session.scalars(select(users.c.oauth_id).where(users.c.id.in_(ids)))
        assert len(set(logins)) == 2


async def wipe(server, person, moderator):
    await server.call("DELETE", f"/users/{person.id}", key=person.key)
    long_ago = now() - timedelta(days=30, seconds=1)
    async with server.database.writing() as session:
        await session.execute(
            update(users)
            .where(users.c.id == person.id)
            .values(last_active_at=long_ago, contact="me@example.com")
        )
    gone = await server.call("DELETE", f"/users/{person.id}", key=moderator.key)
    assert gone.status_code == 200, gone.text
