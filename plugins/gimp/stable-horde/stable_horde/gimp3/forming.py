"""Tasks that ask for forms of a picture: an upscaled copy, its background taken away, its words."""

import base64
from typing import Any

from gi.repository import Gimp

from stable_horde import described, kinds, regions
from stable_horde.errand import Outcome
from stable_horde.errors import NotMade, Trouble
from stable_horde.gimp3 import pictures, results
from stable_horde.gimp3.arguments import FLAGS
from stable_horde.gimp3.drawing import add_source
from stable_horde.gimp3.tasks import WITH_LAYER, Call, Delivered, Order, Task
from stable_horde.places import Place
from stable_horde.regions import Region
from stable_horde.wanted import UPSCALERS, Wanted
from stable_horde.words import _

MAX_SIDE = regions.MAX_SIDE
LOOKED_AT = 512
"""Words about a picture need no more of it on a side, and every alchemist takes that much."""
COMMENT = "gimp-comment"


class _Forms(Task):
    has_prompt = False

    def size(self, call: Call) -> tuple[int, int]:
        """The size of what is sent."""
        return self._region(call).sent

    def _region(self, call: Call) -> Region:
        """The whole layer or canvas as it is. Raises Trouble where that is too large."""
        box = self._box(call)
        if max(box.width, box.height) > MAX_SIDE:
            raise Trouble(
                _("This has {width} x {height} pixels; a horde takes {most} on each side.").format(
                    width=box.width, height=box.height, most=MAX_SIDE
                )
            )
        size = (box.width, box.height)
        return Region(box, size, size)

    def _box(self, call: Call) -> regions.Box:
        if call.options.get("source", "layer") == "layer":
            return pictures.whole(call.layer)
        return call.canvas

    def _read(self, call: Call, region: Region) -> bytes:
        if call.options.get("source", "layer") == "layer":
            return pictures.layer(call.layer, region).picture
        return pictures.visible(call.opened, region, with_selection=False).picture


class Upscale(_Forms):
    """The same picture with more pixels."""

    name = "upscale"
    label = _("_Upscale…")
    blurb = _("Have a horde enlarge the image or a layer, with detail that fits it")
    options = ("upscaler", "source", "as-layer")

    def add_options(self, procedure: Gimp.Procedure) -> None:
        """By which network, of what, and where it goes."""
        choice = Gimp.Choice.new()
        for number, name in enumerate(UPSCALERS):
            choice.add(name, number, name, "")
        procedure.add_choice_argument(
            "upscaler", _("_Network"), _("What enlarges it"), choice, UPSCALERS[0], FLAGS
        )
        add_source(procedure, ("visible", "layer"))
        procedure.add_boolean_argument(
            "as-layer",
            _("As a layer of the same si_ze"),
            _("Put it back to scale, finer than it was, instead of making a larger image"),
            False,
            FLAGS,
        )

    def order(self, call: Call) -> Order:
        """Send it as it is."""
        region = self._region(call)
        body = _body(self._read(call, region), [call.options["upscaler"]])
        image, place = None, Place()
        if call.options["as-layer"]:
            image = call.opened
            is_layer = call.options["source"] == "layer"
            place = Place(
                pictures.moved(region, call.layer) if is_layer else region,
                above=call.layer.get_id() if is_layer else 0,
            )
        wanted = Wanted(_("Upscaled by {name}").format(name=call.options["upscaler"]))
        return Order(self.name, wanted, body, place, image, kinds.FORMS)


class RemoveBackground(_Forms):
    """A layer mask that shows the foreground alone."""

    name = "remove-background"
    label = _("Remove _Background")
    blurb = _("Have a horde find the foreground of a layer, and mask the rest")
    sensitivity = WITH_LAYER

    def order(self, call: Call) -> Order:
        """Send the layer."""
        region = self._region(call)
        body = _body(self._read(call, region), ["strip_background"])
        place = Place(pictures.moved(region, call.layer), above=call.layer.get_id())
        wanted = Wanted(_("Background removed"))
        return Order(self.name, wanted, body, place, call.opened, kinds.FORMS)

    def deliver(self, order: Order, outcome: Outcome) -> Delivered:
        """Mask the layer; where that has a mask or is gone, the result is a layer of its own."""
        layer = results.found(order.image, order.place.above)
        region = order.place.region
        if layer is None or region is None or layer.get_mask() is not None:
            return super().deliver(order, outcome)
        if (layer.get_width(), layer.get_height()) != (region.box.width, region.box.height):
            return super().deliver(order, outcome)  # it was changed meanwhile
        results.mask_by(layer, outcome.pictures[0])
        return Delivered(order.image)


class Describe(_Forms):
    """Words about the picture."""

    name = "describe"
    label = _("_Describe Image…")
    blurb = _("Have a horde say what is to be seen")
    options = ("forms", "source", "as-comment")

    def add_options(self, procedure: Gimp.Procedure) -> None:
        """What is asked, of what, and whether it is kept."""
        procedure.add_string_argument(
            "forms",
            _("_Ask for"),
            _("Names with commas: {names}").format(names=", ".join(described.FORMS)),
            "caption, interrogation",
            FLAGS,
        )
        add_source(procedure, ("visible", "layer"))
        procedure.add_boolean_argument(
            "as-comment",
            _("Keep it as the image's _comment"),
            _("Image ▸ Image Properties shows it"),
            False,
            FLAGS,
        )

    def _region(self, call: Call) -> Region:
        return regions.small(self._box(call), LOOKED_AT)

    def order(self, call: Call) -> Order:
        """Send a small copy."""
        forms = [name.strip() for name in call.options["forms"].split(",") if name.strip()]
        if not forms:
            raise Trouble(_("Say what to ask for."))
        body = _body(self._read(call, self._region(call)), forms)
        place = (
            Place(Region(self._box(call), (1, 1), (1, 1)))
            if call.options["as-comment"]
            else Place()
        )
        return Order(
            self.name, Wanted(self.blurb), body, place, call.opened, kinds.FORMS, len(forms)
        )

    def deliver(self, order: Order, outcome: Outcome) -> Delivered:
        """Say it, and keep it where that is wanted."""
        if not outcome.said:
            raise NotMade(_("The horde said nothing about the picture."))
        text = described.lines(outcome.said)
        image = order.image
        if image is not None and image.is_valid() and order.place.region is not None:
            flags = Gimp.PARASITE_PERSISTENT | Gimp.PARASITE_UNDOABLE
            image.attach_parasite(Gimp.Parasite.new(COMMENT, flags, text.encode()))
        return Delivered(image, "\n".join(part for part in (text, outcome.note) if part))


def _body(picture: bytes, forms: list[str]) -> dict[str, Any]:
    return {
        "source_image": base64.b64encode(picture).decode(),
        "forms": [{"name": name} for name in forms],
    }
