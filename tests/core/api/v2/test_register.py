"""Registering without a login: a name goes in, a key comes out, once."""

import re

import pytest


async def test_a_new_account_can_be_used_at_once(server):
    made = await server.post("/register", {"username": "  A \t fox "})
    assert made.status_code == 201
    told = made.json()
    assert told.keys() == {"id", "username", "alias", "api_key"}
    assert re.fullmatch(r"[\w-]{22}", told["api_key"])
    assert (told["username"], told["alias"]) == ("A fox", f"A fox#{told['id']}")
    found = (await server.get("/find_user", key=told["api_key"])).json()
    assert (found["username"], found["pseudonymous"], found["kudos"]) == (told["alias"], True, 14.0)
    await server.ask(key=told["api_key"])
    assert (await server.get("/kudos/audit")).json()["balanced"]


async def test_names_need_not_be_unique(server):
    first, second = [(await server.post("/register", {"username": "fox"})).json() for _ in "12"]
    assert first["username"] == second["username"]
    assert first["id"] != second["id"]
    assert first["api_key"] != second["api_key"]


async def test_registration_can_be_closed(app_on):
    async with app_on(registration="closed") as server:
        refused = await server.post("/register", {"username": "fox"})
        assert (refused.status_code, refused.json()["rc"]) == (403, "RegistrationClosed")
        assert (await server.get("/users/1")).status_code == 404


@pytest.mark.parametrize("body", [{}, {"username": None}, {"username": 7}, {"username": "x" * 101}])
async def test_a_body_has_its_schema(server, body):
    answer = await server.post("/register", body)
    assert answer.status_code == 400
    assert answer.json()["errors"].keys() == {"username"}
