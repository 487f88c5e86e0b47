"""`horde settings`: which horde is called, and as whom."""

from typing import Annotated

import typer

from cli.exits import Exit, Failure
from cli.session import Session, command

SHOWN = 4
"""Characters of a key that are shown: enough to know it again."""


def _settings(
    session: Session,
    *,
    use: Annotated[
        str | None, typer.Option(metavar="PROFILE", help="Use this profile from now on.")
    ] = None,
) -> None:
    """Show which horde is called, and as whom; choose a profile."""
    from cli import history, profiles, terminal

    if use is not None:
        kept = profiles.load().get("profiles", {})
        if use not in kept:
            raise Failure(Exit.USAGE, f"There is no profile {use!r}; `horde login --as` makes one.")
        profiles.keep(use, kept[use].get("url", profiles.DEFAULT_URL), kept[use].get("key"))
        session.say(f"{use} is used from now on.")
        return
    profile = session.profile
    key = "anonymous" if profile.is_anonymous else f"{profile.key[:SHOWN]}…"
    told = {
        "profile": profile.name,
        "url": profile.url,
        "key": key,
        "settings file": str(profiles.path()),
        "requests": str(history.path()),
        "profiles": ", ".join(profiles.load().get("profiles", {})) or "none",
    }
    rows = dict(told) | {
        "url": f"{profile.url} (from {profile.sources['url']})",
        "key": f"{key} (from {profile.sources['key']})",
    }
    session.show(told, terminal.facts(list(rows.items())))


settings = command(_settings)
