"""Groups of commands, such as `horde teams create`."""

import sys
from typing import Any

import typer

from cli.app import LOOKS, Group
from cli.exits import Exit, Failure

HELP = {"-h", "--help"}


class Listing(Group):
    """A group that lists where no command of it is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer has no public name for its type
        """Read the arguments; options without a command are those of `list`."""
        is_listing = not args or (args[0].startswith("-") and args[0] not in HELP)
        if is_listing and not ctx.resilient_parsing:  # a shell that completes means nothing yet
            args = ["list", *args]
        return super().parse_args(ctx, args)


def group(help: str) -> typer.Typer:  # noqa: A002 - typer's word
    """A group that has `list`."""
    return typer.Typer(cls=Listing, help=help, **LOOKS)


def confirm(what: str, *, yes: bool) -> None:
    """Ask before something is gone for good. Raises Failure unless people agree.

    yes: whether they have done so already.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise Failure(Exit.USAGE, f"{what} Say --yes if that is what you want.")
    from cli.terminal import plain  # noqa: PLC0415 - names in it are others' words

    if not typer.confirm(plain(f"{what} Go on?"), err=True):
        raise Failure(Exit.CANCELLED, "Nothing was done.")
