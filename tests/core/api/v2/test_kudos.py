"""Giving kudos and awarding them over the API."""

import asyncio

import pytest

import serving
from core.users.tables import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def people(server, *kudos):
    return [await server.user(f"person {next(serving.NUMBERS)}", kudos=each) for each in kudos]


async def give(server, giver, target, amount, **headers):
    body = {"username": target, "amount": amount}
    return await server.post("/kudos/transfer", body, key=giver.key, **headers)


async def kudos(server, person):
    told = (await server.get("/find_user", key=person.key)).json()
    return told["kudos"], told["kudos_details"]


async def test_kudos_are_given(shared):
    giver, receiver = await people(shared, 150, 0)
    assert (await give(shared, giver, receiver.alias, 50)).json() == {"transferred": 50.0}
    default = await shared.post("/kudos/transfer", {"username": receiver.alias}, key=giver.key)
    assert default.json() == {"transferred": 100.0}
    left, given = await kudos(shared, giver)
    assert (left, given["gifted"]) == (25.0, -150.0)
    got, received = await kudos(shared, receiver)
    assert (got, received["received"]) == (175.0, 150.0)


async def test_the_same_call_gives_once(shared):
    giver, receiver = await people(shared, 150, 0)
    answers = await asyncio.gather(
        *(give(shared, giver, receiver.alias, 50, Idempotency_Key="a") for _ in range(5))
    )
    assert [answer.json() for answer in answers] == [{"transferred": 50.0}] * 5
    assert (await kudos(shared, receiver))[0] == 75.0
    other = await give(shared, giver, receiver.alias, 51, Idempotency_Key="a")
    assert (other.status_code, other.json()["rc"]) == (400, "IdempotencyKeyConflict")


async def test_a_shared_key_is_given_to(shared):
    giver, receiver = await people(shared, 150, 0)
    key = (await shared.call("PUT", "/sharedkeys", {"kudos": 10}, key=receiver.key)).json()["id"]
    await give(shared, giver, key, 50)
    assert (await shared.get(f"/sharedkeys/{key}")).json()["kudos"] == 60
    assert (await kudos(shared, receiver))[0] == 75.0


async def test_education_gets_donations(shared):
    (giver,) = await people(shared, 150)
    school = await shared.user(f"school {next(serving.NUMBERS)}", roles=int(Role.EDUCATION))
    await give(shared, giver, school.alias, 50)
    assert (await kudos(shared, giver))[1]["donated"] == -50.0
    assert (await kudos(shared, school))[1]["received"] == 50.0


async def test_admins_award(shared):
    (person,) = await people(shared, 0)
    admin = await shared.user(f"admin {next(serving.NUMBERS)}", roles=int(Role.ADMIN))
    body = {"username": person.alias, "amount": 70}
    assert (await shared.post("/kudos/award", body, key=admin.key)).json() == {"awarded": 70.0}
    got, details = await kudos(shared, person)
    assert (got, details["awarded"]) == (95.0, 70.0)


async def test_two_a_second_are_too_many(databases, tmp_path):
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, rate_limits="on") as server:
            giver, other, receiver = await people(server, 150, 150, 0)
            assert (await give(server, giver, receiver.alias, 1)).status_code == 200
            refused = await give(server, giver, receiver.alias, 1)
            assert (refused.status_code, refused.json()) == (429, {"message": "1 per 1 second"})
            assert (await give(server, other, receiver.alias, 1)).status_code == 200
