"""Which workers are let in: each refusal, from the outside."""

import asyncio
import contextlib

import pytest
from sqlalchemy import update

import serving
from core.db import now, table
from core.moderation import modes
from core.moderation.scores import Verdict
from core.users.directory import NO_ROLE
from core.users.tables import Role, UserRow
from core.workers.tables import WorkerRow

pytestmark = pytest.mark.asyncio(loop_scope="module")

POPS = {
    "/generate/pop": {"models": ["stable_diffusion"], "max_pixels": 2**20},
    "/generate/text/pop": {"models": ["a model"], "max_length": 80},
    "/interrogate/pop": {"forms": ["caption"]},
}
PATHS = list(POPS)


def name():
    return f"worker {next(serving.NUMBERS)}"


async def owner(site, role=NO_ROLE, **columns):
    person = await site.user(name(), roles=int(role))
    if columns:
        await change(site, UserRow, person.id, **columns)
    return person


async def change(site, model, row_id, **columns):
    where = table(model).c.id == row_id
    async with site.database.writing() as session:
        await session.execute(update(table(model)).where(where).values(**columns))


async def elsewhere(site, person):
    """All workers of a person are at other addresses, each at its own."""
    rows = table(WorkerRow)
    async with site.database.writing() as session:
        mine = update(rows).where(rows.c.user_id == person.id)
        await session.execute(mine.values(address=rows.c.name))


async def popped(site, key, path=PATHS[0], **body):
    """The rc of a pop, or None where it was answered."""
    sent = {"name": name(), "bridge_agent": serving.WORKER, **POPS[path], **body}
    answer = await site.post(path, sent, key=key)
    return None if answer.is_success else answer.json()["rc"]


@contextlib.asynccontextmanager
async def switched(site, **states):
    await _switch(site, **states)
    try:
        yield
    finally:
        await _switch(site, **dict.fromkeys(states, False))


async def _switch(site, **states):
    async with site.database.writing() as session:
        await modes.switch(session, **states)
    site.horde.modes.forget()


@pytest.fixture
def scored(site):
    """Addresses are judged as the test says: `scored.verdict`."""

    class Scorer:
        verdict = Verdict.SAFE

        async def judge(self, _address):
            return self.verdict

    site.horde.scorer = Scorer()
    yield site.horde.scorer
    site.horde.scorer = None


@pytest.mark.parametrize("path", PATHS)
async def test_anonymous_workers_are_refused(site, path):
    assert await popped(site, serving.ANONYMOUS, path) == "AnonForbiddenWorker"


@pytest.mark.parametrize(
    ("role", "rc"), [(Role.FLAGGED, "WorkerFlaggedMaintenance"), (Role.DELETED, "DeletedUser")]
)
@pytest.mark.parametrize("path", PATHS)
async def test_who_may_not_run_workers(site, role, rc, path):
    assert await popped(site, (await owner(site, role)).key, path) == rc


@pytest.mark.parametrize(
    ("role", "invited", "limit", "rc"),
    [(NO_ROLE, 0, 3, "TooManyWorkers"), (NO_ROLE, 4, 4, "TooManyWorkers")],
)
async def test_an_untrusted_owner_has_few_workers(site, role, invited, limit, rc):
    person = await owner(site, role, worker_invited=invited)
    for path in (PATHS * 2)[:limit]:
        assert await popped(site, person.key, path) is None
    assert await popped(site, person.key) == "TooManySameIPs"
    await elsewhere(site, person)
    assert await popped(site, person.key) == rc


async def test_a_trusted_owner_has_more(site):
    person = await owner(site, Role.TRUSTED)
    for _ in range(20):
        assert await popped(site, person.key) is None
    assert await popped(site, person.key) == "TooManySameIPs"
    await elsewhere(site, person)
    assert await popped(site, person.key) == "TooManyWorkersTrusted"


async def test_by_invitation_only(site):
    person, guest = await owner(site), await owner(site, worker_invited=1)
    old = name()
    assert await popped(site, person.key, name=old) is None
    async with switched(site, invite_only=True):
        assert await popped(site, person.key) == "WorkerInviteOnly"
        assert await popped(site, person.key, name=old) is None
        assert await popped(site, guest.key) is None
        assert await popped(site, guest.key) == "WorkerInviteOnly"
    assert await popped(site, person.key) is None


@pytest.mark.parametrize(
    ("body", "rc"),
    [
        ({"name": "a shit worker"}, "ProfaneWorkerName"),
        ({"name": "my colab"}, "BadRequest"),
        ({"name": "TPU 1"}, "BadRequest"),
        ({"name": "google"}, "BadRequest"),
        ({"name": "  "}, "BadRequest"),
        ({"bridge_agent": "shit:1:https://example.com"}, "ProfaneBridgeAgent"),
    ],
)
@pytest.mark.parametrize("path", PATHS)
async def test_names_are_decent(site, body, rc, path):
    assert await popped(site, (await owner(site)).key, path, **body) == rc


async def test_a_program_may_not_be_renamed_to_something_indecent(site):
    person, known = await owner(site), name()
    assert await popped(site, person.key, name=known) is None
    agent = "shit:1:https://example.com"
    assert await popped(site, person.key, name=known, bridge_agent=agent) == "ProfaneBridgeAgent"


