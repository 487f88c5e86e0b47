"""Groups of commands, such as `horde teams create`."""

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from cli.app import LOOKS
from cli.exits import Exit, Failure

HELP = {"-h", "--help"}


class Listing(TyperGroup):
    """A group that lists where no command of it is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer has no public name for its type
        """Read the arguments; options without a command are those of `list`."""
        if not args or (args[0].startswith("-") and args[0] not in HELP):
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
    if not typer.confirm(f"{what} Go on?", err=True):
        raise Failure(Exit.CANCELLED, "Nothing was done.")
