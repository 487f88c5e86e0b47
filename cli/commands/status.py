"""`horde status`: one look at a horde."""

from cli.session import Session, command


async def _status(session: Session) -> None:
    """Show the state of a horde: its queue, its workers and its models."""
    from cli import overview

    seen = await overview.look(session.client)
    session.show(seen.answer, overview.screen(session.profile.url, seen))


status = command(_status)
