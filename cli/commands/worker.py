"""`horde worker`: the program `horde-worker`, whose arguments it hands on as they are."""

import os
import subprocess
import sys

import typer


def worker(context: typer.Context) -> None:
    """Serve a horde with this machine, look after its models; `horde worker --help` says more."""
    command = [sys.executable, "-P", "-m", "worker", *context.args]
    if sys.platform == "win32":  # where a process cannot become another
        raise typer.Exit(subprocess.run(command, check=False).returncode)  # noqa: S603
    os.execv(sys.executable, command)  # noqa: S606 - a program of this project


# Its options are the other program's, `--help` too.
setattr(  # noqa: B010 - mypy knows no such attribute
    worker,
    "typer_options",
    {
        "context_settings": {"allow_extra_args": True, "ignore_unknown_options": True},
        "add_help_option": False,
    },
)
