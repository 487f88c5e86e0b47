"""Ways to provoke each `rc` of workers, messages, teams, styles, collections and reports."""

import itertools

from core.users.tables import Role
from refused import NOBODY, asking, owner_of, provokes, somebody
from refused_accounts import moderator, shared_key
from serving import ANONYMOUS

numbers = itertools.count(1)
CREATOR = {"roles": int(Role.TRUSTED)}


def name():
    return f"thing {next(numbers)}"


def calling(rc, what, method, path, body=None, *, key=ANONYMOUS):
    """A call that is refused without anything there."""

    @provokes(rc, what)
    async def call(server):
        return method, path, body, key


# Workers


def changing(rc, what, body, *, by=None, method="PUT"):
    """A change of a worker that is refused. by: who asks instead of its owner."""

    @provokes(rc, what)
    async def change(server):
        owner, worker_id = await owner_of(server, name())
        key = owner.key if by is None else await by(server)
        return method, f"/workers/{worker_id}", body, key


async def stranger(server):
    return (await somebody(server)).key


async def anonymous(_server):
    return ANONYMOUS


async def nobody(_server):
    return "an unknown key"


changing("InvalidAPIKey", "changes a worker", {"info": "a den"}, by=nobody)
changing("AnonForbiddenWorker", "changes a worker", {"info": "a den"}, by=anonymous)
changing("NotOwner", "describes another's worker", {"info": "a den"}, by=stranger)
changing("NotOwner", "rests another's worker", {"maintenance": True}, by=stranger)
changing("NotModerator", "pauses a worker", {"paused": True})
changing("NotModerator", "renames another's worker", {"name": "a better name"}, by=stranger)
changing("NotModerator", "moves another's worker", {"team": ""}, by=stranger)
changing("ProfaneWorkerInfo", "describes a worker", {"info": "a shitty den"})
changing("ProfaneWorkerName", "renames a worker", {"name": "fucking fox"})
changing("BadRequest", "names a worker for a cloud", {"name": "my colab fox"})
changing("BadRequest", "names a worker for nothing", {"name": "      "})
changing("NoWorkerModSelected", "changes nothing", {})
changing("NoWorkerModSelected", "says why, but not what", {"maintenance_msg": "a rest"})
changing("TeamNotFound", "moves a worker nowhere", {"team": NOBODY})
changing("TeamNotFound", "moves a worker to no id", {"team": "x"})
changing("InvalidAPIKey", "deletes a worker", None, by=nobody, method="DELETE")
changing("AnonForbiddenWorker", "deletes a worker", None, by=anonymous, method="DELETE")
changing("NotModerator", "deletes another's worker", None, by=stranger, method="DELETE")
calling("WorkerNotFound", "changes no worker", "PUT", f"/workers/{NOBODY}", {"info": "a den"})
calling("WorkerNotFound", "deletes no worker", "DELETE", "/workers/x")


@provokes("WorkerNameAlreadyExists", "renames a worker in another's name")
async def _(server):
    taken, owner_name = name(), name()
    await owner_of(server, taken)
    owner, worker_id = await owner_of(server, owner_name)
    return "PUT", f"/workers/{worker_id}", {"name": taken.upper()}, owner.key


@provokes("Locked", "deletes a worker at work")
async def _(server):
    worker_name = name()
    owner, worker_id = await owner_of(server, worker_name)
    await server.ask(key=owner.key, models=["Deliberate"], workers=[worker_id])
    popped = await server.pop(owner.key, name=worker_name, models=["Deliberate"])
    assert popped["id"]
    return "DELETE", f"/workers/{worker_id}", None, owner.key


# Messages

TOLD = {"message": "rest a while"}

calling("AnonForbidden", "writes a message", "POST", "/workers/messages", TOLD)
calling(
    "InvalidAPIKey", "writes a message", "POST", "/workers/messages", TOLD, key="an unknown key"
)
calling("Forbidden", "lists messages", "GET", "/workers/messages")
calling("BadRequest", "messages of no validity", "GET", "/workers/messages?validity=new")
calling("BadRequest", "messages to no id", "GET", "/workers/messages?worker_id=x")
calling("BadRequest", "messages by no id", "GET", "/workers/messages?user_id=x")
calling("BadRequest", "messages by no user", "GET", "/workers/messages?user_id=9999999999")
calling("BadRequest", "no page of messages", "GET", "/workers/messages?page=0")
calling("WorkermessageNotFound", "looks at no message", "GET", f"/workers/messages/{NOBODY}")
calling("WorkermessageNotFound", "deletes no message", "DELETE", "/workers/messages/x")


@provokes("MessagesOnlyOwnWorkers", "writes to another's worker")
async def _(server):
    _, worker_id = await owner_of(server, name())
    body = {**TOLD, "worker_id": worker_id}
    return "POST", "/workers/messages", body, await stranger(server)


