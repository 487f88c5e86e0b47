"""What lists of things look like, and single ones of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from time import time

from rich.table import Table

from cli import overview, terminal, words
from cli.history import Remembered
from cli.terminal import Column
from core.wire.documents import Newspiece
from core.wire.sharedkeys import UNLIMITED, SharedKeyDetails
from core.wire.styles import StyleKobold, StyleStable
from core.wire.teams import TeamDetails
from core.wire.users import UserDetails
from core.wire.workers import WorkerDetails

PROMPT_CHARS = 40


def jobs(found: Sequence[Remembered]) -> Table | str:
    """Requests of this machine."""
    return terminal.table(
        found,
        Column("ID", lambda one: one.id[:8]),
        Column("KIND", lambda one: one.kind),
        Column("STATE", lambda one: one.state),
        Column("ASKED", lambda one: f"{words.duration(time() - one.asked)} ago"),
        Column("FILES", lambda one: words.amount(len(one.files)), right=True),
        Column("PROMPT", lambda one: _short(one.prompt), wraps=True),
        nothing="No request was asked from here yet.",
    )


def users(found: Sequence[UserDetails]) -> Table | str:
    """Users, first the one with most."""
    return terminal.table(
        list(enumerate(found, 1)),
        Column("", lambda one: str(one[0]), right=True),
        Column("USER", lambda one: one[1].username),
        Column("KUDOS", lambda one: words.amount(one[1].kudos), right=True),
        Column("MADE", lambda one: _results(one[1], "fulfillment"), right=True),
        Column("ASKED", lambda one: _results(one[1], "request"), right=True),
        Column("WORKERS", lambda one: words.amount(one[1].worker_count), right=True),
        nothing="Nobody is registered.",
    )


def user(one: UserDetails) -> Table:
    """One user, as far as the key may see them."""
    active = one.active_generations
    held, suspicion = one.evaluating_kudos, one.suspicious
    waiting = sum(len(ids or ()) for ids in vars(active).values()) if active else None
    return terminal.facts(
        [
            ("user", one.username),
            ("kudos", words.amount(one.kudos)),
            ("held back", words.amount(held) if held else None),
            ("roles", ", ".join(_roles(one)) or "none"),
            ("may ask at once", words.count(one.concurrency, "job")),
            ("asks at present", None if waiting is None else words.count(waiting, "request")),
            ("asked", words.count(one.records.request.image, "picture")),
            ("made for others", words.count(one.records.fulfillment.image, "picture")),
            ("workers", words.amount(one.worker_count)),
            ("shared keys", words.amount(len(one.sharedkey_ids)) if one.sharedkey_ids else None),
            ("registered", f"{words.duration(one.account_age)} ago"),
            ("contact", one.contact),
            ("suspicion", str(suspicion) if suspicion else None),
            ("comment", one.admin_comment),
        ]
    )


def worker(one: WorkerDetails) -> Table:
    """One worker."""
    size = one.max_pixels
    pixels = words.count(round(size / 1024 / 1024, 2), "megapixel") if size else None
    return terminal.facts(
        [
            ("worker", one.name),
            ("id", one.id),
            ("kind", overview.KINDS.get(one.type, one.type)),
            ("state", overview.state(one)),
            ("owner", one.owner),
            ("team", one.team.name),
            ("about it", one.info),
            ("models", ", ".join(one.models or one.forms or []) or None),
            ("largest", pixels),
            ("made", words.amount(one.requests_fulfilled)),
            ("given back", words.amount(one.uncompleted_jobs)),
            ("earned", f"{words.amount(one.kudos_rewards)} kudos"),
            ("speed", one.performance),
            ("online for", words.duration(one.uptime)),
            ("program", one.bridge_agent),
        ]
    )


def teams(found: Sequence[TeamDetails]) -> Table | str:
    """Teams."""
    return terminal.table(
        found,
        Column("TEAM", lambda one: one.name or ""),
        Column("ID", lambda one: one.id or ""),
        Column("WORKERS", lambda one: words.amount(one.worker_count), right=True),
        Column("MADE", lambda one: words.amount(one.requests_fulfilled), right=True),
        Column("KUDOS", lambda one: words.amount(one.kudos), right=True),
        nothing="There are no teams.",
    )


def team(one: TeamDetails) -> Table:
    """One team."""
    return terminal.facts(
        [
            ("team", one.name),
            ("id", one.id),
            ("about it", one.info),
            ("founder", one.creator),
            ("workers", ", ".join(worker.name for worker in one.workers) or "none"),
            ("models", ", ".join(model.name for model in one.models) or None),
            ("made", words.amount(one.requests_fulfilled)),
            ("earned", f"{words.amount(one.kudos)} kudos"),
        ]
    )


def styles(found: Sequence[StyleStable] | Sequence[StyleKobold]) -> Table | str:
    """Styles."""
    return terminal.table(
        found,
        Column("STYLE", lambda one: one.name),
        Column("USED", lambda one: words.amount(one.use_count), right=True),
        Column("ABOUT IT", lambda one: one.info or ", ".join(one.tags), wraps=True),
        nothing="There are no styles.",
    )


def style(one: StyleStable | StyleKobold) -> Table:
    """One style."""
    params = one.params.model_dump(exclude_unset=True, exclude_none=True)
    return terminal.facts(
        [
            ("style", one.name),
            ("id", one.id),
            ("about it", one.info),
            ("by", one.creator),
            ("prompt", one.prompt),
            ("parameters", ", ".join(f"{key} {value}" for key, value in params.items()) or None),
            ("models", ", ".join(one.models) or None),
            ("tags", ", ".join(one.tags) or None),
            ("used", f"{one.use_count} times"),
            ("listed", "yes" if one.public else "no"),
        ]
    )


def keys(found: Sequence[SharedKeyDetails]) -> Table | str:
    """Shared keys."""
    return terminal.table(
        found,
        Column("KEY", lambda one: one.id),
        Column("NAME", lambda one: one.name or ""),
        Column("KUDOS LEFT", lambda one: _limit(one.kudos), right=True),
        Column("SPENT", lambda one: words.amount(one.utilized), right=True),
        Column("ENDS", lambda one: "never" if one.expiry is None else f"{one.expiry:%Y-%m-%d}"),
        nothing="You have no shared keys; `horde keys create` makes one.",
    )


def news(found: Sequence[Newspiece]) -> list[str]:
    """News, newest first."""
    if not found:
        return ["There is no news."]
    return [
        f"{one.date_published}  {one.title}\n{one.newspiece.strip()}\n"
        + "".join(f"{url}\n" for url in one.more_info_urls)
        for one in found
    ]


def moment(seconds: float) -> str:
    """A date and time of day, UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def _roles(one: UserDetails) -> list[str]:
    names = ("moderator", "trusted", "flagged", "service", "education", "customizer", "special")
    found = [name for name in names if getattr(one, name)]
    return [*found, "deleted"] if one.deleted else found


def _results(one: UserDetails, what: str) -> str:
    amounts = getattr(one.records, what)
    return words.amount(amounts.image + amounts.text + amounts.interrogation)


def _limit(kudos: int) -> str:
    return "all you have" if kudos == UNLIMITED else words.amount(kudos)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= PROMPT_CHARS else f"{line[: PROMPT_CHARS - 1]}…"
