"""`stats/…`: how much the horde has made, and with which models."""

from collections.abc import Mapping
from typing import NamedTuple

from quart import Blueprint

from core.api import context
from core.api.kept import Encoded, encoded
from core.api.operation import by_address, operation
from core.api.v2 import model_state
from core.db import now
from core.queue import totals as queue_totals
from core.stats import totals
from core.wire.stats import (
    ImgModelStats,
    SinglePeriodImgStat,
    SinglePeriodTxtStat,
    StatsImgTotals,
    StatsTxtTotals,
    TxtModelStats,
)

blueprint = Blueprint("stats", __name__)


@blueprint.get("/stats/img/totals")
@operation(answers={200: StatsImgTotals}, limit=by_address())
async def image_totals() -> Encoded:
    """See how many pictures were made."""
    sums = await _totals("image")
    periods = {
        period: SinglePeriodImgStat(images=made, ps=things)
        for period, (made, things) in sums.items()
    }
    return encoded(StatsImgTotals(**periods))


@blueprint.get("/stats/text/totals")
@operation(answers={200: StatsTxtTotals}, limit=by_address())
async def text_totals() -> Encoded:
    """See how many texts were written."""
    sums = await _totals("text")
    periods = {
        period: SinglePeriodTxtStat(requests=made, tokens=things)
        for period, (made, things) in sums.items()
    }
    return encoded(StatsTxtTotals(**periods))


@blueprint.get("/stats/img/models")
@operation(
    answers={200: ImgModelStats},
    limit=by_address(),
    query={"model_state": "known, custom or all"},
    errors=(400,),
)
async def image_models() -> Encoded:
    """See how many pictures each model made."""
    return encoded(ImgModelStats(**await _models("image", model_state.asked("known"))))


@blueprint.get("/stats/text/models")
@operation(answers={200: TxtModelStats}, limit=by_address())
async def text_models() -> Encoded:
    """See how many texts each model wrote."""
    return encoded(TxtModelStats(**await _models("text", "all")))


class _Sum(NamedTuple):
    made: int
    things: int


async def _totals(kind: str) -> Mapping[str, _Sum]:
    at = now()
    async with context.server().database.reading() as session:
        minute = (await queue_totals.past_minute(session, at=at))[kind]
        longer = await totals.periods(session, kind, at=at)
    return {"minute": _Sum(*minute)} | {period: _Sum(*found) for period, found in longer.items()}


async def _models(kind: str, state: str) -> Mapping[str, dict[str, int]]:
    async with context.server().database.reading() as session:
        found = await totals.by_model(session, kind, at=now())
    return {
        period: {
            name: made for name, made in models.items() if model_state.is_in(state, kind, name)
        }
        for period, models in found.items()
    }
