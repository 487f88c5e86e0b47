"""Ways to provoke each `rc` of shared pictures and their ratings."""

import itertools

import serving
from refused import NOBODY, provokes, somebody

numbers = itertools.count(1)


async def rated(server, *, n=1, deliver=True, shared=True):
    """Somebody, their request and its pictures."""
    person = await somebody(server, kudos=100)
    model = {"name": f"rated {next(numbers)}", "models": ["Deliberate"]}
    params = {**serving.SMALL, "n": n}
    request_id = await server.ask(
        key=person.key, models=["Deliberate"], shared=shared, params=params
    )
    ids = []
    for _ in range(n if deliver else 0):
        popped = await server.pop(person.key, priority_usernames=[person.alias], **model)
        await server.deliver(person.key, popped)
        ids += popped["ids"]
    return person, request_id, ids


def rating(rc, what, body, *, already=False, removed=False, **made):
    """A request's rating that is refused. body: made of the ids of its pictures."""

    @provokes(rc, what)
    async def rate(server):
        person, request_id, ids = await rated(server, **made)
        call = ("POST", f"/generate/rate/{request_id}", body(ids), None)
        if already:
            assert (await server.call(*call[:3])).status_code == 200
        if removed:
            await server.call("DELETE", f"/shared/pictures/{ids[0]}", key=person.key)
        return call


def votes(*stars):
    return lambda ids: {
        "ratings": [{"id": i, "rating": each} for i, each in zip(ids, stars, strict=False)]
    }


def whole(body):
    return lambda _ids: body


rating("AestheticsNotCompleted", "rates what waits", whole({"best": NOBODY}), deliver=False)
rating("AestheticsNotPublic", "rates what is private", votes(5), shared=False)
rating("AestheticsMissing", "says nothing", whole({}))
rating("AestheticsSolo", "calls one the best", lambda ids: {"best": ids[0]})
rating(
    "AestheticsDuplicate",
    "rates one twice",
    lambda ids: {"ratings": [{"id": ids[0], "rating": 5}] * 2},
)
rating("ProcGenNotFound", "rates another's", whole({"ratings": [{"id": NOBODY, "rating": 5}]}))
rating("ProcGenNotFound", "calls another's the best", whole({"best": NOBODY}), n=2)
rating(
    "AestheticsConfused",
    "calls the worse one the best",
    lambda ids: {**votes(9, 2)(ids), "best": ids[1]},
    n=2,
)
rating("AestheticsAlreadyExist", "rates again", votes(5), already=True)
rating("InvalidAestheticAttempt", "rates what was removed", votes(5), removed=True)


@provokes("RequestNotFound", "rates nothing")
async def _(_server):
    return "POST", f"/generate/rate/{NOBODY}", {"best": NOBODY}, None


@provokes("SharedPictureNotFound", "looks at no picture")
async def _(_server):
    return "GET", f"/shared/pictures/{NOBODY}", None, None


@provokes("SharedPictureNotFound", "removes no picture")
async def _(server):
    return "DELETE", "/shared/pictures/x", None, (await somebody(server)).key


@provokes("NotOwner", "removes another's picture")
async def _(server):
    _, _, (picture,) = await rated(server)
    return "DELETE", f"/shared/pictures/{picture}", None, (await somebody(server)).key


@provokes("AnonForbidden", "removes a picture")
async def _(server):
    _, _, (picture,) = await rated(server)
    return "DELETE", f"/shared/pictures/{picture}", None, serving.ANONYMOUS


@provokes("AnonForbidden", "asks for a key to verify webhooks")
async def _(_server):
    return "GET", "/webhooks/key", None, serving.ANONYMOUS
