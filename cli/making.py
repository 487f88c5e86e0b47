"""Makes one request's pictures: asks, saves, tells."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli import (
    asking,
    grid,
    history,
    metadata,
    parameters,
    pictures,
    preview,
    saving,
    terminal,
    words,
)
from cli.exits import Exit, Failure
from cli.session import Session
from core.wire.generate import GenerationInputStable

TIMEOUT_SECONDS: Final = 1200.0
OPENERS: Final = {"darwin": "open", "win32": "explorer"}


@dataclass(frozen=True)
class Wanted:
    """What is wanted of pictures, beside their prompt.

    out: where they go; None: into this folder. form: their format; None: as `out` says, or WebP.
    metadata: whether files say how they were made. grid: a file for all of them in one.
    given: the parameters, by the names of `cli.parameters`.
    """

    out: str | None
    given: Mapping[str, Any]
    form: str | None = None
    metadata: bool = True
    grid: str | None = None
    columns: int | None = None
    preview: bool = False
    opens: bool = False


async def one(
    session: Session,
    prompt: str,
    wanted: Wanted,
    *,
    timeout_seconds: float,
    wait: bool = True,
    dry_run: bool = False,
) -> None:
    """Ask for one prompt's pictures, and save them."""
    body = parameters.body(prompt, wanted.given)
    request = GenerationInputStable.model_validate(body)
    if dry_run:
        await price(session, request)
        return
    pattern = saving.pattern(wanted.out or "./", wanted.form)

    def remember(identity: str) -> None:
        history.add(
            identity,
            url=session.profile.url,
            kind="image",
            prompt=prompt,
            given=wanted.given,
            out=str(pattern.folder / pattern.name),
        )
        remembered.append(identity)

    remembered = list[str]()
    if not wait:
        accepted = await session.client.generate(await asking.with_model(session.client, request))
        remember(accepted.id)
        session.show({"id": accepted.id}, f"{accepted.id}: `horde wait {accepted.id[:8]}` gets it.")
        return
    answer = asking.Answer()
    try:
        with terminal.progress("asking") as show:
            await asking.ask(
                session.client,
                request,
                timeout_seconds=timeout_seconds,
                show=show,
                answer=answer,
                on_request=remember,
            )
    finally:
        if remembered:
            deliver(session, remembered[0], answer, wanted, pattern, body)
    complain(answer)


async def price(session: Session, request: GenerationInputStable) -> None:
    """Say what a request would cost."""
    kudos = await session.client.price(await asking.with_model(session.client, request))
    session.show({"kudos": kudos}, f"{words.amount(kudos)} kudos")


def deliver(
    session: Session,
    request: str,
    answer: asking.Answer,
    wanted: Wanted,
    pattern: saving.Pattern,
    body: Mapping[str, Any] | None,
) -> None:
    """Save what has come of a request, and tell of it. body: None: nobody knows it any more."""
    told, files = [], list[str]()
    for made, content in answer.pictures:
        entry = {
            "index": made.index,
            "seed": made.seed,
            "id": made.id,
            "model": made.model,
            "worker": made.worker_name,
            "kudos": made.kudos,
            "state": made.state,
        }
        path = pattern.path(made, made.index)
        how = metadata.text(body, entry) if wanted.metadata and body else None
        pictures.write(path, content, how)
        files.append(str(path))
        told.append({"file": str(path), "request": request, **entry})
        session.say(f"{path}: seed {made.seed}, made by {made.worker_name}{_flaw(made.state)}")
    history.end(request, _state(answer), files)
    faults = [fault.model_dump() for fault in answer.faults]
    everything = {"id": request, "pictures": told, "kudos": answer.kudos, "faults": faults}
    if session.as_json:
        session.show(everything, "")
    elif answer.kudos is not None:
        session.say(f"{words.amount(answer.kudos)} kudos in {answer.seconds:.1f} s")
    for warning in answer.warnings:
        terminal.errors.print(warning)
    finish(wanted, [Path(file) for file in files])


def finish(wanted: Wanted, files: list[Path]) -> None:
    """Show the pictures as was wanted: in one, in the terminal, in a window."""
    if not files:
        return
    if wanted.grid:
        grid.write(Path(wanted.grid), files, columns=wanted.columns)
    if wanted.preview:
        preview.show(files)
    if wanted.opens:
        opener = OPENERS.get(sys.platform, "xdg-open")
        try:
            subprocess.run([opener, *files], check=False)  # noqa: S603 - files that we have written
        except FileNotFoundError:
            terminal.errors.print(f"There is no {opener} here to open pictures with.")


def complain(answer: asking.Answer) -> None:
    """Raise Failure if not all of it was made."""
    if answer.faulted or not answer.pictures:
        raise Failure(Exit.FAULTED, answer.failure)


def _state(answer: asking.Answer) -> str:
    if answer.faulted:
        return "faulted"
    return "done" if answer.is_done else "cancelled"


def _flaw(state: str) -> str:
    return "" if state == "ok" else f" ({state})"
