"""The command line's entry: `horde`, or `python -m cli`."""

import sys

from cli.app import app
from cli.exits import Exit, Failure


def main() -> None:
    """Run the command. Ends the process with one of `cli.exits.Exit`."""
    try:
        app(prog_name="horde")
    except Failure as failure:
        _end(failure.exit_status, str(failure))
    except KeyboardInterrupt:
        _end(Exit.CANCELLED, "Cancelled.")
    except BrokenPipeError:
        # What read our output has ended, as `head` does; nothing more can be printed.
        sys.stderr.close()
        sys.exit(Exit.OK)


def _end(exit_status: Exit, message: str) -> None:
    from cli import terminal  # noqa: PLC0415 - help starts without it

    terminal.errors.print(message)
    sys.exit(exit_status)


if __name__ == "__main__":
    main()