async def test_a_name_is_of_one_kind(site):
    person, known = await owner(site), name()
    assert await popped(site, person.key, PATHS[0], name=known) is None
    for path in PATHS[1:]:
        assert await popped(site, person.key, path, name=known) == "PolymorphicNameConflict"


@pytest.mark.parametrize(
    ("path", "rc"),
    [
        (PATHS[0], "InvalidPriorityUsername"),
        (PATHS[1], "InvalidPriorityUsername"),
        (PATHS[2], "BadRequest"),
    ],
)
async def test_prioritised_users_have_ids(site, path, rc):
    assert await popped(site, (await owner(site)).key, path, priority_usernames=["fox"]) == rc


@pytest.mark.parametrize("role", [NO_ROLE, Role.TRUSTED, Role.VPN])
@pytest.mark.parametrize(
    ("verdict", "rc"), [(Verdict.UNSAFE, "UnsafeIP"), (Verdict.UNKNOWN, "TooManyNewIPs")]
)
async def test_an_address_that_hides_is_for_the_trusted(site, scored, role, verdict, rc):
    scored.verdict = verdict
    expected = None if role else rc
    assert await popped(site, (await owner(site, role)).key) == expected


async def test_in_a_raid_it_gets_decoys_and_does_not_notice(site, scored):
    shop, scored.verdict = await serving.open_shop(site), Verdict.UNSAFE
    requester = await site.user(name(), kudos=1000, roles=int(Role.TRUSTED))
    request_id = await site.ask(key=requester.key, models=[shop.name])
    async with switched(site, raid=True):
        assert (await shop.pop())["id"]
        assert (await shop.status(request_id))["waiting"] == 1
    scored.verdict = Verdict.SAFE
    assert (await shop.pop())["id"]
    assert (await shop.status(request_id))["processing"] == 1


@pytest.mark.parametrize("path", ["/generate/async", "/generate/text/async"])
async def test_in_a_raid_pictures_are_asked_for_from_safe_addresses(site, scored, path):
    scored.verdict = Verdict.UNSAFE
    body = {"prompt": "a red fox", "models": []}
    person, trusted = await owner(site), await owner(site, Role.TRUSTED)

    async def asked(key):
        answer = await site.post(path, body, key=key)
        return answer.json().get("rc"), answer.json().get("message")

    assert await asked(person.key) == (None, (await asked(trusted.key))[1])
    async with switched(site, raid=True):
        await asked(trusted.key)  # from here on the mode is known
        rc, message = await asked(person.key)
        assert (await asked(trusted.key))[0] is None
    if path == "/generate/async":
        assert rc == "UntrustedUnsafeIP"
        assert message == "Only Trusted users are allowed to perform this operation"
    else:
        assert rc is None


@pytest.mark.parametrize(("score", "rc"), [(b"0.2", None), (b"0.95", "UnsafeIP")])
async def test_a_service_of_the_operators_choice_judges_addresses(app_on, score, rc):
    asked = []

    async def answer(reader, writer):
        asked.append((await reader.readuntil(b"\r\n\r\n")).split()[1])
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(score)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + score)
        await writer.drain()
        writer.close()

    service = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = service.sockets[0].getsockname()[1]
    settings = {
        "address_scorer_url": f"http://127.0.0.1:{port}/score/{{address}}",
        "outside_allowed": ["127.0.0.1"],
    }
    async with service, app_on(**settings) as server:
        person = await server.user("an owner")
        for _ in range(2):
            assert await popped(server, person.key) == rc
    assert asked == [b"/score/127.0.0.1"]


async def test_a_service_that_cannot_be_reached_knows_nothing(app_on):
    async with app_on(address_scorer_url="http://127.0.0.1:1/{address}") as server:
        assert await popped(server, (await server.user("an owner")).key) == "TooManyNewIPs"


@pytest.mark.parametrize("path", PATHS)
async def test_anonymous_workers_may_be_allowed_unpaid(app_on, path):
    async with app_on(anonymous_workers="on") as server:
        for _ in range(3):
            assert await popped(server, serving.ANONYMOUS, path) is None
        assert await popped(server, serving.ANONYMOUS, path) == "TooManySameIPs"


async def test_an_anonymous_worker_earns_nothing(app_on):
    async with app_on(anonymous_workers="on") as server:
        requester = await server.user("requester", kudos=1000)
        await server.ask(key=requester.key, models=["stable_diffusion"])
        work = await server.pop(serving.ANONYMOUS, name="a worker")
        assert await server.deliver(serving.ANONYMOUS, work) == [0.0]
        audit = (await server.get("/kudos/audit")).json()
        assert audit["balanced"]
        spent = (await server.get(f"/users/{requester.id}", key=requester.key)).json()["kudos"]
        assert spent < 1025


async def test_when_a_worker_is_seen_its_address_is_known(site):
    person, known = await owner(site), name()
    assert await popped(site, person.key, name=known) is None
    async with site.database.reading() as session:
        rows = await session.execute(
            table(WorkerRow).select().where(table(WorkerRow).c.name == known)
        )
    row = rows.one()
    assert row.address == "127.0.0.1"
    assert row.seen_at <= now()
