"""Reports of abuse."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

import serving
from core.community.tables import ReportRow
from core.db import now, table
from core.upkeep import steps
from core.users.tables import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")

reports = table(ReportRow)


async def moderator(server):
    return await server.user(f"mod{next(serving.NUMBERS)}", roles=int(Role.MODERATOR))


async def report(server, *, key=serving.ANONYMOUS, **said):
    body = {"kind": "user", "id": "0", "reason": "a bad name"}
    made = await server.post("/reports", body | said, key=key)
    assert made.status_code == 201, made.text
    return made.json()["id"]


async def test_everything_shared_can_be_reported(shop):
    server, owner = shop.server, shop.owner
    request_id = await shop.ask()
    await shop.deliver(await shop.pop())
    (picture,) = (await shop.status(request_id))["generations"]
    worker = (await server.get(f"/workers/name/{shop.name}")).json()
    by = await server.user(f"Author {next(serving.NUMBERS)}", roles=int(Role.TRUSTED))
    made = {"name": f"thing {next(serving.NUMBERS)}", "models": ["stable_diffusion"]}
    style = (await server.post("/styles/image", made, key=by.key)).json()["id"]
    collected = {"name": made["name"], "styles": [style]}
    collection = (await server.post("/collections", collected, key=by.key)).json()["id"]
    team = (await server.post("/teams", {"name": made["name"]}, key=by.key)).json()["id"]
    subjects = {
        "picture": picture["id"],
        "style": style.upper(),
        "collection": collection,
        "user": str(owner.id),
        "worker": worker["id"],
        "team": team,
    }
    ids = [await report(server, kind=kind, id=subject) for kind, subject in subjects.items()]
    mod = await moderator(server)
    listed = (await server.get("/reports?state=all", key=mod.key)).json()
    found = {one["id"]: (one["kind"], one["subject"]) for one in listed}
    expected = [(kind, subject.lower()) for kind, subject in subjects.items()]
    assert [found[one] for one in ids] == expected


async def test_moderators_see_reports_and_close_them(shared):
    mod = await moderator(shared)
    reporter = await shared.user(f"Reporter {next(serving.NUMBERS)}")
    made = await report(shared, key=reporter.key)

    async def seen(state):
        listed = (await shared.get(f"/reports?state={state}", key=mod.key)).json()
        return {one["id"]: one for one in listed}

    told = (await seen("open"))[made]
    expected = {
        "id": made,
        "kind": "user",
        "subject": "0",
        "reason": "a bad name",
        "reporter": reporter.alias,
        "created": told["created"],
        "closed": None,
        "closed_by": None,
        "comment": None,
    }
    assert told == expected
    path = f"/reports/{made}"
    closed = (
        await shared.call("PATCH", path, {"closed": True, "comment": "spoken to"}, key=mod.key)
    ).json()
    assert closed["closed"]
    verdict = {"closed": closed["closed"], "closed_by": mod.alias, "comment": "spoken to"}
    assert closed == expected | verdict
    assert made not in await seen("open")
    assert (await seen("closed"))[made] == (await seen("all"))[made] == closed
    reopened = await shared.call("PATCH", path, {"closed": False}, key=mod.key)
    assert reopened.json() == expected


async def test_a_second_report_by_the_same_user_replaces_an_open_one(shared):
    mod = await moderator(shared)
    reporter = await shared.user(f"Reporter {next(serving.NUMBERS)}")
    first = await report(shared, key=reporter.key, reason="first")
    assert await report(shared, key=reporter.key, reason="second") == first
    closed = await shared.call("PATCH", f"/reports/{first}", {"closed": True}, key=mod.key)
    assert closed.json()["reason"] == "second"
    assert await report(shared, key=reporter.key) != first
    assert await report(shared) != await report(shared)  # anonymous users are many


async def test_reports_are_rate_limited(app_on):
    async with app_on(rate_limits="on") as server:
        for _ in range(5):
            await report(server)
        refused = await server.post(
            "/reports", {"kind": "user", "id": "0", "reason": "again"}, key=serving.ANONYMOUS
        )
        assert (refused.status_code, refused.json()) == (429, {"message": "5 per 1 minute"})


async def test_closed_reports_are_deleted_after_90_days_and_open_ones_never(shared):
    made = {days: await report(shared) for days in (89, 91, None)}
    async with shared.database.writing() as session:
        for days, report_id in made.items():
            closed = None if days is None else now() - timedelta(days=days)
            await session.execute(
                update(reports).where(reports.c.id == report_id).values(closed_at=closed)
            )
        await steps.forget_messages(session, shared.horde, now())
        left = set(await session.scalars(select(reports.c.id)))
    assert {made[89], made[None]} <= left
    assert made[91] not in left
