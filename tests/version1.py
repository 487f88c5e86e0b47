"""A horde of 2022 for tests: calls by version 1, and a server (today's worker)."""

import base64
import dataclasses

import pictures
import serving
from serving import ANONYMOUS

PICTURE = base64.b64encode(pictures.WEBP).decode()
SMALL = {"n": 1, "width": 64, "height": 64, "steps": 1}


@dataclasses.dataclass(frozen=True)
class V1:
    """An app, called by version 1. prefix: where."""

    app: serving.InProcess
    prefix: str = "/api/v1"

    async def post(self, path, **arguments):
        return await self.app.http.post(self.prefix + path, json=arguments)

    async def put(self, path, **arguments):
        return await self.app.http.put(self.prefix + path, json=arguments)

    async def get(self, path):
        return await self.app.http.get(self.prefix + path)

    async def ask(self, *, api_key=ANONYMOUS, **arguments):
        """Ask for a small picture; the request's id."""
        wanted = {"prompt": "a red fox", "params": SMALL, "api_key": api_key, **arguments}
        answer = await self.post("/generate/async", **wanted)
        assert answer.status_code == 200, answer.text
        return answer.json()["id"]


@dataclasses.dataclass(frozen=True)
class Server:
    """A program of 2022 that makes pictures."""

    horde: V1
    owner: serving.Person
    name: str = "A server"

    async def pop(self, **arguments):
        offer = {"name": self.name, "api_key": self.owner.key, "max_pixels": 512 * 512}
        return await self.horde.post("/generate/pop", **offer | arguments)

    async def submit(self, job_id, **arguments):
        made = {"id": job_id, "api_key": self.owner.key, "generation": PICTURE, "seed": 7}
        return await self.horde.post("/generate/submit", **made | arguments)

    async def serve(self):
        """Make one picture; the answer to its submission."""
        return await self.submit((await self.pop()).json()["id"])

    async def id(self):
        (own,) = [
            one for one in (await self.horde.get("/servers")).json() if one["name"] == self.name
        ]
        return own["id"]
