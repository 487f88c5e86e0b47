"""The options of AI-Horde-CLI, as people have them in their scripts."""

from typing import Any, Final

from typer.core import TyperCommand

NAMES: Final = {
    "--amount": "-n",
    "--api_key": "--key",
    "--filename": "--out",
    "--horde": "--url",
    "--censor_nsfw": "--censor",
    "--trusted_workers": "--trusted",
    "--source_image": "--source",
    "--source_mask": "--mask",
    "--source_processing": "--processing",
    "--dry_run": "--dry-run",
    "--yml_file": "--template",
    "--yml-file": "--template",
}
IGNORED: Final = frozenset({"--verbosity", "--quiet"})
"""And -v, -q, as often as one likes: how much it said of itself."""


class Tolerant(TyperCommand):
    """A command that takes them, too, without showing them in its help."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer has no public name for its type
        """Read the arguments, the old names as the new ones."""
        return super().parse_args(ctx, renamed(args))


def renamed(arguments: list[str]) -> list[str]:
    """The arguments with today's names; those after `--` stay."""
    made = list[str]()
    for place, word in enumerate(arguments):
        if word == "--":
            return made + arguments[place:]
        name, found, value = word.partition("=")
        if name in IGNORED or (word.startswith("-") and word[1:] and not word.strip("-vq")):
            continue
        made.append(NAMES.get(name, name) + found + value)
    return made
