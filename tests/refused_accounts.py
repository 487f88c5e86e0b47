"""Ways to provoke each `rc` of users, shared keys and kudos; they join those of `refused`."""

from datetime import timedelta

from sqlalchemy import update

from core.db import now, table
from core.users import shared_keys, suspicion
from core.users.tables import Reason, Role, SharedKeyRow, UserRow
from refused import NOBODY, provokes, somebody
from serving import ANONYMOUS

keys, users = table(SharedKeyRow), table(UserRow)


async def moderator(server):
    return await somebody(server, roles=int(Role.MODERATOR))


async def admin(server):
    return await somebody(server, roles=int(Role.ADMIN | Role.MODERATOR))


async def shared_key(server, owner, **properties):
    """The id of a new shared key; `expired` lets its time be over."""
    expired = properties.pop("expired", False)
    made = (await server.call("PUT", "/sharedkeys", properties, key=owner.key)).json()["id"]
    if expired:
        async with server.database.writing() as session:
            await session.execute(
                update(keys)
                .where(keys.c.id == shared_keys.parse(made))
                .values(expires_at=now() - timedelta(days=1))
            )
    return made


async def make_suspicious(server, person):
    async with server.database.writing() as session:
        for _ in range(suspicion.SUSPICIOUS):
            await suspicion.suspect(session, person.id, Reason.UNREASONABLY_FAST, at=now())


# Changing and deleting users


def changing(rc, what, body, *, by=somebody, own=False):
    """A change of a user that is refused."""

    @provokes(rc, what)
    async def change(server):
        asking = await by(server)
        user = asking if own else await somebody(server)
        return "PUT", f"/users/{user.id}", body, asking.key


for field, value in (
    ("kudos", 10),
    ("monthly_kudos", 10),
    ("usage_multiplier", 2),
    ("moderator", True),
):
    changing("NotAdmin", f"sets {field}", {field: value}, by=moderator)
for field, value in (
    ("concurrency", 100),
    ("worker_invited", 1),
    ("trusted", True),
    ("flagged", False),
    ("customizer", True),
    ("vpn", True),
    ("service", True),
    ("education", True),
    ("special", True),
    ("reset_suspicion", True),
    ("admin_comment", "a comment"),
):
    changing("NotModerator", f"sets their own {field}", {field: value}, own=True)
for field, value in (
    ("public_workers", True),
    ("username", "Somebody"),
    ("contact", "me@example.com"),
    ("generate_proxy_passkey", True),
    ("undelete", True),
):
    changing("NotModerator", f"sets another's {field}", {field: value})
changing("NoUserModSelected", "changes nothing", {}, own=True)
changing("NoUserModSelected", "asks for nothing", {"undelete": False, "filtered": True}, own=True)
changing("TooLongUserName", "31 characters", {"username": "x" * 31}, own=True)
changing("BadUsername", "nothing visible", {"username": "\u200b" * 3}, own=True)
changing("ProfaneUserName", "an obscene name", {"username": "fuck this"}, own=True)
changing("ProfaneUserContact", "an obscene contact", {"contact": "fuck this"}, own=True)
changing("ProfaneAdminComment", "an obscene comment", {"admin_comment": "fuck it"}, by=moderator)
changing("NonServiceForbidden", "wants a passkey", {"generate_proxy_passkey": True}, own=True)
changing("UserNotDeleted", "is not deleted", {"undelete": True}, own=True)
changing("BadRequest", "more workers than can be", {"worker_invited": 2**40}, by=moderator)
changing("BadRequest", "more kudos than can be", {"kudos": 1e300}, by=admin)


@provokes("AnonForbiddenUserMod", "changes a user")
async def _(server):
    return "PUT", "/users/0", {"public_workers": False}, ANONYMOUS


@provokes("AnonForbidden", "the anonymous user gets kudos")
async def _(server):
    return "PUT", "/users/0", {"kudos": 10}, (await admin(server)).key


@provokes("AnonForbidden", "the anonymous user gets monthly kudos")
async def _(server):
    return "PUT", "/users/0", {"monthly_kudos": 10}, (await admin(server)).key


@provokes("AnonForbidden", "the anonymous user gets a name")
async def _(server):
    return "PUT", "/users/0", {"username": "Nobody"}, (await moderator(server)).key


@provokes("AnonForbidden", "the anonymous user gets a role")
async def _(server):
    return "PUT", "/users/0", {"trusted": True}, (await moderator(server)).key


@provokes("UserNotFound", "changes nobody")
async def _(server):
    return "PUT", "/users/2000000000", {"trusted": True}, (await moderator(server)).key


@provokes("InvalidAPIKey", "changes a user")
async def _(server):
    return "PUT", "/users/0", {"trusted": True}, "an unknown key"


