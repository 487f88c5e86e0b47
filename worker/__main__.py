"""The command `horde-worker`, or `python -m worker`; without a command of its own, it serves.

Exit status: 0 where all is well; 1 where jobs were given back, a check failed, or the server or the
models leave nothing to do; 2 where the command or the settings are wrong; 130 after Ctrl-C.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

INTERRUPTED: Final = 130
"""The exit status of what Ctrl-C ended, as shells have it."""


def main(words: Sequence[str] | None = None) -> int:
    """Do what the command line says; gives the exit status."""
    # Late, here and below: engines are started by importing this module, and need none of it.
    from worker.commands.told import WRONG, Wrong, error  # noqa: PLC0415
    from worker.configuration.files import WrongSettings  # noqa: PLC0415

    arguments = parser().parse_args(words)
    try:
        status: int = arguments.do(arguments)
    except (WrongSettings, Wrong) as wrong:
        error(str(wrong))
        return WRONG
    except KeyboardInterrupt:  # where a command has nothing to finish first
        return INTERRUPTED
    return status


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    from worker.commands import bench, doctor, models, run  # noqa: PLC0415

    made = argparse.ArgumentParser(
        prog="horde-worker",
        description="Serve a horde with this machine: pictures, texts and alchemy.",
        epilog="Settings stand in worker.toml or in WORKER_* variables; see docs/worker.md.",
    )
    made.add_argument(
        "--config", type=Path, metavar="FILE", help="the settings file, instead of the usual one"
    )
    run.add_options(made)
    made.set_defaults(do=run.run)
    commands = made.add_subparsers(title="commands", metavar="COMMAND")
    for command in (run, doctor, bench, models):
        command.add_to(commands)
    return made


if __name__ == "__main__":
    sys.exit(main())
