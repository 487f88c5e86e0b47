"""The command line's entry: `horde`, or `python -m cli`."""

import sys

import typer
from pydantic import ValidationError

from cli import exits, terminal
from cli.commands import demo, generate, status, up, worker
from cli.exits import Exit, Failure
from core.client import HordeError

app = typer.Typer(
    name="horde",
    help="Start a horde of your own, or ask one for pictures.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (up.up, demo.demo, generate.generate, status.status):
    app.command()(command)
app.command(
    # Its options are the other program's, `--help` too.
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)(worker.worker)


def main() -> None:
    """Run the command. Ends the process with one of `cli.exits.Exit`."""
    try:
        app()
    except Failure as failure:
        _end(failure.exit_status, str(failure))
    except HordeError as error:
        _end(exits.of(error), str(error))
    except ValidationError as error:
        _end(Exit.USAGE, "; ".join(f"{one['loc'][0]}: {one['msg']}" for one in error.errors()))
    except KeyboardInterrupt:
        _end(Exit.CANCELLED, "Cancelled.")


def _end(exit_status: Exit, message: str) -> None:
    terminal.errors.print(message)
    sys.exit(exit_status)


if __name__ == "__main__":
    main()