@provokes("UserNotDeleted", "is wiped")
async def _(server):
    person = await somebody(server, roles=int(Role.DELETED))
    async with server.database.writing() as session:
        await session.execute(update(users).where(users.c.id == person.id).values(key_hash=None))
    return "PUT", f"/users/{person.id}", {"undelete": True}, (await moderator(server)).key


def deleting(rc, what, arrange):
    @provokes(rc, what)
    async def delete(server):
        asking, user_id = await arrange(server)
        return "DELETE", f"/users/{user_id}", None, asking


deleting("UserNotFound", "deletes nobody", lambda s: _with(moderator(s), 2_000_000_000))
deleting("InvalidAPIKey", "deletes a user", lambda _: _as("an unknown key", 0))
deleting("AnonForbiddenUser", "deletes itself", lambda _: _as(ANONYMOUS, 0))
deleting("AnonForbiddenUser", "deletes everybody", lambda s: _with(moderator(s), 0))
deleting("NotUserOrMod", "deletes another", lambda s: _pair(s, somebody, somebody))
deleting("CannotDeleteMod", "deletes a moderator", lambda s: _pair(s, moderator, moderator))


@provokes("CannotWipeActiveUser", "deletes twice")
async def _(server):
    person = await somebody(server)
    await server.call("DELETE", f"/users/{person.id}", key=person.key)
    return "DELETE", f"/users/{person.id}", None, person.key


async def _as(key, user_id):
    return key, user_id


async def _with(person, user_id):
    return (await person).key, user_id


async def _pair(server, asking, user):
    return (await asking(server)).key, (await user(server)).id


# sharedkeys


@provokes("AnonForbidden", "makes a shared key")
async def _(server):
    return "PUT", "/sharedkeys", {}, ANONYMOUS


@provokes("DeletedUser", "makes a shared key")
async def _(server):
    return "PUT", "/sharedkeys", {}, (await somebody(server, roles=int(Role.DELETED))).key


@provokes("Forbidden", "makes a fourth shared key")
async def _(server):
    person = await somebody(server)
    for _ in range(3):
        await shared_key(server, person)
    return "PUT", "/sharedkeys", {}, person.key


for what, key_id in (("unknown", NOBODY), ("no id", "x")):
    for method, body in (("GET", None), ("PATCH", {"kudos": 1}), ("DELETE", None)):

        @provokes("InvalidAPIKey", f"{method} of a shared key, {what}")
        async def _(server, method=method, body=body, key_id=key_id):
            return method, f"/sharedkeys/{key_id}", body, (await somebody(server)).key


for method, body in (("PATCH", {"kudos": 1}), ("DELETE", None)):

    @provokes("Forbidden", f"{method} of another's shared key")
    async def _(server, method=method, body=body):
        key = await shared_key(server, await somebody(server))
        return method, f"/sharedkeys/{key}", body, (await somebody(server)).key


@provokes("NoSharedKeyModSelected", "changes nothing")
async def _(server):
    person = await somebody(server)
    return "PATCH", f"/sharedkeys/{await shared_key(server, person)}", {}, person.key


def sharing(rc, what, wanted=None, *, path="/generate/async", **properties):
    """A request with a shared key that is refused."""

    @provokes(rc, what)
    async def ask(server):
        key = await shared_key(server, await somebody(server, kudos=10_000), **properties)
        body = {"prompt": "a red fox", "models": [], **(wanted or {})}
        return "POST", path, body, key


TEXT = "/generate/text/async"
sharing("SharedKeyEmpty", "for a picture", kudos=0)
sharing("SharedKeyEmpty", "for a text", kudos=0, path=TEXT)
sharing("SharedKeyExpired", "for a picture", expired=True)
sharing("SharedKeyExpired", "for a text", expired=True, path=TEXT)
sharing("SharedKeyInsufficientKudos", "for many pictures", {"params": {"n": 20}}, kudos=1)
sharing("BadRequest", "too large for a shared key", max_image_pixels=512 * 512 - 1)
sharing("BadRequest", "too many steps for a shared key", max_image_steps=20)
sharing("BadRequest", "too long for a shared key", path=TEXT, max_text_tokens=79)


@provokes("InvalidAPIKey", "forms with a shared key")
async def _(server):
    key = await shared_key(server, await somebody(server))
    body = {"forms": [{"name": "caption"}], "source_image": "https://example.com/fox.png"}
    return "POST", "/interrogate/async", body, key


# roles on requests


@provokes("OnlyServiceAccountProxy", "asks for another")
async def _(server):
    body = {"prompt": "x", "models": [], "proxied_account": "somebody else"}
    return "POST", "/generate/async", body, (await somebody(server)).key


