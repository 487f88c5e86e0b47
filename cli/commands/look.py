"""Models, workers, news and the leaderboard."""

from enum import StrEnum
from typing import Annotated, Final

import typer

from cli.groups import confirm
from cli.session import Session, command


class Kind(StrEnum):
    """Kinds of models."""

    IMAGE = "image"
    TEXT = "text"


class WorkerKind(StrEnum):
    """Kinds of workers."""

    IMAGE = "image"
    TEXT = "text"
    ALCHEMY = "alchemy"


class ModelOrder(StrEnum):
    """What lists of models are sorted by."""

    NAME = "name"
    WORKERS = "workers"
    WAITING = "waiting"
    WAIT = "wait"


class UserOrder(StrEnum):
    """What the leaderboard is sorted by."""

    KUDOS = "kudos"
    AGE = "age"


WIRE: Final = {"alchemy": "interrogation"}
Search = Annotated[str | None, typer.Option(metavar="TEXT", help="Only names with this in it.")]


async def _models(
    session: Session,
    *,
    kind: Annotated[Kind, typer.Option("--type", help="For pictures, or for text.")] = Kind.IMAGE,
    search: Search = None,
    sort: Annotated[ModelOrder, typer.Option(help="The order.")] = ModelOrder.NAME,
) -> None:
    """List models: who has them, how much waits for them."""
    from cli import overview

    orders = {
        "name": lambda one: one.name.lower(),
        "workers": lambda one: -one.count,
        "waiting": lambda one: -one.jobs,
        "wait": lambda one: one.eta,
    }
    found = await session.client.models.active(kind.value)
    wanted = [one for one in found if (search or "").lower() in one.name.lower()]
    wanted.sort(key=orders[sort.value])
    session.show(wanted, overview.models(wanted))


async def _workers(
    session: Session,
    which: Annotated[
        str | None, typer.Argument(metavar="WORKER", help="One of them, by its name or id.")
    ] = None,
    *,
    kind: Annotated[WorkerKind | None, typer.Option("--type", help="Only these.")] = None,
    search: Search = None,
    mine: Annotated[bool, typer.Option("--mine", help="Your own, online or not.")] = False,
    pause: Annotated[
        bool | None, typer.Option("--pause/--unpause", help="Let it serve only yourself, or all.")
    ] = None,
    message: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why, for those who look at it.")
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Call it so.")] = None,
    info: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What it says of itself.")
    ] = None,
    team: Annotated[
        str | None, typer.Option(metavar="ID", help="Let it join a team; empty: leave.")
    ] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Delete it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Without asking again.")] = False,
) -> None:
    """List workers, show one, change and delete your own."""
    from cli import fleet, listings, overview

    if which is None:
        found = await fleet.mine(session.client) if mine else None
        if found is None:
            wire = kind and WIRE.get(kind.value, kind.value)
            found = await session.client.workers.all(wire)  # type: ignore[arg-type] # one of its kinds
        wanted = [one for one in found if (search or "").lower() in one.name.lower()]
        session.show(wanted, overview.workers(wanted))
        return
    one = await fleet.find(session.client, which)
    if delete:
        confirm(f"{one.name} would lose its name and its records.", yes=yes)
        await session.client.workers.delete(one.id)
        session.show({"deleted": one.id}, f"{one.name} is deleted.")
        return
    changes = {"maintenance": pause, "maintenance_msg": message, "name": name, "info": info}
    given = {key: value for key, value in {**changes, "team": team}.items() if value is not None}
    if given:
        one = await fleet.change(session.client, one, given)
    session.show(one, listings.worker(one))


async def _news(
    session: Session,
    *,
    most: Annotated[int, typer.Option("-n", metavar="N", min=1, max=100, help="How many.")] = 5,
) -> None:
    """Read the news, newest first."""
    from cli import listings

    found = (await session.client.news())[:most]
    session.show(found, listings.news(found))


async def _leaderboard(
    session: Session,
    *,
    sort: Annotated[UserOrder, typer.Option(help="By kudos, or the oldest first.")] = (
        UserOrder.KUDOS
    ),
    page: Annotated[int, typer.Option(metavar="N", min=1, help="25 users each.")] = 1,
) -> None:
    """List users: first those who have most kudos."""
    from cli import listings

    found = await session.client.users.all(page, sort.value)
    session.show(found, listings.users(found))


models = command(_models)
workers = command(_workers)
news = command(_news)
leaderboard = command(_leaderboard)
