"""`horde alchemy`, `horde describe` and `horde upscale`."""

from typing import Annotated

import typer

from cli import completing
from cli.exits import Exit, Failure
from cli.session import Session, command

Files = Annotated[
    list[str], typer.Argument(metavar="FILE…", help="Pictures: files, folders, addresses.")
]
Out = Annotated[
    str, typer.Option("--out", "-o", metavar="FOLDER/", help="Where pictures that come go.")
]
Timeout = Annotated[
    float, typer.Option("--timeout", min=1, metavar="SECONDS", help="Wait at most so long.")
]


async def _alchemy(
    session: Session,
    files: Files,
    *,
    form: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="What is wanted; more than one may be.",
            autocompletion=completing.forms,
        ),
    ] = None,
    out: Out = "./",
    trusted: Annotated[
        bool, typer.Option("--trusted", help="Only workers of trusted users.")
    ] = False,
    seconds: Timeout = 1200,
) -> None:
    """Ask for forms of pictures: captions, tags, upscaled copies, pictures without background."""
    from cli import alchemy
    from core.features import FORMS

    if not form:
        raise Failure(Exit.USAGE, f"What is wanted? Give --form: {', '.join(FORMS)}.")
    await alchemy.make(session, files, form, out, trusted=trusted, timeout_seconds=seconds)


async def _describe(
    session: Session,
    files: Files,
    *,
    tags: Annotated[bool, typer.Option("--tags", help="Words instead of a sentence.")] = False,
    seconds: Timeout = 1200,
) -> None:
    """Say what pictures show."""
    from cli import alchemy

    form = "interrogation" if tags else "caption"
    await alchemy.make(session, files, [form], "./", trusted=False, timeout_seconds=seconds)


async def _upscale(
    session: Session,
    files: Files,
    *,
    by: Annotated[
        str, typer.Option("--with", metavar="NAME", help="The post-processor that does it.")
    ] = "RealESRGAN_x4plus",
    out: Out = "./",
    seconds: Timeout = 1200,
) -> None:
    """Enlarge pictures."""
    from cli import alchemy

    await alchemy.make(session, files, [by], out, trusted=False, timeout_seconds=seconds)


alchemy = command(_alchemy)
describe = command(_describe)
upscale = command(_upscale)
