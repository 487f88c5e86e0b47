"""The commands as one program, each imported when it is called and not before."""

import importlib
from collections.abc import Callable
from typing import Annotated, Any, Final

import typer
from typer.core import TyperArgument, TyperGroup

from cli.commands.table import SECTIONS, Entry

COMMANDS: Final[dict[str, Entry]] = {
    name: entry for section in SECTIONS.values() for name, entry in section.items()
}
LOOKS: Final[dict[str, Any]] = {
    "rich_markup_mode": None,  # importing rich takes longer than all the rest of the help
    "pretty_exceptions_enable": False,
    "add_completion": False,
    "context_settings": {"help_option_names": ["-h", "--help"], "max_content_width": 100},
}


class Group(TyperGroup):
    """Commands under one name."""

    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401 - typer has no public name for its type
        """The options; flags are either given or not, and so need no pydantic to be read."""
        found = super().get_params(ctx)
        for one in found:
            if one.default is None:
                one.default = False
        return found


class Commands(Group):
    """The commands of `cli.commands.table`."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - typer has no public name for its type
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002
        """The command of this name, imported; None if there is none."""
        entry = COMMANDS.get(cmd_name)
        return None if entry is None else load(entry)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401, ARG002
        """Write the table, without importing what is in it."""
        for title, section in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, entry.help) for name, entry in section.items()])


def load(entry: Entry) -> Any:  # noqa: ANN401 - a command of typer
    """Import a command."""
    module, _, name = entry.place.partition(":")
    found = getattr(importlib.import_module(f"cli.commands.{module}"), name)
    if isinstance(found, typer.Typer):
        group = typer.main.get_group(found)
        group.rich_markup_mode = None
        for command in group.commands.values():
            _name_arguments(command)
        return group
    return _name_arguments(typer.main.get_command(_alone(found)))


def _name_arguments(command: Any) -> Any:  # noqa: ANN401 - a command of typer
    """Let help show arguments by their names alone: `list[str]` says nothing to people."""
    for one in command.params:
        if isinstance(one, TyperArgument):
            one.display_type_rich = lambda ctx: ""  # type: ignore[method-assign] # noqa: ARG005
    return command


def _alone(work: Callable[..., None]) -> typer.Typer:
    alone = typer.Typer(**LOOKS)
    # A command may have options for typer itself, such as those of a program that it calls.
    alone.command(**getattr(work, "typer_options", {}))(work)
    return alone


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - reading mail is most of its imports

        print(f"horde {version('stable-horde')}")
        raise typer.Exit


app = typer.Typer(
    name="horde",
    cls=Commands,
    help="Start a horde of your own, or ask one for pictures and text.",
    no_args_is_help=True,
    add_completion=True,
    epilog="`horde COMMAND --help` says the options of a command.",
    **{name: value for name, value in LOOKS.items() if name != "add_completion"},
)


@app.callback()
def root(
    *,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version."
        ),
    ] = False,
) -> None:
    """Only options that stand before the command."""