@provokes("MessagesOnlyOwnWorkers", "writes to all workers")
async def _(server):
    return "POST", "/workers/messages", TOLD, await stranger(server)


@provokes("WorkerNotFound", "writes to no worker")
async def _(server):
    return "POST", "/workers/messages", {**TOLD, "worker_id": NOBODY}, await stranger(server)


@provokes("Forbidden", "lists messages by others")
async def _(server):
    return "GET", "/workers/messages?user_id=0", None, await stranger(server)


@provokes("Forbidden", "lists messages to others' workers")
async def _(server):
    _, worker_id = await owner_of(server, name())
    return "GET", f"/workers/messages?worker_id={worker_id}", None, await stranger(server)


@provokes("Forbidden", "deletes another's message")
async def _(server):
    writer = await moderator(server)
    written = await server.post("/workers/messages", {**TOLD, "expiry": 1}, key=writer.key)
    return "DELETE", f"/workers/messages/{written.json()['id']}", None, await stranger(server)


# Teams


async def a_team(server):
    """The creator of a team, and its path."""
    creator = await somebody(server, **CREATOR)
    made = await server.post("/teams", {"name": name()}, key=creator.key)
    return creator, f"/teams/{made.json()['id']}"


def with_team(rc, what, method, body=None, *, by=None):
    @provokes(rc, what)
    async def call(server):
        creator, path = await a_team(server)
        return method, path, body, creator.key if by is None else await by(server)


calling("AnonForbidden", "creates a team", "POST", "/teams", {"name": "foxes"})
calling("TeamNotFound", "looks at no team", "GET", f"/teams/{NOBODY}")
calling("TeamNotFound", "changes no team", "PATCH", "/teams/x", {"name": "foxes"})
calling("TeamNotFound", "deletes no team", "DELETE", f"/teams/{NOBODY}")
with_team("InvalidAPIKey", "looks at a team", "GET", by=nobody)
with_team("NotModerator", "looks at a team with a key", "GET")
with_team("InvalidAPIKey", "changes a team", "PATCH", {"info": "red ones"}, by=nobody)
with_team("NotOwner", "changes another's team", "PATCH", {"info": "red ones"}, by=stranger)
with_team("ProfaneTeamName", "renames a team", "PATCH", {"name": "shit"})
with_team("ProfaneTeamInfo", "describes a team", "PATCH", {"info": "fuck"})
with_team("NoTeamModSelected", "changes nothing about a team", "PATCH", {})
with_team("BadRequest", "names a team for nothing", "PATCH", {"name": "   "})
with_team("NotModerator", "deletes another's team", "DELETE", by=stranger)


@provokes("UntrustedTeamCreation", "creates a team")
async def _(server):
    return "POST", "/teams", {"name": "foxes"}, await stranger(server)


@provokes("TeamNameAlreadyExists", "creates a team")
async def _(server):
    creator, _ = await a_team(server)
    taken = name()
    await server.post("/teams", {"name": taken}, key=creator.key)
    return "POST", "/teams", {"name": taken.upper()}, creator.key


@provokes("TeamNameAlreadyExists", "renames a team")
async def _(server):
    creator, path = await a_team(server)
    taken = name()
    await server.post("/teams", {"name": taken}, key=creator.key)
    return "PATCH", path, {"name": taken}, creator.key


# Styles

STOPS = [f"stop {number}" for number in range(129)]
STYLE = {"name": "foxes", "prompt": "{p}, a fox{np}", "models": ["stable_diffusion"]}


async def a_style(server, *, kind="image", **said):
    """The owner of a style, and its path."""
    owner = await somebody(server, **CREATOR)
    usual = STYLE | {"name": name()} | said
    made = await server.post(f"/styles/{kind}", usual, key=owner.key)
    assert made.status_code == 200, made.text
    return owner, f"/styles/{kind}/{made.json()['id']}"


def styling(rc, what, *, kind="image", **said):
    """A style that is refused for what it says."""

    @provokes(rc, what)
    async def create(server):
        author = await somebody(server, **CREATOR)
        return "POST", f"/styles/{kind}", STYLE | said, author.key


def with_style(rc, what, method, body=None, *, path="", by=None, kind="image"):
    @provokes(rc, what)
    async def call(server):
        owner, own = await a_style(server, kind=kind)
        return method, own + path, body, owner.key if by is None else await by(server)


calling("StylesAnonForbidden", "creates a style", "POST", "/styles/image", STYLE)
calling("InvalidAPIKey", "creates a style", "POST", "/styles/text", STYLE, key="an unknown key")


@provokes("StylesRequiresCustomizer", "creates a style")
async def _(server):
    return "POST", "/styles/image", STYLE, await stranger(server)


