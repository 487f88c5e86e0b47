"""Help: what it says, that it starts at once, and that it says all there is."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli.commands
from cli.app import COMMANDS, app, load
from cli.commands.table import SECTIONS

ROOT = Path(cli.commands.__file__).parent
SNAPSHOT = Path(__file__).with_name("help.txt")
HEAVY = {
    "httpx",
    "pydantic",
    "rich",
    "PIL",
    "sqlalchemy",
    "core",
    "asyncio",
    "email",
    "urllib.request",
}
MAX_MODULES = 190
"""`horde COMMAND --help` imports 165. pydantic, with which typer reads values, is 110 more."""

COUNT = """
import sys
sys.argv = ["horde", *sys.argv[1:]]
from cli.__main__ import main
try:
    main()
except SystemExit:
    print(*sorted(sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("generate", "--help"), ("chat", "--help"), ("kudos", "send", "--help")],
)
def test_help_imports_nothing_heavy(arguments):
    command = [sys.executable, "-c", COUNT, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    modules = done.stderr.split()
    assert done.stdout
    assert not HEAVY & set(modules)
    assert len(modules) < MAX_MODULES


def pages():
    """Each command that has help of its own."""
    for name, entry in COMMANDS.items():
        if name == "worker":  # another program's
            continue
        yield (name,)
        for inner in getattr(load(entry), "commands", {}):
            yield (name, inner)


def test_help_says_what_it_said():
    """Where this differs on purpose: HELP_SNAPSHOT=write makes it anew."""
    said = [help_of(page) for page in [(), *pages()]]
    text = "\n".join(said)
    if os.environ.get("HELP_SNAPSHOT") == "write":
        SNAPSHOT.write_text(text)
    assert text == SNAPSHOT.read_text()
    assert not re.findall(r"<(?:str|int|float|path|list)\b.*>", text), (
        "types of Python say nothing to people"
    )


def help_of(page):
    ended = CliRunner().invoke(app, [*page, "--help"], prog_name="horde", terminal_width=80)
    assert ended.exit_code == 0, ended.output
    return ended.output


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_of_each_what_it_says_of_itself(name):
    command = load(COMMANDS[name])
    listed, own = COMMANDS[name].help.rstrip("."), (command.help or "").split("\n")[0].rstrip(".")
    assert listed.split()[0] == own.split()[0], f"{name}: {listed!r} and {own!r}"


def test_commands_import_what_they_need_when_they_run():
    """At the top of a command's module is nothing but its options."""
    light = {"typer", "collections", "functools", "enum", "typing", "pathlib", "sys", "os"}
    light |= {"subprocess", "contextlib"}
    ours = {"cli", "cli.exits", "cli.session", "cli.groups", "cli.parameters", "cli.old_options"}
    ours |= {"cli.completing"}
    for section in SECTIONS.values():
        for entry in section.values():
            module = entry.place.partition(":")[0]
            if module in {"up", "demo"}:  # they start processes, and take seconds
                continue
            tree = ast.parse((ROOT / f"{module}.py").read_text())
            for one in tree.body:
                if isinstance(one, ast.ImportFrom):
                    first = str(one.module)
                    assert first in ours or first.partition(".")[0] in light, f"{module}: {first}"
