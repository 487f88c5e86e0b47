"""Calls every operation of the contract, so that there are real answers to hold against it.

Each family of operations is a visit, which tidies up after itself where that is an operation.
"""

import pictures
import serving
from core.users.tables import Role
from visit_bodies import ASKED, MANAGED, OF_A_REQUEST, PARAMS, STYLED, TEXT_PARAMS

REGEN = "AI Horde Worker reGen:13:https://example.com"
SCRIBE = "KoboldAI Bridge:10:https://example.com"
ADDRESS = "198.51.100.7"


class Visitor:
    """Makes calls as somebody who may do everything, and keeps the answers.

    caught: (method, path) → pairs of status and JSON; several where they differ by who asks.
    """

    def __init__(self, server, shop):
        self.server, self.shop = server, shop
        self.key = shop.owner.key
        self.caught = {}

    async def call(self, method, path, body=None, *, key="", query="", **values):
        """Call an operation; key: the visitor's own if not given, None for nobody's."""
        where = "/" + path.format(**values) + query
        answer = await self.server.call(method, where, body, key=self.key if key == "" else key)
        assert answer.is_success, (method, path, answer.text)
        self.caught.setdefault((method, path), []).append((answer.status_code, answer.json()))
        return answer.json()


async def everything(server):
    """All answers to a visitor that calls each operation at least once."""
    roles = Role.MODERATOR | Role.CUSTOMIZER | Role.TRUSTED | Role.ADMIN
    visitor = Visitor(server, await serving.open_shop(server, roles=int(roles)))
    await visit_all(visitor)
    return visitor.caught


async def visit_all(visitor):
    """Make all calls as this visitor."""
    for visit in (
        images,
        ratings,
        texts,
        forms,
        people,
        teams,
        workers,
        styles,
        moderation,
        overview,
    ):
        await visit(visitor)


async def images(visitor):
    """Ask for pictures, make them, rate them."""
    call, shop = visitor.call, visitor.shop
    asking = {**ASKED, "models": [shop.name]}
    asked = await call("POST", "generate/async", asking)
    await call("POST", "generate/async", {**asking, "dry_run": True})
    offered = serving.offer(name=shop.name, models=[shop.name], bridge_agent=REGEN, allow_lora=True)
    await call("GET", "status/models")
    await call("GET", "find_user")  # while a request of the user's is at work
    popped = await call("POST", "generate/pop", offered)
    await call("POST", "generate/pop", offered)
    await visitor.server.http.put(popped["r2_upload"], content=pictures.WEBP)
    said = [{"type": "lora", "value": "download_failed", "ref": "a"}]
    result = {"id": popped["id"], "generation": "R2", "seed": 1, "gen_metadata": said}
    await call("POST", "generate/submit", result)
    for path in ("generate/check/{id}", "generate/status/{id}"):
        await call("GET", path, id=asked["id"], key=None)
    await call("DELETE", "generate/status/{id}", id=asked["id"], key=None)
    await call("GET", "status/models/{model_name}", model_name=shop.name, key=None)


async def ratings(visitor):
    """Ask for a picture to be shared, make it, rate it."""
    shop = visitor.shop
    asked = await shop.ask(shared=True)
    popped = await shop.pop()
    await shop.deliver(popped)
    rating = {"ratings": [{"id": popped["id"], "rating": 7, "artifacts": 1}]}
    await visitor.call("POST", "generate/rate/{id}", rating, id=asked)


async def texts(visitor):
    """Ask for texts and write them."""
    call = visitor.call
    model = "a text model"
    asking = {"prompt": "Once upon a time", "models": [model], "params": TEXT_PARAMS}
    asked = await call("POST", "generate/text/async", asking)
    await call("POST", "generate/text/async", {**asking, "dry_run": True})
    offered = {"name": "A scribe", "models": [model], "max_length": 512, "bridge_agent": SCRIBE}
    await call("POST", "generate/text/pop", {**offered, "max_length": 16})
    await call("POST", "generate/text/pop", {**offered, "max_context_length": 128})
    popped = await call("POST", "generate/text/pop", offered)
    await call("POST", "generate/text/pop", offered)
    said = [{"type": "censorship", "value": "csam", "ref": "a"}]
    result = {"id": popped["id"], "generation": "there was", "seed": 1, "gen_metadata": said}
    await call("POST", "generate/text/submit", result)
    await call("GET", "generate/text/status/{id}", id=asked["id"], key=None)
    await call("DELETE", "generate/text/status/{id}", id=asked["id"], key=None)


