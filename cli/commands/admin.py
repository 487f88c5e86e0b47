"""`horde admin`: what moderators and administrators do."""

from typing import Annotated, Any

import typer

from cli.groups import confirm, group
from cli.session import Session, command

admin = group("Moderate a horde: modes, users, workers, addresses, filters, reports.")

Yes = Annotated[bool, typer.Option("--yes", help="Without asking again.")]
Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="An address, or a network.")]


async def _modes(
    session: Session,
    *,
    maintenance: Annotated[
        bool | None, typer.Option("--maintenance/--no-maintenance", help="Take no requests.")
    ] = None,
    raid: Annotated[bool | None, typer.Option("--raid/--no-raid", help="Be strict.")] = None,
    invite_only: Annotated[
        bool | None, typer.Option("--invite-only/--no-invite-only", help="Invited workers only.")
    ] = None,
    anonymous: Annotated[
        bool | None, typer.Option("--anonymous/--no-anonymous", help="Serve everybody.")
    ] = None,
) -> None:
    """Show the horde's modes, and switch them."""
    from cli import moderating

    given = {"maintenance_mode": maintenance, "raid_mode": raid}
    given |= {"invite_only_mode": invite_only, "anonymous_mode": anonymous}
    await moderating.modes(session, given)


async def _user(
    session: Session,
    who: Annotated[int, typer.Argument(metavar="USER", help="A user's number.")],
    *,
    trusted: Annotated[
        bool | None, typer.Option("--trust/--no-trust", help="Believe in them.")
    ] = None,
    flagged: Annotated[
        bool | None, typer.Option("--flag/--no-flag", help="Watch all they ask.")
    ] = None,
    moderator: Annotated[
        bool | None, typer.Option("--moderator/--no-moderator", help="Let them moderate.")
    ] = None,
    customizer: Annotated[
        bool | None, typer.Option("--customizer/--no-customizer", help="Any models.")
    ] = None,
    service: Annotated[
        bool | None, typer.Option("--service/--no-service", help="They ask for many people.")
    ] = None,
    education: Annotated[
        bool | None, typer.Option("--education/--no-education", help="They are a school.")
    ] = None,
    special: Annotated[
        bool | None, typer.Option("--special/--no-special", help="Special models.")
    ] = None,
    kudos: Annotated[
        int | None, typer.Option(metavar="N", help="Give so many; negative: take.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=0, max=500, metavar="N", help="Jobs that may wait at once.")
    ] = None,
    comment: Annotated[
        str | None, typer.Option(metavar="TEXT", help="A note that moderators see.")
    ] = None,
    forgive: Annotated[bool, typer.Option("--forgive", help="Forget all suspicions.")] = False,
    undelete: Annotated[bool, typer.Option("--undelete", help="Bring them back.")] = False,
) -> None:
    """Show a user as moderators see them, and change them."""
    from cli import moderating

    given: dict[str, Any] = {
        "trusted": trusted,
        "flagged": flagged,
        "moderator": moderator,
        "kudos": kudos,
    }
    given |= {"customizer": customizer, "service": service, "education": education}
    given |= {"special": special, "concurrency": concurrency, "admin_comment": comment}
    given |= {"reset_suspicion": forgive or None, "undelete": undelete or None}
    await moderating.user(session, who, given)


async def _worker(
    session: Session,
    which: Annotated[str, typer.Argument(metavar="WORKER", help="Its name or id.")],
    *,
    pause: Annotated[
        bool | None, typer.Option("--pause/--unpause", help="Give it jobs that are nobody's.")
    ] = None,
    maintenance: Annotated[
        bool | None, typer.Option("--maintenance/--no-maintenance", help="Its owner's jobs only.")
    ] = None,
    message: Annotated[str | None, typer.Option(metavar="TEXT", help="Tell it this.")] = None,
    block: Annotated[
        int | None, typer.Option(min=1, max=30, metavar="DAYS", help="Keep its address out.")
    ] = None,
    unblock: Annotated[bool, typer.Option("--unblock", help="Let it in again.")] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Delete it.")] = False,
    yes: Yes = False,
) -> None:
    """Show a worker as moderators see it, and change it."""
    from cli import moderating

    if delete:
        confirm(f"{which} would lose its name and its records.", yes=yes)
    given = {"paused": pause, "maintenance": maintenance}
    order = moderating.Order(given, message, block, unblock=unblock, delete=delete)
    await moderating.worker(session, which, order)


async def _message(
    session: Session,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What all workers are told.")],
    *,
    hours: Annotated[int, typer.Option(min=1, max=720, metavar="N", help="For so long.")] = 12,
) -> None:
    """Tell all workers something, with their next jobs."""
    from core.wire.messages import ResponseModelMessage__Input

    body = ResponseModelMessage__Input.model_validate({"message": text, "expiry": hours})
    sent = await session.client.messages.send(body)
    session.show(sent, f"It is sent: {sent.id}")


async def _blocked(session: Session) -> None:
    """List the addresses that are kept out."""
    from cli import moderating

    await moderating.blocked(session)


async def _block(
    session: Session,
    address: Address,
    *,
    hours: Annotated[int, typer.Option(min=1, max=720, metavar="N", help="For so long.")] = 24,
) -> None:
    """Keep an address or a network out."""
    await session.client.addresses.block(_as_network(address), hours)
    session.show({"blocked": address, "hours": hours}, f"{address} is kept out for {hours} h.")


async def _unblock(session: Session, address: Address) -> None:
    """Let an address or a network in again."""
    await session.client.addresses.unblock(address)
    session.show({"unblocked": address}, f"{address} may come in again.")


def _as_network(address: str) -> str:
    """An address as the network of it alone: a horde lists no others among what it keeps out."""
    from ipaddress import ip_network

    try:
        return str(ip_network(address, strict=False))
    except ValueError:
        return address  # whose fault the horde tells


async def _filters(session: Session) -> None:
    """List the filters that prompts are searched for."""
    from cli import moderating

    await moderating.filters(session)


async def _filter(
    session: Session,
    expression: Annotated[str, typer.Argument(metavar="REGEX", help="An expression of RE2.")],
    *,
    kind: Annotated[
        int,
        typer.Option("--type", metavar="N", min=10, max=29, help="10, 11: minors; 12; 20: sex."),
    ],
    replacement: Annotated[
        str, typer.Option(metavar="TEXT", help="What stands there in a rewritten prompt.")
    ] = "",
    about: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is for.")] = None,
) -> None:
    """Add a filter."""
    from core.wire.filters import PutNewFilter

    body = {"regex": expression, "filter_type": kind, "replacement": replacement}
    body |= {"description": about} if about else {}
    made = await session.client.filters.create(PutNewFilter.model_validate(body))
    session.show(made, f"Filter {made.id} is added.")


async def _unfilter(
    session: Session,
    which: Annotated[str, typer.Argument(metavar="ID", help="A filter's id.")],
    *,
    yes: Yes = False,
) -> None:
    """Delete a filter."""
    confirm(f"Filter {which} would be gone.", yes=yes)
    await session.client.filters.delete(which)
    session.show({"deleted": which}, f"Filter {which} is deleted.")


async def _try(
    session: Session,
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", help="A prompt.")],
) -> None:
    """See what filters find in a prompt."""
    found = await session.client.filters.test(prompt)
    matches = ", ".join(found.matches) or "nothing"
    session.show(found, f"suspicion {found.suspicion} of 2 that are refused; found: {matches}")


async def _reports(
    session: Session,
    which: Annotated[
        int | None, typer.Argument(metavar="ID", help="A report that is decided.")
    ] = None,
    *,
    comment: Annotated[str | None, typer.Option(metavar="TEXT", help="What was decided.")] = None,
) -> None:
    """List the open reports of abuse, or close one."""
    from cli import moderating

    await moderating.reports(session, which, comment)


async def _audit(session: Session) -> None:
    """Prove that no kudos came from nowhere."""
    from cli import moderating

    await moderating.audit(session)


admin.command("list", hidden=True)(command(_modes))
admin.command("modes")(command(_modes))
admin.command("user")(command(_user))
admin.command("worker")(command(_worker))
admin.command("message")(command(_message))
admin.command("blocked")(command(_blocked))
admin.command("block")(command(_block))
admin.command("unblock")(command(_unblock))
admin.command("filters")(command(_filters))
admin.command("filter")(command(_filter))
admin.command("unfilter")(command(_unfilter))
admin.command("try")(command(_try))
admin.command("reports")(command(_reports))
admin.command("audit")(command(_audit))
