"""Fills a queue by SQL with requests as people make them.

A dozen models of which few are asked for most, several sizes and steps, some unsafe for work: some
hundred lanes, most jobs in few of them; and hundreds of users, none of whom may have many waiting.
"""

import random
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update

from benchmarks.engines import Engine
from core.catalog import models as catalog
from core.db import Database, Reading, now, table
from core.kinds.image import ImageParams
from core.queue.lane_rows import APART
from core.queue.lanes import Lanes
from core.queue.matching import Needs
from core.queue.tables import WAITING, AttemptRow, Job, JobState, Lane, Outcome, RequestRow
from core.users import directory
from core.users.keys import Keyring

MODELS = tuple(name for name, model in catalog.known().items() if not model.inpainting)[:12]
UNASKED = "Z-Image-Turbo"
"""A model that nobody asks for."""
WORD, RARE_WORD = "lighthouse", "harbour"
"""In every prompt but those of the few jobs behind all others; in those."""
BEHIND = 60
SIDES = ((512, 512), (512, 768), (768, 768), (832, 1216), (1024, 1024))
STEPS = (20, 25, 30, 40)
BATCH = 2_000
LIFE = timedelta(days=1)
USERS = 400
COUNTS = (1, 1, 2, 4, 8)
"""Pictures of a request."""
NSFW_PART = 0.3
MAX_RANK = 10**6
TERMS = {"version": 1, "price": 760, "tax": 100, "slow_workers": True, "worker_blacklist": False}

_requests, _jobs, _attempts, _lanes = table(RequestRow), table(Job), table(AttemptRow), table(Lane)


class _Sort(NamedTuple):
    """What requests of one sort have in common."""

    lane_id: int
    params: dict[str, Any]
    needs: dict[str, Any]
    things: int


@dataclass(slots=True)
class Filler:
    """Adds waiting jobs, the same ones in every run."""

    engine: Engine
    waiting: int = 0
    _users: list[int] = field(default_factory=list)
    _chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311
    _lanes: Lanes = field(default_factory=lambda: Lanes(max_lanes=2_000))
    _sorts: dict[tuple[object, ...], _Sort] = field(default_factory=dict)

    def fill(self, depth: int) -> None:
        """Add jobs until so many wait."""
        self.engine.run(self._fill(depth))

    def put_back(self) -> None:
        """Let what was popped wait again."""
        self.engine.run(self._put_back())

    async def _fill(self, depth: int) -> None:
        async with self.engine.opened() as database:
            if not self.waiting:
                await self._add_behind(database)
            if len(self._users) < min(USERS, depth):
                await self._add_users(database, min(USERS, depth))
            while self.waiting < depth:
                requests: list[dict[str, Any]] = []
                jobs: list[dict[str, Any]] = []
                async with database.writing() as session:
                    while (missing := min(depth - self.waiting, BATCH) - len(jobs)) > 0:
                        n = min(missing, self._chance.choice(COUNTS))
                        request, its_jobs = await self._request(session, n)
                        requests.append(request)
                        jobs.extend(its_jobs)
                    await session.execute(insert(_requests), requests)
                    await session.execute(insert(_jobs), jobs)
                self.waiting += len(jobs)
        await self.engine.tidy()

    async def _add_users(self, database: Database, count: int) -> None:
        keyring = Keyring(secrets.token_bytes())  # nobody asks in their names
        async with database.writing() as session:
            for number in range(len(self._users), count):
                user, _ = await directory.create(
                    session, keyring, username="Somebody", oauth_id=f"filled-{number}"
                )
                self._users.append(user.id)

    async def _add_behind(self, database: Database) -> None:
        """Add the jobs behind all others, for workers that refuse what is in those."""
        await self._add_users(database, 1)
        async with database.writing() as session:
            for _ in range(BEHIND):
                request, (job,) = await self._request(session, 1, RARE_WORD)
                await session.execute(insert(_requests), request)
                await session.execute(insert(_jobs), {**job, "rank": MAX_RANK})

    def together(self) -> int:
        """How many jobs wait in lanes that say nothing of their words."""
        return self.engine.run(self._together())

    async def _together(self) -> int:
        together = ~_lanes.c.key.startswith(APART)
        count = (
            select(func.count())
            .join(_lanes, _lanes.c.id == _jobs.c.lane_id)
            .where(_jobs.c.state == WAITING, together)
        )
        async with self.engine.opened() as database, database.reading() as session:
            found: int = (await session.execute(count)).scalar_one()
            return found

    async def _put_back(self) -> None:
        async with self.engine.opened() as database, database.writing() as session:
            await session.execute(delete(_attempts).where(_attempts.c.outcome == Outcome.ALIVE))
            await session.execute(
                update(_jobs)
                .where(_jobs.c.state == JobState.PROCESSING)
                .values(state=JobState.WAITING)
            )

    async def _request(
        self, session: Reading, n: int, word: str = WORD
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        sort = await self._sort(session)
        user_id, at = self._chance.choice(self._users), now()
        request = {
            "id": UUID(int=self._chance.getrandbits(128), version=4),
            "kind": "image",
            "user_id": user_id,
            "client_agent": "bench:1:",
            "created_at": at,
            "expires_at": at + LIFE,
            "n": n,
            "prompt": f"a {word} at dawn, highly detailed ### blurry, text",
            "words": f"a {word} at dawn, highly detailed ### blurry, text",
            "params": sort.params,
            "needs": sort.needs,
            "terms": TERMS,
        }
        rank, seed = self._chance.randrange(MAX_RANK), self._chance.getrandbits(31)
        jobs = [
            {
                "request_id": request["id"],
                "number": number,
                "lane_id": sort.lane_id,
                "user_id": user_id,
                "rank": rank,
                "things": sort.things,
                "seed": seed + number,
                "state": JobState.WAITING,
                "faults": 0,
            }
            for number in range(n)
        ]
        return request, jobs

    async def _sort(self, session: Reading) -> _Sort:
        popular = [1 / rank for rank in range(1, len(MODELS) + 1)]  # Zipf's law
        (model,) = self._chance.choices(MODELS, popular)
        width, height = self._chance.choice(SIDES)
        steps, nsfw = self._chance.choice(STEPS), self._chance.random() < NSFW_PART
        key = model, width, height, steps, nsfw
        if key not in self._sorts:
            params = ImageParams(width=width, height=height, steps=steps)
            needs = Needs(
                models=frozenset({model}),
                features=params.features(catalog.baselines([model])),
                nsfw=nsfw,
                covered=True,
                pixels=params.pixels,
                steps=params.effective_steps,
            )
            lane_id = await self._lanes.lane_for(session, needs)
            self._sorts[key] = _Sort(lane_id, params.to_json(), needs.to_json(), params.things)
        return self._sorts[key]
