"""Ways to provoke each `rc` of moderation; they join those of `refused`."""

from sqlalchemy import update

from core.db import table
from core.users.tables import Role
from core.workers.tables import WorkerRow
from refused import numbers, provokes, somebody
from serving import offer

workers = table(WorkerRow)


async def moderator(server):
    return (await somebody(server, roles=int(Role.MODERATOR))).key


async def owner_with(server, count, **properties):
    """Somebody with so many workers, all at the same address."""
    person = await somebody(server, **properties)
    for _ in range(count):
        await server.pop(person.key, name=f"w{next(numbers)}", models=["Deliberate"])
    return person


async def scattered(server, person):
    """Each worker of a person is somewhere else."""
    async with server.database.writing() as session:
        of_them = update(workers).where(workers.c.user_id == person.id)
        await session.execute(of_them.values(address=workers.c.name))


def popping(key, **body):
    return "POST", "/generate/pop", offer(**{"name": f"w{next(numbers)}", **body}), key


def limited(rc, what, count, **properties):
    """One worker more than an owner may have, at the same address or not."""

    @provokes(rc, what)
    async def _(server):
        person = await owner_with(server, count, **properties)
        if rc != "TooManySameIPs":
            await scattered(server, person)
        return popping(person.key)


limited("TooManySameIPs", "untrusted", 3)
limited("TooManySameIPs", "trusted", 20, roles=int(Role.TRUSTED))
limited("TooManyWorkers", "untrusted", 3)
limited("TooManyWorkersTrusted", "trusted", 20, roles=int(Role.TRUSTED))


@provokes("ProfaneBridgeAgent", "pops")
async def _(server):
    return popping((await somebody(server)).key, bridge_agent="shit:1:https://example.com")


@provokes("ProfaneWorkerName", "pops")
async def _(server):
    return popping((await somebody(server)).key, name="a shit worker")


@provokes("CorruptPrompt", "of a moderator, who is not punished")
async def _(server):
    wanted = {"prompt": "naked child", "models": [], "replacement_filter": False}
    return "POST", "/generate/async", wanted, await moderator(server)


@provokes("InvalidPromptSize", "one very long word")
async def _(server):
    wanted = {"prompt": "x" * 100_001, "models": []}
    return "POST", "/generate/async", wanted, (await somebody(server)).key


def moderating(rc, what, method, path, body=None):
    """What a moderator does in vain."""

    @provokes(rc, what)
    async def _(server):
        return method, path, body, await moderator(server)


moderating("FilterNotFound", "seen", "GET", "/filters/99999")
moderating("FilterNotFound", "changed", "PATCH", "/filters/99999", {"regex": "fox"})
moderating("FilterNotFound", "deleted", "DELETE", "/filters/fox")
moderating("NoFilterModSelected", "no field", "PATCH", "/filters/1", {})
moderating("BadRequest", "no expression", "PUT", "/filters", {"regex": "(a", "filter_type": 20})
moderating("NoHordeModSelected", "no field", "PUT", "/status/modes", {})
moderating("NotAdmin", "switches maintenance", "PUT", "/status/modes", {"maintenance_mode": True})
moderating("BadRequest", "no address", "GET", "/operations/ipaddr/fox")
moderating(
    "BadRequest", "too wide", "POST", "/operations/ipaddr", {"ipaddr": "0.0.0.0/0", "hours": 1}
)
moderating("WorkerNotFound", "blocks", "PUT", "/operations/block_worker_ipaddr/fox", {"days": 1})
