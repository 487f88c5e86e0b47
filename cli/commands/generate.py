"""`horde generate`: pictures from any horde, one or thousands."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

import typer

from cli import old_options, parameters
from cli.exits import Exit, Failure
from cli.session import Session, command


async def _generate(
    session: Session,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="PROMPT", help="What to show; - reads it from standard input."),
    ] = None,
    *,
    prompt: Annotated[
        str | None, typer.Option("--prompt", "-p", metavar="TEXT", help="The same, as an option.")
    ] = None,
    prompts: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Many: a .txt, .csv or .jsonl file, or - ."),
    ] = None,
    matrix: Annotated[
        bool, typer.Option("--matrix", help="{a|b} in prompts: each of these in turn.")
    ] = False,
    template: Annotated[
        str | None,
        typer.Option("--template", "--yml", metavar="FILE", help="A template of AI-Horde-CLI."),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            "-f",
            metavar="FILE|FOLDER/",
            help="Where to; {index} {seed} {id} {model} {date} {item} {name} vary.",
        ),
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="webp, png or jpg.")
    ] = None,
    metadata: Annotated[
        bool,
        typer.Option("--metadata/--no-metadata", help="Write into files how they were made."),
    ] = True,
    grid: Annotated[
        str | None, typer.Option(metavar="FILE", help="All of them in one picture, too.")
    ] = None,
    columns: Annotated[
        int | None, typer.Option(min=1, max=100, metavar="N", help="Columns of that.")
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Show them in the terminal.")] = False,
    show: Annotated[bool, typer.Option("--open", help="Open them.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait for them; else `horde wait` does.")
    ] = True,
    seconds: Annotated[
        float | None,
        typer.Option("--timeout", min=1, metavar="SECONDS", help="Wait at most so long."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say the price.")] = False,
    per_minute: Annotated[
        int, typer.Option(min=1, max=60_000, metavar="N", help="Of many: so many are asked.")
    ] = 90,
    jobs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Of many: so many at once.")
    ] = None,
    given: Mapping[str, Any],
) -> None:
    """Ask for pictures and write them to files.

    With --prompts, --out is a folder: it gets the pictures and manifest.jsonl, and the same command
    again makes what is missing.
    """
    from cli import making, templates
    from cli import prompts as reading

    if template is not None:
        read = templates.read(template)
        prompt, out = prompt or read.prompt, out or read.out
        given = {**read.given, **{name: one for name, one in given.items() if one is not None}}
        dry_run = dry_run or read.dry_run
        if read.key:
            session.use_key(read.key)
    wanted = making.Wanted(
        out=out,
        form=form,
        metadata=metadata,
        grid=grid,
        columns=columns,
        preview=preview,
        opens=show,
        given=given,
    )
    found = reading.given(" ".join(words or ()) or None, prompt, prompts)
    if prompts is not None or matrix:
        from cli.batch import command as batch

        many = batch.Many(wanted, found, matrix=matrix, per_minute=per_minute, jobs=jobs)
        await batch.run(session, many, timeout_seconds=seconds, dry_run=dry_run)
        return
    if len(found) != 1:
        raise Failure(Exit.USAGE, "What should it show? Give a prompt, or --prompts FILE.")
    ask = partial(making.one, session, found[0].prompt, wanted)
    await ask(timeout_seconds=seconds or making.TIMEOUT_SECONDS, wait=wait, dry_run=dry_run)


generate = command(_generate, parameters.options())
setattr(generate, "typer_options", {"cls": old_options.Tolerant})  # noqa: B010 - mypy knows no such attribute
