"""Takes up requests that an earlier command has asked."""

from collections.abc import Mapping
from typing import Any

from cli import asking, history, making, parameters, saving, terminal, texts, words
from cli.exits import Exit, Failure
from cli.history import Remembered
from cli.session import Session
from core.client import NotFound


def find(session: Session, which: str) -> Remembered:
    """The request of this machine that is meant; any other id is taken as one of the horde.

    The horde that was asked is called, unless another one was named.
    """
    found = history.find(which)
    if found is None:
        if len(which) < 36:  # noqa: PLR2004 - a UUID
            raise Failure(Exit.USAGE, f"{which} is no request of this machine; see `horde jobs`.")
        return Remembered(which, session.profile.url, "image", "", {}, "./", 0.0, "asked", [])
    session.use_url(found.url)
    return found


async def wait(session: Session, which: str, out: str | None, *, timeout_seconds: float) -> None:
    """Wait for a request, save its results, tell of them."""
    found = find(session, which)
    if found.kind == "text":
        await texts.wait(session, found.id, timeout_seconds=timeout_seconds)
        return
    body = parameters.body(found.prompt, found.given) if found.prompt else None
    pattern = saving.pattern(out or found.out, None)
    answer = asking.Answer()
    wanted = making.Wanted(out=out, given=found.given)
    try:
        with terminal.progress("waiting") as show:
            await asking.follow(
                session.client,
                found.id,
                timeout_seconds=timeout_seconds,
                show=show,
                answer=answer,
            )
    except NotFound:
        history.end(found.id, "gone", found.files)
        message = f"The horde knows nothing of {found.id}; results are kept for some minutes only."
        raise Failure(Exit.REFUSED, message) from None
    making.deliver(session, found.id, answer, wanted, pattern, body)
    if not answer.pictures and not answer.faulted:
        raise Failure(Exit.CANCELLED, "It was cancelled, or has expired, before anything was made.")
    making.complain(answer)


async def cancel(session: Session, which: str | None) -> None:
    """Cancel a request, or (None) all of this machine that have not ended."""
    recent = history.recent(history.MAX_REQUESTS)
    same = [one for one in recent if one.state == "asked" and one.url == session.profile.url]
    told = []
    for one in [find(session, which)] if which else same:
        part = session.client.text if one.kind == "text" else session.client
        try:
            left = await part.cancel(one.id)
        except NotFound:
            history.end(one.id, "gone", one.files)
            if which:
                raise
            continue
        history.end(one.id, "cancelled", one.files)
        told.append({"id": one.id, "finished": left.finished})
        session.say(f"{one.id} is cancelled; {words.count(left.finished, 'result')} finished.")
    if session.as_json:
        session.show(told, "")
    elif not told:
        session.say("There is nothing to cancel.")


async def repeat(
    session: Session,
    which: str,
    prompt: str | None,
    out: str | None,
    changes: Mapping[str, Any],
    *,
    timeout_seconds: float,
) -> None:
    """Ask for a request of this machine again. changes: parameters that are others now."""
    found = find(session, which)
    if found.kind != "image" or not found.prompt:
        raise Failure(Exit.USAGE, "Only pictures that this machine has asked for can be repeated.")
    wanted = making.Wanted(out=out or found.out, given={**found.given, **changes})
    await making.one(session, prompt or found.prompt, wanted, timeout_seconds=timeout_seconds)
