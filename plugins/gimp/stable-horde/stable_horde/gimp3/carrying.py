"""Carries orders out: asks, keeps a record as long as nothing came of it, waits, and delivers."""

import secrets
import time
from dataclasses import replace
from pathlib import Path

from gi.repository import Gimp

from stable_horde import kinds
from stable_horde.errand import Asked, Errand, Outcome, Picture
from stable_horde.errors import Later, Trouble, Unreachable
from stable_horde.gimp3 import waiting
from stable_horde.gimp3.tasks import Delivered, Order, Task
from stable_horde.left import Left, Record
from stable_horde.places import Place
from stable_horde.settings import Settings
from stable_horde.wanted import Wanted
from stable_horde.words import _

SESSION = "stable-horde-session"
KEPT_SECONDS = 20 * 60
"""As long as a horde keeps results."""
NOTHING_ANEW = _("With strength 0 nothing is drawn anew, and the horde is not asked.")


def folder() -> Path:
    """Where the plug-in keeps its files, in GIMP's profile."""
    return Path(Gimp.directory()) / "stable-horde"


def settings() -> Settings:
    """The settings as they are now."""
    return Settings.load(folder())


def left() -> Left:
    """The records of requests that run."""
    return Left(folder())


def session() -> str:
    """What tells this run of GIMP from others: ids of images are its own."""
    known = Gimp.get_parasite(SESSION)
    if known is None:
        known = Gimp.Parasite.new(SESSION, 0, secrets.token_hex(16).encode())
        Gimp.attach_parasite(known)
    return bytes(known.get_data()).decode()


def fetchable() -> list[Record]:
    """Records of requests that run, and of those whose image was closed after it had the results.

    GIMP keeps an image until the procedure that was called with it has ended, and tells nobody that
    it was closed meanwhile.
    """
    kept = []
    for record in left().all():
        is_over = time.time() > record.asked + KEPT_SECONDS
        if record.delivered and (is_over or _image(record) is not None):
            left().remove(record.id)
        else:
            kept.append(record)
    return kept


def carry_out(
    task: Task,
    order: Order,
    chosen: Settings,
    display: waiting.Display,
    *,
    may_be_closed: bool = False,
) -> Delivered:
    """Ask for an order, wait, and deliver it. Raises Trouble; the image is untouched then.

    may_be_closed: whether somebody may close the image meanwhile.
    """
    if order.unchanged is not None:
        same = Picture(order.unchanged, seed="", model="", worker="")
        return task.deliver(order, Outcome([same], note=NOTHING_ANEW))
    errand = Errand(
        chosen.horde(),
        chosen.applied(order.body) if order.kind is kinds.PICTURES else order.body,
        kind=order.kind,
        total=order.total,
        limit_seconds=chosen.minutes * 60,
    )

    def keep(news: Asked) -> None:
        left().add(_record(order, news.id, chosen.url))

    delivered = _follow(task, order, errand, waiting.Kept(display, keep))
    if may_be_closed and order.image is not None:
        record = _record(order, errand.request_id, chosen.url)
        left().add(replace(record, delivered=True))
    return delivered


def fetch(
    tasks: dict[str, Task], record: Record, chosen: Settings, display: waiting.Display
) -> Delivered:
    """Follow a request that was left, and deliver it: into its image, if that is still open."""
    task, kind = tasks.get(record.task), kinds.BY_NAME.get(record.kind)
    if task is None or kind is None:
        raise Trouble(_("What is stored here cannot be read."))
    place, wanted = Place.of_stored(record.place), Wanted.of_stored(record.wanted)
    order = Order(record.task, wanted, {}, place, _image(record), kind, record.total)
    errand = Errand(
        Settings(url=record.site, key=chosen.key if record.site == chosen.url else "").horde(),
        kind=kind,
        request_id=record.id,
        total=record.total,
        limit_seconds=chosen.minutes * 60,
    )
    return _follow(task, order, errand, display)


def cancel(record: Record, chosen: Settings) -> None:
    """Cancel a request that was left, and forget it. Blocking; raises Trouble."""
    horde = Settings(url=record.site, key=chosen.key if record.site == chosen.url else "").horde()
    kinds.BY_NAME[record.kind].cancel(horde, record.id)
    left().remove(record.id)


def _image(record: Record) -> Gimp.Image | None:
    """The image of a request, if it is still open."""
    if record.session == session() and record.image and Gimp.Image.id_is_valid(record.image):
        return Gimp.Image.get_by_id(record.image)
    return None


def _follow(task: Task, order: Order, errand: Errand, display: waiting.Display) -> Delivered:
    try:
        outcome = waiting.outcome(errand, display)
    except Later:
        raise
    except Unreachable as trouble:
        if not errand.request_id:
            raise
        why = _("{why} The request may go on: “Status” fetches it.").format(why=trouble)
        raise Unreachable(why) from None
    except Trouble:
        left().remove(errand.request_id)
        raise
    delivered = task.deliver(order, outcome)
    left().remove(errand.request_id)
    return delivered


def _record(order: Order, request_id: str, url: str) -> Record:
    return Record(
        id=request_id,
        site=url,
        kind=order.kind.name,
        task=order.task,
        total=order.total,
        asked=time.time(),
        session=session(),
        image=order.image.get_id() if order.image is not None else 0,
        wanted=order.wanted.stored(),
        place=order.place.stored(),
    )
