"""A batch from the command line: what it tells, and how it ends."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from cli import asking, making, saving, terminal, words
from cli.batch.items import Item, items
from cli.batch.journal import MANIFEST, Journal
from cli.batch.keeping import Keeper
from cli.batch.pace import Pace
from cli.batch.run import Outcome, Runner
from cli.exits import Exit, Failure, failure
from cli.prompts import Wanted
from cli.session import Session

FOLDER: Final = "pictures/"
SHOWN_FAILURES: Final = 10


@dataclass(frozen=True)
class Many:
    """A batch that is wanted.

    matrix: whether {a|b} stands for each of these. per_minute: how many requests are asked.
    jobs: how many at once; None: as many as the account may.
    """

    pictures: making.Wanted
    prompts: Sequence[Wanted]
    matrix: bool
    per_minute: int
    jobs: int | None


async def run(
    session: Session, many: Many, *, timeout_seconds: float | None, dry_run: bool
) -> None:
    """Make what is missing of a batch. Raises Failure if not all of it could be made."""
    wanted = items(many.prompts, many.pictures.given, matrix=many.matrix)
    if not wanted:
        raise Failure(Exit.USAGE, "What should they show? Give a prompt, or --prompts FILE.")
    for item in wanted:
        item.request("0")  # what no horde would take is said before anything is asked
    if dry_run:
        await _price(session, wanted)
        return
    pattern = saving.pattern(
        many.pictures.out or FOLDER, many.pictures.form, default=saving.OF_BATCH
    )
    with Journal(pattern.folder) as journal:
        outcome = Outcome()
        begun = monotonic()
        try:
            outcome = await _made(session, many, wanted, journal, pattern, timeout_seconds)
        finally:
            _tell(session, wanted, journal, monotonic() - begun)
        files = [pattern.folder / entry["file"] for entry in _entries(wanted, journal)]
        making.finish(many.pictures, files)
        _judge(session, outcome)


async def _made(
    session: Session,
    many: Many,
    wanted: Sequence[Item],
    journal: Journal,
    pattern: saving.Pattern,
    timeout_seconds: float | None,
) -> Outcome:
    client = session.client
    user = await client.users.me()
    pace = Pace(many.jobs or user.concurrency, many.per_minute)
    keeper = Keeper(client, journal, pattern, with_metadata=many.pictures.metadata)
    done = sum(journal.of(item.key).is_done for item in wanted)
    if done:
        session.say(f"{words.count(done, 'prompt')} of {len(wanted)} made before.")
    with terminal.progress("asking") as show:

        def changed() -> None:
            ready = sum(journal.of(item.key).ended for item in wanted)
            if terminal.errors.is_terminal:
                show(f"{ready} of {len(wanted)} prompts, {pace.in_flight} asked")
                show.at(ready / len(wanted))

        def saved(entry: dict[str, Any]) -> None:
            session.say(f"{pattern.folder / entry['file']}: made by {entry['worker']}")

        runner = Runner(
            client,
            journal,
            keeper,
            pace,
            say=terminal.errors.print,
            on_saved=saved,
            on_change=changed,
        )
        try:
            async with asyncio.timeout(timeout_seconds):
                await runner.run(wanted)
        except TimeoutError:
            message = f"Not done after {timeout_seconds:g} s. The same command again goes on."
            raise Failure(Exit.TIMED_OUT, message) from None
    return runner.outcome


def _entries(wanted: Sequence[Item], journal: Journal) -> list[dict[str, Any]]:
    return [entry for item in wanted for _, entry in sorted(journal.of(item.key).entries.items())]


def _tell(session: Session, wanted: Sequence[Item], journal: Journal, seconds: float) -> None:
    """Say what is there now, however it ended."""
    entries = _entries(wanted, journal)
    left = sum(not journal.of(item.key).is_done for item in wanted)
    failures = [
        {"item": item.number, "prompt": item.wanted.prompt, "reason": journal.of(item.key).failure}
        for item in wanted
        if journal.of(item.key).failure is not None
    ]
    manifest = journal.folder / MANIFEST
    kudos = sum(entry["kudos"] or 0 for entry in entries)
    if session.as_json:
        told = {"pictures": entries, "failures": failures, "left": left, "kudos": kudos}
        session.show({**told, "manifest": str(manifest)}, "")
        return
    for one in failures[:SHOWN_FAILURES]:
        terminal.errors.print(f"Prompt {one['item']} was not made: {one['reason']}")
    if len(failures) > SHOWN_FAILURES:
        terminal.errors.print(f"… and {len(failures) - SHOWN_FAILURES} more.")
    rest = f", {words.count(left, 'prompt')} left" if left else ""
    session.say(
        f"{words.count(len(entries), 'picture')} of {words.count(len(wanted), 'prompt')}{rest}, "
        f"{words.amount(kudos)} kudos, {words.duration(seconds)}: {manifest}"
    )


def _judge(session: Session, outcome: Outcome) -> None:
    if outcome.stopped is not None:
        raise failure(outcome.stopped, session.profile.url)
    if outcome.failures:
        status = Exit.REFUSED if outcome.refused else Exit.FAULTED
        prompts = words.count(len(outcome.failures), "prompt")
        raise Failure(status, f"{prompts} could not be made; the same command tries them again.")


async def _price(session: Session, wanted: Sequence[Item]) -> None:
    """The price of all of it: that of each kind of request, times how many there are."""
    prices: dict[str, float] = {}
    total = 0.0
    for item in wanted:
        kind = repr(sorted(item.given.items()))
        if kind not in prices:
            request = await asking.with_model(session.client, item.request("0"))
            prices[kind] = await session.client.price(request)
        total += prices[kind]
    session.show({"kudos": total, "requests": len(wanted)}, f"{words.amount(total)} kudos")
