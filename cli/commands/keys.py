"""`horde keys`: shared keys, with which others ask at your expense."""

from typing import Annotated

import typer

from cli.groups import confirm, group
from cli.session import Session, command

Which = Annotated[str, typer.Argument(metavar="KEY", help="A shared key.")]
Name = Annotated[str | None, typer.Option(metavar="NAME", help="What you call it.")]
Kudos = Annotated[
    int | None, typer.Option(min=-1, metavar="N", help="What may be spent; -1: all you have.")
]
Days = Annotated[
    int | None, typer.Option(min=-1, metavar="N", help="Ends after so many; -1: never.")
]
Pixels = Annotated[
    int | None, typer.Option(min=-1, metavar="N", help="The largest picture; -1: any, 0: none.")
]
Steps = Annotated[int | None, typer.Option(min=-1, metavar="N", help="The most steps.")]
Tokens = Annotated[int | None, typer.Option(min=-1, metavar="N", help="The longest text.")]

keys = group("Make shared keys, change and delete them.")


async def _list(session: Session) -> None:
    """List your shared keys."""
    import asyncio

    from cli import listings

    ids = (await session.client.users.me()).sharedkey_ids or []
    found = await asyncio.gather(*map(session.client.shared_keys.get, ids))
    session.show(found, listings.keys(found))


async def _create(
    session: Session,
    *,
    name: Name = None,
    kudos: Kudos = None,
    days: Days = None,
    pixels: Pixels = None,
    steps: Steps = None,
    tokens: Tokens = None,
) -> None:
    """Make a shared key."""
    from core.wire.sharedkeys import SharedKeyInput

    given = _given(name, kudos, days, pixels, steps, tokens)
    made = await session.client.shared_keys.create(SharedKeyInput.model_validate(given))
    session.show(made, f"{made.id} lets others ask at your expense.")


async def _edit(
    session: Session,
    which: Which,
    *,
    name: Name = None,
    kudos: Kudos = None,
    days: Days = None,
    pixels: Pixels = None,
    steps: Steps = None,
    tokens: Tokens = None,
) -> None:
    """Change a shared key; what is not given stays."""
    from cli import listings
    from core.wire.sharedkeys import SharedKeyInput

    given = _given(name, kudos, days, pixels, steps, tokens)
    made = await session.client.shared_keys.edit(which, SharedKeyInput.model_validate(given))
    session.show(made, listings.keys([made]))


async def _delete(
    session: Session,
    which: Which,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Without asking again.")] = False,
) -> None:
    """Delete a shared key."""
    confirm(f"{which} would work no more.", yes=yes)
    await session.client.shared_keys.delete(which)
    session.show({"deleted": which}, f"{which} is deleted.")


def _given(
    name: str | None,
    kudos: int | None,
    days: int | None,
    pixels: int | None,
    steps: int | None,
    tokens: int | None,
) -> dict[str, object]:
    made = {"name": name, "kudos": kudos, "expiry": days, "max_image_pixels": pixels}
    made |= {"max_image_steps": steps, "max_text_tokens": tokens}
    return {key: value for key, value in made.items() if value is not None}


keys.command("list")(command(_list))
keys.command("create")(command(_create))
keys.command("edit")(command(_edit))
keys.command("delete")(command(_delete))
