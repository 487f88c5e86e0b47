"""`status/…`: the state of the horde."""

from collections.abc import Mapping
from functools import partial

from quart import Blueprint, request
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from core.api import context
from core.api.kept import Encoded, encoded
from core.api.operation import by_address, operation
from core.api.v2 import model_state
from core.db import now
from core.errors import Invalid
from core.generation.horde import Horde
from core.kinds.params import MEGA
from core.queue import totals
from core.queue.crews import OnlineWorker
from core.version import VERSION
from core.wire.status import ActiveModel, HordeHeartbeat, HordePerformance
from core.workers.online import NO_CAPACITY, Capacity

blueprint = Blueprint("status", __name__)

NOBODY_SECONDS = 10_000
"""The eta of a model that is asked for but that nobody offers."""


@blueprint.get("/status/heartbeat")
@operation(answers={200: HordeHeartbeat})
async def heartbeat() -> HordeHeartbeat | Encoded:
    """See whether this server works."""
    try:
        return await context.server().answers.get("heartbeat", _beat)
    except (SQLAlchemyError, OSError, TimeoutError):
        return HordeHeartbeat(message="DOWN", version=VERSION, db_connection=False)


async def _beat() -> Encoded:
    """The good answer, once the database has answered."""
    async with context.server().database.reading() as session:
        await session.execute(select(1))
    return encoded(HordeHeartbeat(message="OK", version=VERSION, active_count=1, threads=1))


@blueprint.get("/status/performance")
@operation(answers={200: HordePerformance}, limit=by_address())
async def performance() -> Encoded:
    """See the queues and who works on them."""
    return await context.server().answers.get("performance", _performance, of=_counted)


def _counted() -> float:
    """When waiting jobs were counted: that changes both answers."""
    return context.server().horde.counts.read_at


async def _performance() -> Encoded:
    horde = context.server().horde
    async with context.server().database.reading() as session:
        await horde.online.refresh(session, at=now())
        queued = await totals.queued(session, horde.lanes, horde.counts)
        made = await totals.past_minute(session, at=now())
    kinds = {kind: [s for s in horde.online.serving if s.offer.kind == kind] for kind in _KINDS}
    image, text, alchemy = (kinds[kind] for kind in _KINDS)
    told = HordePerformance(
        queued_requests=queued["image"].jobs,
        queued_text_requests=queued["text"].jobs,
        worker_count=len(image),
        text_worker_count=len(text),
        thread_count=_threads(image),
        text_thread_count=_threads(text),
        queued_megapixelsteps=round(queued["image"].things / MEGA, 2),
        past_minute_megapixelsteps=round(made["image"].things / MEGA, 2),
        queued_forms=float(queued["alchemy"].jobs),
        interrogator_count=len(alchemy),
        interrogator_thread_count=_threads(alchemy),
        queued_tokens=float(queued["text"].things),
        past_minute_tokens=float(made["text"].things),
    )
    return encoded(told)


_KINDS = ("image", "text", "alchemy")


@blueprint.get("/status/models")
@operation(
    answers={200: list[ActiveModel]},
    limit=by_address(),
    query={
        "type": "image or text",
        "min_count": "least threads",
        "max_count": "most threads",
        "model_state": "known, custom or all",
    },
    errors=(400,),
)
async def models() -> list[ActiveModel] | Encoded:
    """List the models that are offered, and known ones that are asked for."""
    kind = request.args.get("type") or "image"
    state = model_state.asked("all")
    if kind not in ("image", "text"):
        raise Invalid("type has to be image or text.")
    least, most = (_number(name) for name in ("min_count", "max_count"))
    if least is None and most is None:
        name, make = f"models {kind} {state}", partial(_listed, kind, state)
        return await context.server().answers.get(name, make, of=_counted)
    return [
        model
        for model in await _models(kind)
        if (least is None or model.count >= least)
        and (most is None or model.count <= most)
        and model_state.is_in(state, kind, model.name)
    ]


async def _listed(kind: str, state: str) -> Encoded:
    found = await _models(kind)
    return encoded([model for model in found if model_state.is_in(state, kind, model.name)])


@blueprint.get("/status/models/<path:model_name>")
@operation(answers={200: list[ActiveModel]}, limit=by_address())
async def model(model_name: str) -> list[ActiveModel]:
    """See one model: a list of one, or of none."""
    both = [*await _models("image"), *await _models("text")]
    return [one for one in both if one.name == model_name]


def _number(name: str) -> int | None:
    text = request.args.get(name)
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()):
        raise Invalid(f"{name} has to be a number.")
    return int(text[:9])


async def _models(kind: str) -> list[ActiveModel]:
    horde = context.server().horde
    async with context.server().database.reading() as session:
        await horde.online.refresh(session, at=now())
        await horde.lanes.update(session)
        await horde.counts.refresh(session, horde.lanes)
    offered, waiting = horde.online.capacities(kind), _waiting(horde, kind)
    # Requests can name any text as a model: only names that others vouch for are listed.
    named = offered.keys() | (waiting.keys() & model_state.names(kind))
    return [
        _active(name, kind, offered.get(name, NO_CAPACITY), waiting.get(name, (0, 0)))
        for name in sorted(named)
    ]


def _waiting(horde: Horde, kind: str) -> Mapping[str, tuple[float, float]]:
    """Waiting jobs and their size by model; a job that names several counts in part for each."""
    counted: dict[str, tuple[float, float]] = {}
    counts = horde.counts
    in_lanes = [
        (needs, counts.jobs.get(lane_id, 0), counts.things.get(lane_id, 0))
        for lane_id, needs in horde.lanes.least_needs().items()
    ]
    for needs, jobs, things in (*in_lanes, *counts.parked):
        if needs.kind == kind and jobs:
            share = 1 / max(1, len(needs.models))
            for name in needs.models:
                had = counted.get(name, (0.0, 0.0))
                counted[name] = (had[0] + jobs * share, had[1] + things * share)
    return counted


def _active(name: str, kind: str, offered: Capacity, waiting: tuple[float, float]) -> ActiveModel:
    jobs, things = waiting
    if offered.pace is None:
        eta = NOBODY_SECONDS if jobs else 0
    else:
        eta = round(offered.pace.seconds(jobs, things))
    return ActiveModel(
        name=name,
        type=kind,
        count=offered.threads,
        performance=round(offered.speed / offered.threads, 1) if offered.threads else 0.0,
        queued=float(round(things)),
        jobs=float(round(jobs, 2)),
        eta=eta,
    )


def _threads(servers: list[OnlineWorker]) -> int:
    return sum(server.threads for server in servers)