async def forms(visitor):
    """Ask for alchemy and do it."""
    call = visitor.call
    wanted = [{"name": "caption"}, {"name": "nsfw", "payload": {"a": "b"}}, {"name": "GFPGAN"}]
    asking = {"source_image": pictures.SOURCE, "forms": wanted}
    asked = await call("POST", "interrogate/async", asking)
    offered = {"name": "An alchemist", "bridge_agent": REGEN, "amount": 3}
    offered["forms"] = [each["name"] for each in wanted]
    popped = await call("POST", "interrogate/pop", offered)
    await call("POST", "interrogate/pop", offered)
    (caption,) = [each for each in popped["forms"] if each["form"] == "caption"]
    result = {"id": caption["id"], "result": {"caption": "a fox"}, "state": "ok"}
    await call("POST", "interrogate/submit", result)
    await call("GET", "interrogate/status/{id}", id=asked["id"], key=None)
    await call("DELETE", "interrogate/status/{id}", id=asked["id"], key=None)


async def people(visitor):
    """Users as others, they themselves and moderators see them; kudos; shared keys."""
    call, owner = visitor.call, visitor.shop.owner
    somebody = await visitor.server.user("Somebody", kudos=100)
    shared = {"name": "A key", "kudos": 100, "expiry": 3}
    shared = await call("PUT", "sharedkeys", shared, key=somebody.key)
    for values in MANAGED.items():
        await call("PUT", "users/{user_id}", dict([values]), user_id=somebody.id)
    for switch in (True, False):
        await call("PUT", "users/{user_id}", {"moderator": switch}, user_id=somebody.id)
    passkey = {"generate_proxy_passkey": True}
    await call("PUT", "users/{user_id}", passkey, user_id=somebody.id, key=somebody.key)
    await call("POST", "kudos/award", {"username": owner.alias, "amount": 5})
    await call("POST", "kudos/transfer", {"username": owner.alias, "amount": 5}, key=somebody.key)
    for key in (None, somebody.key, visitor.key):
        await call("GET", "users/{user_id}", user_id=somebody.id, key=key)
    await call("GET", "find_user", key=somebody.key)
    await call("GET", "users", key=None)
    values = {"sharedkey_id": shared["id"]}
    await call("PATCH", "sharedkeys/{sharedkey_id}", {"kudos": 50}, key=somebody.key, **values)
    await call("GET", "sharedkeys/{sharedkey_id}", key=None, **values)
    await call("DELETE", "sharedkeys/{sharedkey_id}", key=somebody.key, **values)
    await call("DELETE", "users/{user_id}", user_id=somebody.id, key=somebody.key)
    await call("PUT", "users/{user_id}", {"undelete": True}, user_id=somebody.id)


async def teams(visitor):
    """A team, which a worker joins."""
    call, name = visitor.call, visitor.shop.name
    team = (await call("POST", "teams", {"name": "A team", "info": "of visitors"}))["id"]
    worker = (await call("GET", "workers/name/{worker_name}", worker_name=name))["id"]
    for change in ({"team": team}, {"maintenance": True}, {"maintenance": False}):
        await call("PUT", "workers/{worker_id}", change, worker_id=worker)
    await call("GET", "teams", key=None)
    await call("GET", "teams/{team_id}", team_id=team, key=None)
    await call("PATCH", "teams/{team_id}", {"info": "of friends"}, team_id=team)
    await call("GET", "workers/{worker_id}", worker_id=worker)
    await call("DELETE", "teams/{team_id}", team_id=team)


async def workers(visitor):
    """Workers as moderators see them, and messages to them."""
    call, name = visitor.call, visitor.shop.name
    await call("PUT", "users/{user_id}", {"contact": "a@b.de"}, user_id=visitor.shop.owner.id)
    worker = (await call("GET", "workers/name/{worker_name}", worker_name=name))["id"]
    values = {"worker_id": worker}
    for change in ({"info": "a fox's den"}, {"paused": True}, {"paused": False}):
        await call("PUT", "workers/{worker_id}", change, **values)
    await call("PUT", "workers/{worker_id}", {"name": "A den"}, **values)
    message = {"worker_id": worker, "message": "Hello", "origin": "a visitor"}
    message = (await call("POST", "workers/messages", message))["id"]
    await call("GET", "workers/messages")
    await call("GET", "workers/messages/{message_id}", message_id=message)
    for kind in ("image", "text", "interrogation"):
        await call("GET", "workers", query=f"?type={kind}")
    await call("GET", "workers/{worker_id}", **values)
    offered = serving.offer(name="A den", models=[name], bridge_agent=REGEN)
    await call("POST", "generate/pop", offered)
    await call("DELETE", "workers/messages/{message_id}", message_id=message)
    await call("PUT", "operations/block_worker_ipaddr/{worker_id}", {"days": 1}, **values)
    await call("DELETE", "operations/block_worker_ipaddr/{worker_id}", **values)
    await call("DELETE", "workers/{worker_id}", **values)