@provokes("DeletedUser", "creates a style")
async def _(server):
    deleted = await somebody(server, roles=int(Role.TRUSTED | Role.DELETED))
    return "POST", "/styles/image", STYLE, deleted.key


@provokes("BadRequest", "gives two styles a name")
async def _(server):
    owner, _ = await a_style(server, name="Twice")
    return "POST", "/styles/image", STYLE | {"name": "twice"}, owner.key


@provokes("BadRequest", "renames a style to another of the same owner")
async def _(server):
    owner, path = await a_style(server)
    await server.post("/styles/text", STYLE | {"name": "taken"}, key=owner.key)
    return "PATCH", path, {"name": "taken"}, owner.key


@provokes("Forbidden", "lets a style use another's shared key")
async def _(server):
    owner, path = await a_style(server)
    key = await shared_key(server, await somebody(server))
    return "PATCH", path, {"sharedkey": key}, owner.key


@provokes("SharedKeyAssignedStyles", "uses a style's shared key by itself")
async def _(server):
    owner, path = await a_style(server)
    key = await shared_key(server, owner)
    await server.call("PATCH", path, {"sharedkey": key}, key=owner.key)
    return "POST", "/generate/async", {"prompt": "a red fox", "models": []}, key


styling("SharedKeyInvalid", "names no shared key", sharedkey=NOBODY)
styling("StylePromptMissingVars", "a style without {np}", prompt="{p}, a fox")
styling("StylePromptMissingVars", "a style without {p}", kind="text", prompt="a fox")
styling("BadRequest", "a style with a profane name", name="shit")
styling("BadRequest", "a style with a profane description", info="a shitty little fox")
styling("BadRequest", "a style whose name has an owner", name="fox::red")
styling("BadRequest", "a style with a blank name", name=" ")
styling("BadRequest", "a style with many tags", tags=[f"tag {n}" for n in range(11)])
styling("BadRequest", "a style with many models", models=[f"model {n}" for n in range(6)])
styling("BadRequest", "a style without models", models=[])
styling("BadCFGDecimals", "a style with a cfg_scale", params={"cfg_scale": 7.123})
styling("MissingFullSamplerOrder", "a style", kind="text", params={"sampler_order": [0, 1]})
styling("TooManyStopSequences", "a style", kind="text", params={"stop_sequence": STOPS})
styling("ExcessiveStopSequence", "a style", kind="text", params={"stop_sequence": ["x" * 2001]})
calling("Image styleNotFound", "looks at no style", "GET", f"/styles/image/{NOBODY}")
calling("Text styleNotFound", "looks at no style", "GET", "/styles/text/x")
calling("StyleNotFound", "looks at no name", "GET", "/styles/image_by_name/nothing")
calling("StyleNotFound", "looks at a name of nobody", "GET", "/styles/text_by_name/x::nothing")
calling("StyleNotFound", "changes no style", "PATCH", f"/styles/image/{NOBODY}", {})
calling("StyleNotFound", "deletes no style", "DELETE", "/styles/text/x")
calling("BadRequest", "sorts styles by nothing", "GET", "/styles/image?sort=new")
calling("NulByteInPayload", "styles with a tag of it", "GET", "/styles/image?tag=a%00b")
calling("BadRequest", "no page of styles", "GET", "/styles/text?page=0")
with_style("Forbidden", "changes another's style", "PATCH", {"info": "red"}, by=stranger)
with_style("StylesAnonForbidden", "deletes a style", "DELETE", by=anonymous)
with_style("Forbidden", "deletes another's style", "DELETE", by=stranger)
with_style("StylePromptMissingVars", "changes a prompt", "PATCH", {"prompt": "a red fox"})


@provokes("StyleGetMistmatch", "looks at a text style under image")
async def _(server):
    _, path = await a_style(server, kind="text", prompt="{p}")
    return "GET", path.replace("text", "image"), None, None


# Examples

EXAMPLE = {"url": "https://example.com/fox.webp", "primary": True}

with_style("Forbidden", "adds to another's style", "POST", EXAMPLE, path="/example", by=stranger)
with_style(
    "BadRequest",
    "an example without TLS",
    "POST",
    EXAMPLE | {"url": "http://example.com/fox.webp"},
    path="/example",
)
with_style("Style exampleNotFound", "changes no example", "PATCH", {}, path=f"/example/{NOBODY}")
with_style("Style exampleNotFound", "deletes no example", "DELETE", path="/example/x")
calling("StyleNotFound", "adds to no style", "POST", f"/styles/image/{NOBODY}/example", EXAMPLE)


