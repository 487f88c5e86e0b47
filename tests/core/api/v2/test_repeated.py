"""Asking again after a lost answer: calls with one Idempotency-Key are one request."""

import asyncio
import base64
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, func, select

import factories
import pictures
import serving
from core.db import table
from core.ledger.tables import Hold
from core.queue.tables import Job, RequestRow

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATHS = {
    "image": "/generate/async",
    "text": "/generate/text/async",
    "alchemy": "/interrogate/async",
}


@pytest.fixture
def key():
    return str(uuid4())


async def ask(server, *, by, person=serving.ANONYMOUS, path=PATHS["image"], **body):
    wanted = {"prompt": "a red fox", "models": ["nobody's"], "params": serving.SMALL, **body}
    return await server.post(path, wanted, key=person, Idempotency_Key=by)


async def count(server, of, *conditions):
    async with server.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(of).where(*conditions))


async def test_calls_at_once_with_one_key_are_one_request_that_is_paid_once(shared, key):
    person = await shared.user("Person", kudos=100, oauth_id=key)
    answers = await asyncio.gather(*(ask(shared, by=key, person=person.key) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    told = [answer.json() for answer in answers]
    assert len({one["id"] for one in told}) == 1
    assert sorted(one["repeated"] for one in told) == [False, True, True, True, True]
    assert len({one["kudos_exact"] for one in told}) == 1
    assert await count(shared, RequestRow, RequestRow.user_id == person.id) == 1
    assert await count(shared, Hold, Hold.key == f"request:{told[0]['id']}") == 1
    async with shared.database.reading() as session:
        waiting = await factories.row(session, RequestRow, UUID(told[0]["id"]))
    assert key not in str(waiting)


async def test_the_anonymous_user_may_ask_again_too(shared, key):
    first, again = [(await ask(shared, by=key)).json() for _ in range(2)]
    assert (again["id"], again["repeated"]) == (first["id"], True)


async def test_a_key_with_another_request_is_refused(shared, key):
    assert (await ask(shared, by=key)).status_code == 202
    other = await ask(shared, by=key, prompt="a blue fox")
    assert (other.status_code, other.json()["rc"]) == (400, "IdempotencyKeyConflict")


async def test_a_key_of_somebody_else_is_another_key(shared, key):
    people = [await shared.user(name, oauth_id=f"{name}{key}") for name in ("One", "Other")]
    asked = [(await ask(shared, by=key, person=person.key)).json() for person in people]
    assert asked[0]["id"] != asked[1]["id"]
    assert [one["repeated"] for one in asked] == [False, False]


async def test_without_a_key_each_call_is_another_request(shared):
    first, second = [await shared.ask() for _ in range(2)]
    assert first != second


@pytest.mark.parametrize("bad", ["1", "x" * 256])
async def test_a_key_that_others_might_think_of_is_refused(shared, bad):
    answer = await ask(shared, by=bad)
    assert answer.status_code == 400
    assert "such as a UUID" in answer.json()["message"]


async def test_asking_again_is_not_too_much_where_another_request_would_be(shared, key):
    person = await shared.user("Modest", oauth_id=key)
    mine = (await shared.get("/find_user", key=person.key)).json()["concurrency"]
    asked = [await ask(shared, by=f"{key}{number}", person=person.key) for number in range(mine)]
    assert {one.status_code for one in asked} == {202}
    assert (await ask(shared, by=f"{key} more", person=person.key)).status_code == 429
    again = await ask(shared, by=f"{key}0", person=person.key)
    assert again.json()["id"] == asked[0].json()["id"]


async def test_a_key_is_free_again_once_its_request_is_gone(shared, key):
    first = (await ask(shared, by=key)).json()["id"]
    async with shared.database.writing() as session:
        await session.execute(delete(table(Job)).where(Job.request_id == UUID(first)))
        await session.execute(delete(table(RequestRow)).where(RequestRow.id == UUID(first)))
    again = (await ask(shared, by=key)).json()
    assert (again["id"] != first, again["repeated"]) == (True, False)


async def test_the_source_of_a_repeated_request_is_not_kept_twice(shared, key):
    source = base64.b64encode(pictures.picture((64, 64), form="WEBP")).decode()
    sources = shared.settings.data_dir

    def files():
        return sum(path.is_file() for path in sources.rglob("*.webp"))

    before = files()
    first, again = [(await ask(shared, by=key, source_image=source)).json() for _ in range(2)]
    assert again["id"] == first["id"]
    assert files() == before + 1


@pytest.mark.parametrize("kind", ["text", "alchemy"])
async def test_texts_and_forms_may_be_asked_again_too(shared, key, kind):
    source = base64.b64encode(pictures.picture((64, 64), form="WEBP")).decode()
    bodies = {
        "text": {"prompt": "Once", "params": {"max_length": 16}},
        "alchemy": {"forms": [{"name": "caption"}], "source_image": source},
    }
    calls = [
        shared.post(PATHS[kind], bodies[kind], key=serving.ANONYMOUS, Idempotency_Key=key)
        for _ in range(2)
    ]
    first, again = [(await call).json() for call in calls]
    assert first["id"] == again["id"]
