"""Procedures that make nothing new: what is running, fetching, cancelling, doing it once more."""

import time
from typing import Any

from gi.repository import Gimp

from stable_horde import VERSION, regions
from stable_horde.errors import Trouble
from stable_horde.gimp3 import drawing, results
from stable_horde.gimp3.tasks import WITH_LAYER, Call, Order, Task
from stable_horde.left import Record
from stable_horde.places import Place
from stable_horde.settings import Settings
from stable_horde.wanted import Wanted, read
from stable_horde.words import _, ngettext


class Repeat(Task):
    """A result once more, by the parameters that are stored with its layer."""

    name = "repeat"
    label = _("Re_peat…")
    blurb = _("Have a horde make the selected result once more, with the parameters that made it")
    sensitivity = WITH_LAYER

    def prefill(self, call: Call) -> dict[str, Any]:
        """What is stored with the layer, but for the seed."""
        wanted, _task, _place = stored_with(call.layer)
        return {
            "prompt": wanted.prompt,
            "negative-prompt": wanted.negative,
            "model": wanted.model,
            "style": wanted.style,
            "steps": wanted.steps,
            "cfg": wanted.cfg,
            "seed": "",
            "loras": wanted.loras,
            "post-processing": wanted.post_processing,
        }

    def size(self, call: Call) -> tuple[int, int]:
        """The size of the result's region."""
        _wanted, _task, region = self._stored(call)
        return region.sent

    def order(self, call: Call) -> Order:
        """By what is stored, and what was given instead of it."""
        wanted, task, region = self._stored(call)
        if task == "generate":
            place = Place(region, above=call.layer.get_id())
            body = wanted.body(*region.sent)
            return Order(task, wanted, body, place, call.opened, total=wanted.n)
        return drawing.repeated(
            Call(call.image, call.drawables, wanted, call.options, call.settings), region
        )

    def _stored(self, call: Call) -> tuple[Wanted, str, regions.Region]:
        stored, task, place = stored_with(call.layer)
        if place.region is None:
            raise Trouble(_("This result cannot be repeated: it was made out of another picture."))
        return call.wanted.over(stored), task, place.region


def stored_with(layer: Gimp.Layer) -> tuple[Wanted, str, Place]:
    """What is stored with a result: parameters, its task, its place. Raises Trouble."""
    parasite = layer.get_parasite(results.PARASITE)
    if parasite is None:
        raise Trouble(_("No parameters are stored with this layer."))
    said = read(bytes(parasite.get_data()).decode(errors="replace"))
    place = said.get("place")
    if not isinstance(place, dict):
        raise Trouble(_("What is stored here cannot be read."))
    return Wanted.of_stored(said.get("wanted")), str(said.get("task")), Place.of_stored(place)


def overview(chosen: Settings) -> str:
    """The horde and the account, in lines. Blocking; raises Trouble."""
    horde = chosen.horde()
    version = horde.heartbeat()
    user = horde.user()
    models = sorted(
        (model for model in horde.models() if model.get("count")),
        key=lambda model: -int(model["count"]),
    )
    lines = (
        _("{site}, version {version}").format(site=horde.site, version=version),
        _("This plug-in, version {version}").format(version=VERSION),
        _("{name}: {kudos} kudos").format(
            name=user.get("username", "?"), kudos=f"{user.get('kudos', 0):g}"
        ),
        _("Models: {names}").format(
            names=", ".join(str(model["name"]) for model in models[:10]) or _("none are online")
        ),
    )
    return "\n".join(lines)


def waiting_line(record: Record) -> str:
    """One request that is left, in a line."""
    minutes = max(0, round((time.time() - record.asked) / 60))
    ago = ngettext("{n} minute ago", "{n} minutes ago", minutes).format(n=minutes)
    parts = [record.id, record.task, str(record.wanted.get("prompt", ""))[:40], ago]
    if record.delivered:
        parts.append(_("its image was closed"))
    return " · ".join(parts)
