"""A call of nobody's does not take the writer's turn, whatever it calls."""

import re
from pathlib import Path

import pytest
import pytest_asyncio

import core.api
import pictures
import serving
import version1
import visits
from core.db import Database
from core.users.tables import Role
from serving import ANONYMOUS

pytestmark = pytest.mark.asyncio(loop_scope="module")

MADE_UP = "x" * 22
NOBODY = "00000000-0000-0000-0000-000000000001"
WITHOUT_A_KEY = {("POST", "register"), ("POST", "login/code")}
"""What writes for anybody, within few calls an address."""


WRITE_THEMSELVES = {
    "asking.py": "looks for shared keys, too, before",
    "callers.py": "looks before",
    "pages/login.py": "a form with the visitor's token, or few calls an address",
    "pages/register.py": "a form with the visitor's token, few registrations an address",
    "pages/transfer.py": "looks at the key in the form before",
    "submitting.py": "has looked for the job and its owner before",
    "v1/generate.py": "ends requests that it has found before",
    "v2/dev.py": "for this machine alone",
    "v2/login.py": "few guesses an address, which are counted",
    "v2/progress.py": "has looked at the key and the jobs before",
    "v2/register.py": "few registrations an address",
}


class Recorder(visits.Visitor):
    """A visitor that remembers what it sent, so that it can be sent again."""

    def __init__(self, server, shop):
        super().__init__(server, shop)
        self.sent = []

    async def call(self, method, path, body=None, *, key="", query="", **values):
        self.sent.append((method, path, body, key, query, values))
        return await super().call(method, path, body, key=key, query=query, **values)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def recorded(site):
    """Every call that changes something, as somebody sent it who may."""
    roles = Role.MODERATOR | Role.CUSTOMIZER | Role.TRUSTED | Role.ADMIN
    recorder = Recorder(site, await serving.open_shop(site, roles=int(roles)))
    await visits.visit_all(recorder)
    return [call for call in recorder.sent if call[0] != "GET"]


@pytest.fixture
def writes(monkeypatch):
    """The transactions that were begun since."""
    begun = []
    writing = Database.writing

    def recording(self):
        begun.append(self)
        return writing(self)

    monkeypatch.setattr(Database, "writing", recording)
    return begun


async def test_no_operation_writes_for_a_made_up_key(site, recorded, writes):
    assert len({(method, path) for method, path, *_ in recorded}) > 40
    for method, path, body, key, query, values in recorded:
        if (method, path) in WITHOUT_A_KEY:
            continue
        if key is None or (method, path) == ("POST", "generate/rate/{id}"):
            values = dict.fromkeys(values, NOBODY)  # noqa: PLW2901 - who knows an id needs no key
        where = "/" + path.format(**values) + query
        answer = await site.call(method, where, body, key=None if key is None else MADE_UP)
        assert answer.status_code in (401, 404), (method, path, answer.text)
    assert writes == []


async def test_version_1_does_not_write_for_a_made_up_key_either(site, writes):
    horde = version1.V1(site)
    key = {"api_key": MADE_UP}
    answers = [
        await horde.post("/generate/async", prompt="a fox", params=version1.SMALL, **key),
        await horde.post("/generate/sync", prompt="a fox", params=version1.SMALL, **key),
        await horde.post("/generate/pop", name="A server", **key),
        await horde.post("/generate/submit", id=NOBODY, generation=version1.PICTURE, seed=1, **key),
        await horde.post("/kudos/transfer", username="somebody#2", amount=1, **key),
        await horde.put("/users/1", concurrency=1, **key),
        await horde.put(f"/servers/{NOBODY}", paused=True, **key),
        await horde.put("/admin/maintenance", active=True, **key),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert writes == []


async def test_the_page_does_not_write_for_a_made_up_key_either(site, writes):
    shown = (await site.http.get("/transfer")).text
    (token,) = re.findall(r'name="csrf_token" value="(\w+)"', shown)
    form = {"csrf_token": token, "username": "somebody#2", "amount": 1, "once": "1"}
    answer = await site.http.post("/transfer", data={**form, "src_api_key": MADE_UP})
    assert answer.status_code == 401
    assert (await site.http.post("/logout", data={"csrf_token": token})).status_code == 303
    assert writes == []


async def test_who_begins_a_transaction_without_looking_has_a_reason():
    api = Path(core.api.__file__).parent
    found = {
        str(path.relative_to(api))
        for path in api.rglob("*.py")
        if "database.writing()" in path.read_text()
    }
    assert found == WRITE_THEMSELVES.keys()


async def test_a_good_key_is_looked_up_once_a_minute_and_may_write(site, writes):
    giver, taker = await site.user("Giver", kudos=100), await site.user("Taker")
    writes.clear()
    for _ in range(2):
        body = {"username": taker.alias, "amount": 1}
        assert (await site.post("/kudos/transfer", body, key=giver.key)).status_code == 200
    assert len(writes) == 2
    known = site.app.extensions["horde"].known
    assert giver.id in [value for _, value in known._kept.values()]
    assert not any(giver.key in key for key in known._kept)


async def test_a_key_that_was_changed_is_refused_although_it_was_good_a_moment_ago(site):
    person = await site.user("Changer")
    assert (await site.call("PUT", f"/users/{person.id}", {}, key=person.key)).status_code != 401
    moderator = await site.user("Moderator", roles=int(Role.MODERATOR | Role.ADMIN))
    assert moderator.id != person.id
    async with site.database.writing() as session:
        keyring = site.app.extensions["horde"].keyring
        user = await serving.directory.by_id(session, person.id)
        await serving.directory.rotate_key(session, keyring, user)
    body = {"username": "somebody#2", "amount": 1}
    assert (await site.post("/kudos/transfer", body, key=person.key)).status_code == 401


async def test_a_shared_key_asks_as_before(site):
    owner = await site.user("Owner", kudos=100)
    made = await site.call(
        "PUT", "/sharedkeys", {"name": "a key", "kudos": 50, "expiry": 3}, key=owner.key
    )
    key = made.json()["id"]
    await site.ask(key=key, prompt="a fox")
    await site.ask(key=ANONYMOUS, prompt="a fox", source_image=pictures.SOURCE)