@provokes("TooManyStyleExamples", "adds a fifth example")
async def _(server):
    owner, path = await a_style(server)
    for number in range(4):
        url = f"https://example.com/{number}.webp"
        await server.post(f"{path}/example", EXAMPLE | {"url": url}, key=owner.key)
    return "POST", f"{path}/example", EXAMPLE, owner.key


@provokes("ExampleURLAlreadyInUse", "adds an example twice")
async def _(server):
    owner, path = await a_style(server)
    await server.post(f"{path}/example", EXAMPLE, key=owner.key)
    return "POST", f"{path}/example", EXAMPLE, owner.key


# Styled requests

asking("StyleNotFound", "an unknown style", style="nothing")
asking("StyleNotFound", "no id of a style", style=NOBODY)


@provokes("StyleMismatch", "asks for a picture in a text style")
async def _(server):
    _, path = await a_style(server, kind="text", prompt="{p}")
    body = {"prompt": "a red fox", "models": [], "style": path.rpartition("/")[2]}
    return "POST", "/generate/async", body, ANONYMOUS


# Collections


async def a_collection(server):
    """The owner of a collection, and its path."""
    owner, path = await a_style(server)
    body = {"name": name(), "styles": [path.rpartition("/")[2]]}
    made = await server.post("/collections", body, key=owner.key)
    assert made.status_code == 200, made.text
    return owner, f"/collections/{made.json()['id']}"


def with_collection(rc, what, method, body=None, *, by=None):
    @provokes(rc, what)
    async def call(server):
        owner, path = await a_collection(server)
        return method, path, body, owner.key if by is None else await by(server)


COLLECTION = {"name": "foxes", "styles": [NOBODY]}

calling("StylesAnonForbidden", "collects styles", "POST", "/collections", COLLECTION)
calling("CollectionNotFound", "looks at no collection", "GET", f"/collections/{NOBODY}")
calling("CollectionNotFound", "looks at no name", "GET", "/collection_by_name/nothing")
calling("CollectionNotFound", "changes no collection", "PATCH", "/collections/x", {})
calling("CollectionNotFound", "deletes no collection", "DELETE", f"/collections/{NOBODY}")
calling("BadRequest", "collections of no type", "GET", "/collections?type=alchemy")
calling("BadRequest", "sorts collections by nothing", "GET", "/collections?sort=new")
with_collection("Forbidden", "changes another's collection", "PATCH", {}, by=stranger)
with_collection("Forbidden", "deletes another's collection", "DELETE", by=stranger)
with_collection("StyleNotFound", "collects no style", "PATCH", {"styles": ["nothing"]})
with_collection("BadRequest", "empties a collection", "PATCH", {"styles": []})
with_collection("BadRequest", "names a collection badly", "PATCH", {"name": "shit"})


@provokes("DeletedUser", "collects styles")
async def _(server):
    deleted = await somebody(server, roles=int(Role.DELETED))
    return "POST", "/collections", COLLECTION, deleted.key


@provokes("StyleMismatch", "collects styles of two kinds")
async def _(server):
    owner, image = await a_style(server)
    _, text = await a_style(server, kind="text", prompt="{p}")
    both = [path.rpartition("/")[2] for path in (image, text)]
    return "POST", "/collections", {"name": "mixed", "styles": both}, owner.key


@provokes("StyleMismatch", "changes a collection's kind")
async def _(server):
    owner, path = await a_collection(server)
    _, text = await a_style(server, kind="text", prompt="{p}")
    return "PATCH", path, {"styles": [text.rpartition("/")[2]]}, owner.key


@provokes("BadRequest", "gives two collections a name")
async def _(server):
    owner, path = await a_collection(server)
    taken = (await server.get(path)).json()["name"]
    styles = [(await server.get(path)).json()["styles"][0]["id"]]
    return "POST", "/collections", {"name": taken, "styles": styles}, owner.key


# Reports

REPORT = {"kind": "user", "id": "0", "reason": "a bad name"}

calling("InvalidAPIKey", "reports", "POST", "/reports", REPORT, key="an unknown key")
for kind in ("picture", "style", "collection", "worker", "team"):
    calling("NothingToReport", f"reports no {kind}", "POST", "/reports", {**REPORT, "kind": kind})
calling("NothingToReport", "reports no user", "POST", "/reports", {**REPORT, "id": "9" * 20})
calling("NotModerator", "lists reports", "GET", "/reports")
calling("BadRequest", "reports of no state", "GET", "/reports?state=new")
calling("NotModerator", "closes a report", "PATCH", "/reports/1", {"closed": True})


@provokes("ReportNotFound", "closes no report")
async def _(server):
    return "PATCH", "/reports/2000000000", {"closed": True}, (await moderator(server)).key


@provokes("ReportNotFound", "closes what is no id")
async def _(server):
    return "PATCH", "/reports/x", {"closed": True}, (await moderator(server)).key
