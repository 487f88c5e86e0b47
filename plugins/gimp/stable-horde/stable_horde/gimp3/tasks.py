"""What a task is: it reads what it needs of an image, says what to ask for, and brings it back."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gi.repository import Gimp

from stable_horde import kinds, regions
from stable_horde.errand import Outcome
from stable_horde.errors import Trouble
from stable_horde.gimp3 import pictures, results
from stable_horde.kinds import Kind
from stable_horde.places import Place
from stable_horde.settings import Settings
from stable_horde.wanted import Wanted
from stable_horde.words import _

ANYWHERE = (
    Gimp.ProcedureSensitivityMask.DRAWABLE
    | Gimp.ProcedureSensitivityMask.DRAWABLES
    | Gimp.ProcedureSensitivityMask.NO_DRAWABLES
    | Gimp.ProcedureSensitivityMask.NO_IMAGE
)
WITH_IMAGE = (
    Gimp.ProcedureSensitivityMask.DRAWABLE
    | Gimp.ProcedureSensitivityMask.DRAWABLES
    | Gimp.ProcedureSensitivityMask.NO_DRAWABLES
)
WITH_LAYER = Gimp.ProcedureSensitivityMask.DRAWABLE
MENU = "<Image>/Filters/AI Horde"
CREATE_MENU = "<Image>/File/Create/AI Horde"


@dataclass(frozen=True)
class Order:
    """What is to be asked for, and where the results go.

    body: the request's JSON. total: how many results it has. image: None: each result is an image
    of its own. unchanged: the result, where nothing is to be drawn: the horde is not asked then.
    """

    task: str
    wanted: Wanted
    body: dict[str, Any]
    place: Place
    image: Gimp.Image | None
    kind: Kind = kinds.PICTURES
    total: int = 1
    unchanged: bytes | None = None


@dataclass(frozen=True)
class Delivered:
    """What came of an order: the image with the results, and what is to be said."""

    image: Gimp.Image | None = None
    text: str = ""


@dataclass(frozen=True)
class Call:
    """What a procedure was called with."""

    image: Gimp.Image | None
    drawables: Sequence[Gimp.Drawable]
    wanted: Wanted
    options: dict[str, Any]
    settings: Settings

    @property
    def opened(self) -> Gimp.Image:
        """The image. Raises Trouble where there is none, or none any more."""
        if self.image is None or not self.image.is_valid():
            raise Trouble(_("There is no image to work on: open one first."))
        return self.image

    @property
    def canvas(self) -> regions.Box:
        """The image's canvas. Raises Trouble where there is no image."""
        return pictures.canvas(self.opened)

    @property
    def layer(self) -> Gimp.Layer:
        """The one layer that is selected. Raises Trouble where there is none, or several."""
        chosen = list(self.drawables)
        if len(chosen) == 1 and isinstance(chosen[0], Gimp.LayerMask):
            chosen = [Gimp.Layer.from_mask(chosen[0])]
        if len(chosen) != 1 or not isinstance(chosen[0], Gimp.Layer):
            raise Trouble(_("Select one layer first: that is the one to work on."))
        return chosen[0]

    @property
    def selection(self) -> regions.Box:
        """The box of the selection. Raises Trouble where nothing is selected."""
        chosen = pictures.selected(self.opened)
        if chosen is None:
            raise Trouble(_("Nothing is selected: select what is to be filled first."))
        return chosen


class Task(ABC):
    """One entry of the menu. options: names of its own arguments."""

    name = ""
    label = ""
    blurb = ""
    sensitivity = WITH_IMAGE
    menus: tuple[str, ...] = (MENU,)
    options: tuple[str, ...] = ()
    has_prompt = True

    def add_options(self, procedure: Gimp.Procedure) -> None:  # noqa: B027 - most have none
        """Add its own arguments."""

    def prefill(self, call: Call) -> dict[str, Any]:  # noqa: ARG002 - for those that override it
        """Arguments that a dialog begins with, instead of the last ones."""
        return {}

    @abstractmethod
    def size(self, call: Call) -> tuple[int, int]:
        """Width and height of what would be asked for. Raises Trouble where nothing can be."""

    @abstractmethod
    def order(self, call: Call) -> Order:
        """Read what is needed. Raises Trouble where nothing can be asked for."""

    def deliver(self, order: Order, outcome: Outcome) -> Delivered:
        """Bring the results to where they go."""
        if order.image is not None and order.image.is_valid():
            results.put(order.image, order.place, outcome.pictures, order.wanted, order.task)
            return Delivered(order.image, outcome.note)
        images = results.as_images(order.place, outcome.pictures, order.wanted, order.task)
        return Delivered(images[0] if images else None, outcome.note)