async def styles(visitor):
    """Styles of both kinds, their examples, and a collection."""
    call = visitor.call
    shared = await call("PUT", "sharedkeys", {"name": "For a style", "kudos": 100, "expiry": 3})
    image = {
        "name": "A painted one",
        "info": "as painted in oil",
        "prompt": "{p}, painted{np}",
        "params": {**PARAMS, **STYLED},
        "tags": ["painted"],
        "models": ["Deliberate"],
        "sharedkey": shared["id"],
    }
    text = {
        "name": "A told one",
        "info": "as told by a fox",
        "prompt": "A fox said: {p}",
        "params": {key: TEXT_PARAMS[key] for key in TEXT_PARAMS if key not in OF_A_REQUEST},
        "tags": ["told"],
        "models": ["a text model"],
    }
    for kind, body in (("image", image), ("text", text)):
        made = (await call("POST", f"styles/{kind}", body))["id"]
        by_id = f"styles/{kind}/{{style_id}}"
        if kind == "image":
            await examples(visitor, made)
            await collections(visitor, made)
        await call("PATCH", by_id, {"name": body["name"], "info": "changed since"}, style_id=made)
        await call("GET", f"styles/{kind}", key=None)
        await call("GET", by_id, style_id=made, key=None)
        by_name = f"styles/{kind}_by_name/{{style_name}}"
        await call("GET", by_name, style_name=body["name"], key=None)
        await call("DELETE", by_id, style_id=made)


async def examples(visitor, style):
    """Examples of a style, of which one stays."""
    call, path = visitor.call, "styles/image/{style_id}/example"
    for name in ("one", "another"):
        shown = {"url": f"https://example.com/{name}.webp", "primary": name == "one"}
        made = (await call("POST", path, shown, style_id=style))["id"]
    values = {"style_id": style, "example_id": made}
    await call("PATCH", path + "/{example_id}", {"primary": True}, **values)
    await visitor.call("GET", "styles/image/{style_id}", style_id=style, key=None)
    await call("DELETE", path + "/{example_id}", **values)


async def collections(visitor, style):
    """A collection of one style."""
    call, by_id = visitor.call, "collections/{collection_id}"
    body = {"name": "A collection", "info": "of paintings", "styles": [style]}
    made = (await call("POST", "collections", body))["id"]
    await call("PATCH", by_id, {**body, "info": "of few"}, collection_id=made)
    await call("GET", "collections", key=None)
    await call("GET", by_id, collection_id=made, key=None)
    named = {"collection_name": body["name"]}
    await call("GET", "collection_by_name/{collection_name}", key=None, **named)
    await call("DELETE", by_id, collection_id=made)


async def moderation(visitor):
    """Filters, addresses, modes."""
    call = visitor.call
    body = {"regex": "a bad word", "filter_type": 10, "description": "a visit's"}
    made = (await call("PUT", "filters", {**body, "replacement": "a good one"}))["id"]
    await call("PATCH", "filters/{filter_id}", {"description": "changed"}, filter_id=made)
    await call("POST", "filters", {"prompt": "this is a bad word"})
    await call("GET", "filters")
    await call("GET", "filters/regex")
    await call("GET", "filters/{filter_id}", filter_id=made)
    await call("DELETE", "filters/{filter_id}", filter_id=made)
    for address in (ADDRESS, "203.0.113.0/24"):
        await call("POST", "operations/ipaddr", {"ipaddr": address, "hours": 1})
    await call("GET", "operations/ipaddr")
    await call("GET", "operations/ipaddr/{ipaddr}", ipaddr=ADDRESS)
    await call("DELETE", "operations/ipaddr", {"ipaddr": ADDRESS})
    for mode in ("maintenance_mode", "invite_only_mode", "raid_mode"):
        for switch in (True, False):
            await call("PUT", "status/modes", {mode: switch})
    await call("GET", "status/modes", key=None)
    await call("GET", "status/modes")


async def overview(visitor):
    """What anybody may read."""
    for path in ("heartbeat", "performance", "news"):
        await visitor.call("GET", f"status/{path}", key=None)
    for kind in ("img", "text"):
        for path in ("totals", "models"):
            await visitor.call("GET", f"stats/{kind}/{path}", key=None)
    for name in ("privacy", "sponsors", "terms"):
        for form in ("html", "markdown"):
            await visitor.call("GET", f"documents/{name}", query=f"?format={form}", key=None)