def special(rc, what, **body):
    @provokes(rc, what)
    async def ask(server):
        return "POST", "/generate/async", {"prompt": "x", **body}, (await somebody(server)).key


special("SpecialMissingUsername", "nobody's special model", models=["horde_special"])
special("Forbidden", "a special model", models=["horde_special::somebody#1"])


@provokes("SpecialMissingPayload", "a special model alone")
async def _(server):
    person = await somebody(server, roles=int(Role.SPECIAL))
    body = {"prompt": "x", "models": [f"horde_special::{person.alias}"]}
    return "POST", "/generate/async", body, person.key


special("BadRequest", "a special payload", models=[], params={"special": {"a": 1}})


# kudos


def giving(rc, what, *, giver=None, receiver=None, amount=10, target=None):
    """A transfer that is refused."""

    @provokes(rc, what)
    async def give(server):
        person = await somebody(server, kudos=100, **(giver or {}))
        other = await somebody(server, **(receiver or {}))
        body = {"username": other.alias if target is None else target, "amount": amount}
        return "POST", "/kudos/transfer", body, person.key


giving("NegativeKudosTransfer", "less than nothing", amount=-1)
giving("InvalidKudosTransferAmount", "nothing", amount=0)
giving("KudosTransferNotEnough", "the floor too", amount=101)
giving("KudosTransferNotEnough", "more than there is", amount=2**63 - 1)
giving("InvalidTargetUsername", "nobody", target="Nobody#2000000000")
giving("InvalidTargetUsername", "an unknown key", target=NOBODY)
giving("KudosTransferToAnon", "everybody", target="Anonymous#0")
giving("DeletedUser", "is deleted", giver={"roles": int(Role.DELETED)})
giving("DeletedUser", "to who is deleted", receiver={"roles": int(Role.DELETED)})
giving("SourceAccountFlagged", "is flagged", giver={"roles": int(Role.FLAGGED)})
giving("TargetAccountFlagged", "to who is flagged", receiver={"roles": int(Role.FLAGGED)})
giving("EducationCannotSendKudos", "is a school", giver={"roles": int(Role.EDUCATION)})


@provokes("KudosTransferFromAnon", "gives")
async def _(server):
    body = {"username": (await somebody(server)).alias, "amount": 1}
    return "POST", "/kudos/transfer", body, ANONYMOUS


@provokes("InvalidAPIKey", "gives")
async def _(server):
    return "POST", "/kudos/transfer", {"username": "x#1"}, "an unknown key"


@provokes("KudosTransferToSelf", "gives")
async def _(server):
    person = await somebody(server, kudos=10)
    return "POST", "/kudos/transfer", {"username": person.alias, "amount": 1}, person.key


@provokes("SharedKeyExpired", "gives to it")
async def _(server):
    key = await shared_key(server, await somebody(server), expired=True)
    giver = await somebody(server, kudos=10)
    return "POST", "/kudos/transfer", {"username": key, "amount": 1}, giver.key


@provokes("TooFastKudosTransfers", "gives back")
async def _(server):
    giver, receiver = await somebody(server, kudos=10), await somebody(server, kudos=10)
    body = {"username": receiver.alias, "amount": 1}
    await server.post("/kudos/transfer", body, key=giver.key)
    return "POST", "/kudos/transfer", {"username": giver.alias, "amount": 1}, receiver.key


for rc, suspicious in (("FaultWhenKudosSending", 0), ("FaultWhenKudosReceiving", 1)):

    @provokes(rc, "is suspicious")
    async def _(server, suspicious=suspicious):
        people = [await somebody(server, kudos=10) for _ in range(2)]
        await make_suspicious(server, people[suspicious])
        body = {"username": people[1].alias, "amount": 1}
        return "POST", "/kudos/transfer", body, people[0].key


def awarding(rc, what, target=None, *, by=admin, amount=10, receiver=None):
    @provokes(rc, what)
    async def award(server):
        other = await somebody(server, **(receiver or {}))
        body = {"username": target or other.alias, "amount": amount}
        return "POST", "/kudos/award", body, (await by(server)).key


awarding("NotAllowedAwards", "a moderator", by=moderator)
awarding("InvalidAwardUsername", "nobody", "Nobody#2000000000")
awarding("KudosAwardToAnon", "everybody", "Anonymous#0")
awarding("DeletedUser", "to who is deleted", receiver={"roles": int(Role.DELETED)})
awarding("NegativeKudosTransfer", "an award", amount=-1)
awarding("InvalidKudosTransferAmount", "an award", amount=0)


@provokes("InvalidAPIKey", "awards")
async def _(server):
    return "POST", "/kudos/award", {"username": "x#1"}, "an unknown key"
