"""The REST API of the fake."""

import json
import re
import time

from aiohttp import web

from fake_discord.buckets import Buckets
from fake_discord.gateway import Gateway
from fake_discord.limits import (
    CHAT_INPUT,
    Refused,
    check_choices,
    check_commands,
    check_modal,
)
from fake_discord.messages import Messages
from fake_discord.runs import Run
from fake_discord.world import EPHEMERAL, LOADING, World, snowflake

API = "/api/v10"
MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
FILE = re.compile(r"files\[(\d+)\]")
LIMITED = re.compile(r"/api/v10/(channels/\d+/messages|webhooks/\d+/[^/]+)")


def answer(data, status: int = 200) -> web.Response:
    # A client parses JSON only if the header is exactly this, without a charset.
    headers = {"Content-Type": "application/json"}
    return web.Response(body=json.dumps(data).encode(), status=status, headers=headers)


class Api:
    """failing: how many of the next calls get a 500. holding: seconds before callbacks count."""

    def __init__(self, world: World, gateway: Gateway) -> None:
        self.world, self.gateway = world, gateway
        self.messages = Messages(world)
        self.buckets = Buckets()
        self.failing = 0

    def application(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[self._middleware])
        hook, channel = f"{API}/webhooks/{{app}}/{{token}}", f"{API}/channels/{{channel}}"
        message = f"{channel}/messages/{{message}}"
        role = f"{API}/guilds/{{guild}}/members/{{user}}/roles/{{role}}"
        routes = [
            ("GET", "/gateway", self.gateway.handle),
            ("GET", "/gateway/", self.gateway.handle),
            ("GET", "/cdn/{id}/{name}", self._file),
            ("GET", "/{kind:avatars|embed|icons}/{rest:.*}", self._avatar),
            ("GET", f"{API}/users/@me", self._me),
            ("GET", f"{API}/oauth2/applications/@me", self._application),
            ("GET", f"{API}/applications/@me", self._application),
            ("GET", f"{API}/gateway/bot", self._gateway),
            ("PUT", f"{API}/applications/{{app}}/commands", self._put_commands),
            ("GET", f"{API}/applications/{{app}}/commands", self._get_commands),
            ("PUT", f"{API}/applications/{{app}}/guilds/{{guild}}/commands", self._put_commands),
            ("POST", f"{API}/interactions/{{id}}/{{token}}/callback", self._callback),
            ("POST", hook, self._followup),
            ("*", f"{hook}/messages/{{message}}", self._hook_message),
            ("GET", channel, self._channel),
            ("POST", f"{channel}/messages", self._post),
            ("*", message, self._message),
            ("PUT", f"{message}/reactions/{{emoji}}/@me", self._nothing),
            ("DELETE", f"{message}/reactions/{{emoji}}/{{user}}", self._unreact),
            ("POST", f"{channel}/threads", self._thread),
            ("POST", f"{message}/threads", self._thread),
            ("POST", f"{API}/users/@me/channels", self._open_dm),
            ("GET", f"{API}/users/{{user}}", self._user),
            ("GET", f"{API}/guilds/{{guild}}/members/{{user}}", self._member),
            ("PUT", role, self._role),
            ("DELETE", role, self._role),
        ]
        for method, path, handler in routes:
            app.router.add_route(method, path, handler)
        return app

    @web.middleware
    async def _middleware(self, request: web.Request, handler):
        path = request.path
        headers: dict[str, str] = {}
        if path.startswith(API):
            self.world.requests.append((request.method, path))
        try:
            self._fail(path)
            free = "/interactions/" in path or "/webhooks/" in path
            if path.startswith(API) and not free:
                self._authorized(request)
            if (limited := LIMITED.match(path)) and request.method in {"POST", "PATCH"}:
                headers = self._limited(limited[0])
            response = await handler(request)
            if headers:
                response.headers.update(headers)
        except Refused as refused:
            if refused.status not in {429, 500}:
                self.world.problems.append(f"{request.method} {path}: {refused.message}")
            body = {"message": refused.message, "code": refused.code, **refused.more}
            response = answer(body, refused.status)
            response.headers.update(refused.more.pop("headers", {}))
            return response
        except web.HTTPNotFound:
            self.world.problems.append(f"the fake has no {request.method} {path}")
            return answer({"message": "404: Not Found", "code": 0}, 404)
        else:
            return response
        finally:
            await self.world.tell()

    def _fail(self, path: str) -> None:
        if self.failing and path.startswith(API) and "/gateway" not in path:
            self.failing -= 1
            raise Refused(500, 0, "500: Internal Server Error")

    def _authorized(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != "Bot fake.bot.token":
            raise Refused(401, 0, "401: Unauthorized")

    def _limited(self, bucket: str) -> dict[str, str]:
        headers, wait = self.buckets.hit(bucket)
        if wait is not None:
            headers["Retry-After"] = f"{wait:.3f}"
            raise Refused(
                429, 0, "You are being rate limited.", retry_after=wait, headers=headers,
                **{"global": False},
            )  # fmt: skip
        return headers

    async def _body(self, request: web.Request) -> tuple[dict, list[dict]]:
        if not request.content_type.startswith("multipart/"):
            raw = await request.read()
            return (json.loads(raw) if raw else {}), []
        body, files = {}, []
        async for part in await request.multipart():
            if part.name == "payload_json":
                body = json.loads(await part.text())
                continue
            match = FILE.match(part.name or "")
            files.append(
                {
                    "index": int(match[1]) if match else len(files),
                    "filename": part.filename,
                    "data": bytes(await part.read(decode=False)),
                    "content_type": part.headers.get("Content-Type", "application/octet-stream"),
                }
            )
        return body, files

    # Who the bot is, and its commands

    async def _me(self, _request):
        return answer(self.world.bot)

    async def _application(self, _request):
        return answer(
            {
                "id": self.world.application_id, "name": "horde", "icon": None, "description": "",
                "summary": "", "bot_public": True, "bot_require_code_grant": False,
                "verify_key": "", "flags": 0, "owner": self.world.alice, "team": None,
                "rpc_origins": [], "interactions_endpoint_url": None,
            }
        )  # fmt: skip

    async def _gateway(self, _request):
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        url = f"{self.world.base.replace('http', 'ws')}/gateway"
        return answer({"url": url, "shards": 1, "session_start_limit": limit})

    async def _put_commands(self, request):
        guild = request.match_info.get("guild")
        body, _ = await self._body(request)
        check_commands(body)
        usual = {"type": CHAT_INPUT, "default_member_permissions": None, "description": ""}
        usual["application_id"] = self.world.application_id
        self.world.commands[guild] = [
            {"id": snowflake(), "version": snowflake(), **usual, **command} for command in body
        ]
        self.world.syncs += 1
        return answer(self.world.commands[guild])

    async def _get_commands(self, _request):
        return answer(self.world.commands[None])

    # What an interaction's token allows

    def _live(self, token: str) -> Run:
        run = self.world.runs.get(token)
        if run is None:
            raise Refused(404, 10015, "Unknown Webhook")
        if time.monotonic() - run.started > self.world.token_life:
            raise Refused(401, 50027, "Invalid Webhook Token")
        return run

    async def _callback(self, request):
        run = self.world.runs.get(request.match_info["token"])
        body, files = await self._body(request)
        if run is None or time.monotonic() - run.started > self.world.response_deadline:
            raise Refused(404, 10062, "Unknown interaction")
        if run.is_answered:
            raise Refused(400, 40060, "Interaction has already been acknowledged.")
        kind, data = body["type"], body.get("data") or {}
        self._take(run, kind, data, files)
        run.answer(kind)
        info = {"id": run.id, "type": run.payload["type"], "channel_id": run.payload["channel_id"]}
        resource = {"type": kind}
        if run.original is not None:
            run.note(run.original)
            ephemeral = bool(run.original["flags"] & EPHEMERAL)
            info |= {"response_message_id": run.original["id"]}
            info |= {"response_message_ephemeral": ephemeral}
            info |= {"response_message_loading": bool(run.original["flags"] & LOADING)}
            resource["message"] = run.original
        if request.query.get("with_response") in {"1", "true"}:
            return answer({"interaction": info, "resource": resource})
        return web.Response(status=204)

    def _take(self, run: Run, kind: int, data: dict, files: list[dict]) -> None:
        channel = run.payload["channel_id"]
        if kind == MESSAGE:
            run.original = self.messages.make(channel, data, files, run=run)
        elif kind == DEFERRED:
            run.original = self.messages.blank(channel, run)
            run.original["flags"] = data.get("flags", 0) | LOADING
            self.world.messages[run.original["id"]] = run.original
        elif kind == DEFERRED_UPDATE:
            run.original = self.world.messages[run.payload["message"]["id"]]
        elif kind == UPDATE:
            run.original = self.world.messages[run.payload["message"]["id"]]
            self.messages.edit(run.original, data, files)
        elif kind == CHOICES:
            check_choices(data["choices"])
            run.choices = data["choices"]
        elif kind == MODAL:
            if run.payload["type"] == 5:
                raise Refused(400, 50035, "a modal cannot answer a modal")
            check_modal(data)
            run.modal = data

    async def _followup(self, request):
        run = self._live(request.match_info["token"])
        body, files = await self._body(request)
        if not run.is_answered:
            raise Refused(404, 10015, "Unknown Webhook")
        first = run.original
        if first is not None and first["flags"] & LOADING and not first.get("deleted"):
            return answer(self.messages.edit(first, body, files))  # it fills what was deferred
        message = self.messages.make(run.payload["channel_id"], body, files, run=run)
        run.followups.append(message)
        return answer(message)

    async def _hook_message(self, request):
        run = self._live(request.match_info["token"])
        number = request.match_info["message"]
        message = run.original if number == "@original" else self.world.messages.get(number)
        if message is None or message.get("deleted"):
            raise Refused(404, 10008, "Unknown Message")
        return await self._on_message(request, message)

    async def _on_message(self, request, message: dict):
        if request.method == "DELETE":
            self.messages.delete(message)
            return web.Response(status=204)
        if request.method == "PATCH":
            self.messages.edit(message, *await self._body(request))
        return answer(message)

    # Channels, members and files

    async def _channel(self, request):
        return answer(self.messages.channel(request.match_info["channel"]))

    async def _post(self, request):
        channel = self.messages.channel(request.match_info["channel"], to_write=True)
        return answer(self.messages.make(channel["id"], *await self._body(request)))

    async def _message(self, request):
        self.messages.channel(request.match_info["channel"])
        message = self.messages.find(request.match_info["message"])
        return await self._on_message(request, message)

    async def _nothing(self, _request):
        return web.Response(status=204)

    async def _unreact(self, request):
        message = self.messages.find(request.match_info["message"])
        taken = (request.match_info["emoji"], request.match_info["user"])
        message.setdefault("removed_reactions", []).append(taken)
        return web.Response(status=204)

    async def _thread(self, request):
        body, _ = await self._body(request)
        parent = self.messages.channel(request.match_info["channel"], to_write=True)
        thread = self.world.add_thread(body["name"], parent)
        return answer(thread, 201)

    async def _open_dm(self, request):
        body, _ = await self._body(request)
        return answer(self.world.dm_of(str(body["recipient_id"])))

    async def _user(self, request):
        user = self.world.users.get(request.match_info["user"])
        if user is None:
            raise Refused(404, 10013, "Unknown User")
        return answer(user)

    async def _member(self, request):
        user = self.world.users.get(request.match_info["user"])
        if user is None or request.match_info["guild"] not in self.world.guilds:
            raise Refused(404, 10007, "Unknown Member")
        return answer(self.world.member(user))

    async def _role(self, request):
        roles = self.world.roles[request.match_info["user"]]
        role = request.match_info["role"]
        if request.method == "PUT" and role not in roles:
            roles.append(role)
        elif request.method == "DELETE" and role in roles:
            roles.remove(role)
        return web.Response(status=204)

    async def _file(self, request):
        data = self.world.blobs.get(request.match_info["id"])
        return web.Response(status=404) if data is None else web.Response(body=data)

    async def _avatar(self, _request):
        return web.Response(body=self.world.blobs.get("avatar", b""), content_type="image/png")
