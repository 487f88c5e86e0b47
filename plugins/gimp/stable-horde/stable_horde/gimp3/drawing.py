"""Tasks that have pictures drawn: new ones, and parts of what is there."""

from gi.repository import Gimp

from stable_horde import regions
from stable_horde.errors import Trouble
from stable_horde.gimp3 import pictures
from stable_horde.gimp3.arguments import FLAGS
from stable_horde.gimp3.pictures import Source
from stable_horde.gimp3.tasks import ANYWHERE, CREATE_MENU, MENU, Call, Order, Task
from stable_horde.places import Place
from stable_horde.regions import Box, Region
from stable_horde.wanted import Wanted
from stable_horde.words import _

MAX_SIDE = 524_288
"""GIMP's own limit."""
MIN_SEEN = 256
"""Pixels of the old canvas that an extension's model sees."""


class Generate(Task):
    """A new picture, as an image of its own or as a layer in the middle of the canvas."""

    name = "generate"
    label = _("_New Picture from Text…")
    blurb = _("Have a horde make a picture of what a text says")
    sensitivity = ANYWHERE
    menus = (MENU, CREATE_MENU)
    options = ("width", "height", "as-layer")

    def add_options(self, procedure: Gimp.Procedure) -> None:
        """Its size, and where it goes."""
        most = regions.MAX_SIDE
        procedure.add_int_argument("width", _("_Width"), _("Pixels"), 64, most, 512, FLAGS)
        procedure.add_int_argument("height", _("H_eight"), _("Pixels"), 64, most, 512, FLAGS)
        procedure.add_boolean_argument(
            "as-layer",
            _("As a layer of the open _image"),
            _("Put it into the open image, instead of making a new one"),
            False,
            FLAGS,
        )

    def size(self, call: Call) -> tuple[int, int]:
        """The wanted size in multiples of 64."""
        return regions.size(call.options["width"], call.options["height"])

    def order(self, call: Call) -> Order:
        """Ask for it; where it is not as large as a multiple of 64, the rest is cut off."""
        wide, high = call.options["width"], call.options["height"]
        size = self.size(call)
        body = call.wanted.body(*size)
        box = Box(0, 0, wide, high)
        image = None
        if call.options["as-layer"]:
            image, canvas = call.opened, call.canvas
            box = Box((canvas.width - wide) // 2, (canvas.height - high) // 2, wide, high)
        place = Place(Region(box, (wide, high), size))
        return Order(self.name, call.wanted, body, place, image, total=call.wanted.n)


class Fill(Task):
    """What is selected, painted anew to fit what surrounds it."""

    name = "fill"
    label = _("_Fill Selection…")
    blurb = _("Have a horde paint what is selected so that it fits what surrounds it")
    options = ("strength", "context")

    def add_options(self, procedure: Gimp.Procedure) -> None:
        """How much is redrawn, and what of the rest is seen."""
        procedure.add_double_argument(
            "strength", _("Stren_gth"), _("How much is drawn anew"), 0, 1, 1, FLAGS
        )
        procedure.add_int_argument(
            "context",
            _("Su_rroundings"),
            _("Pixels around the selection that the model sees; 0: half of its size"),
            0,
            2048,
            0,
            FLAGS,
        )

    def _region(self, call: Call) -> Region:
        region = regions.around(
            call.selection,
            call.canvas,
            context=call.options["context"] or None,
            max_pixels=call.settings.max_pixels,
        )
        return _exact(call.wanted, region)

    def size(self, call: Call) -> tuple[int, int]:
        """The selection with its surroundings."""
        return self._region(call).sent

    def order(self, call: Call) -> Order:
        """Send what is seen there, with the selection as a mask."""
        region = self._region(call)
        source = pictures.visible(call.opened, region, with_selection=True)
        return _redrawn(self.name, call, source, Place(region, source.seen), "inpainting")


class Rework(Task):
    """A picture drawn after another: the layer, or all that is seen."""

    name = "rework"
    label = _("_Rework Layer…")
    blurb = _("Have a horde draw the layer, the selection or the whole image anew, after a text")
    options = ("strength", "source")

    def add_options(self, procedure: Gimp.Procedure) -> None:
        """How much is redrawn, and of what."""
        procedure.add_double_argument(
            "strength", _("Stren_gth"), _("How much is drawn anew"), 0, 1, 0.6, FLAGS
        )
        add_source(procedure, ("layer", "selection", "visible"))

    def _region(self, call: Call) -> Region:
        """What is sent, in the layer's own coordinates where it is the layer."""
        most = call.settings.max_pixels
        if call.options["source"] == "selection":
            return _exact(call.wanted, regions.around(call.selection, call.canvas, max_pixels=most))
        box = pictures.whole(call.layer) if call.options["source"] == "layer" else call.canvas
        return _exact(call.wanted, regions.scaled(box, box, max_pixels=most))

    def size(self, call: Call) -> tuple[int, int]:
        """The size of what is chosen."""
        return self._region(call).sent

    def order(self, call: Call) -> Order:
        """Send it; the result goes above it."""
        region, image = self._region(call), call.opened
        if call.options["source"] == "layer":
            source = pictures.layer(call.layer, region)
            place = Place(
                pictures.moved(region, call.layer), source.seen, above=call.layer.get_id()
            )
        else:
            is_part = call.options["source"] == "selection"
            source = pictures.visible(image, region, with_selection=is_part)
            place = Place(region, source.seen)
        return _redrawn(self.name, call, source, place, "img2img")


class Extend(Task):
    """A larger canvas, with what the picture goes on with."""

    name = "extend"
    label = _("_Extend Canvas…")
    blurb = _("Have a horde paint how the picture goes on beyond the edges of the canvas")
    options = ("left", "top", "right", "bottom")

    def add_options(self, procedure: Gimp.Procedure) -> None:
        """How far it goes on at each side."""
        for name, label in (
            ("left", _("_Left")),
            ("top", _("_Top")),
            ("right", _("R_ight")),
            ("bottom", _("_Bottom")),
        ):
            procedure.add_int_argument(name, label, _("Pixels to add there"), 0, 4096, 0, FLAGS)

    def _region(self, call: Call) -> Region:
        left, top, right, bottom = (call.options[name] for name in self.options)
        if not (left or top or right or bottom):
            raise Trouble(_("Say by how many pixels the canvas grows at which side."))
        canvas = self._grown(call)
        if max(canvas.width, canvas.height) > MAX_SIDE:
            raise Trouble(_("No canvas can become that large."))
        x, width = _seen(canvas.x, canvas.width, left, right)
        y, height = _seen(canvas.y, canvas.height, top, bottom)
        return regions.scaled(Box(x, y, width, height), canvas, max_pixels=call.settings.max_pixels)

    def _grown(self, call: Call) -> Box:
        left, top, right, bottom = (call.options[name] for name in self.options)
        old = call.canvas
        return Box(-left, -top, old.width + left + right, old.height + top + bottom)

    def size(self, call: Call) -> tuple[int, int]:
        """What is new, with what it goes on from."""
        return self._region(call).sent

    def order(self, call: Call) -> Order:
        """Send what is there, with what is new as a mask; the canvas grows when it is painted."""
        region = self._region(call)
        source = pictures.beyond(call.opened, region)
        place = Place(region, source.seen, self._grown(call))
        return _redrawn(self.name, call, source, place, "outpainting")


def add_source(procedure: Gimp.Procedure, names: tuple[str, ...]) -> None:
    """An argument that says what to start from; the first is the default."""
    words = {
        "layer": _("The selected layer"),
        "selection": _("The selection, of all that is visible"),
        "visible": _("All that is visible"),
    }
    choice = Gimp.Choice.new()
    for number, name in enumerate(names):
        choice.add(name, number, words[name], "")
    procedure.add_choice_argument(
        "source", _("St_art from"), _("What is sent"), choice, names[0], FLAGS
    )


def _seen(start: int, length: int, before: int, after: int) -> tuple[int, int]:
    """Of one dimension of a grown canvas, the part to send: all, but where it grows at one end."""
    if bool(before) == bool(after):
        return start, length
    new = before or after
    kept = min(length, new + max(MIN_SEEN, new))
    return (start, kept) if before else (start + length - kept, kept)


def repeated(call: Call, region: Region) -> Order:
    """The order that paints a result once more, in its place and from what is below it."""
    result = call.layer
    region = regions.scaled(
        at := pictures.placed(result), at, max_pixels=max(region.sent[0] * region.sent[1], 64 * 64)
    )
    region = _exact(call.wanted, region)
    source = pictures.without(call.opened, result, region)
    place = Place(region, source.seen, above=result.get_id())
    return _redrawn("fill", call, source, place, "inpainting")


def _exact(wanted: Wanted, region: Region) -> Region:
    """The region; where nothing of it is drawn anew it is not scaled either."""
    return region if wanted.strength else regions.unscaled(region)


def _redrawn(name: str, call: Call, source: Source, place: Place, processing: str) -> Order:
    """The order that has a source drawn anew, as much as its strength says."""
    assert place.region is not None  # noqa: S101 - where the source is from
    sent = place.region.sent
    body = call.wanted.redrawing(sent, source.picture, source.mask, processing)
    return Order(
        name,
        call.wanted,
        body,
        place,
        call.opened,
        total=call.wanted.n,
        unchanged=None if call.wanted.strength else source.picture,
    )
