"""`horde generate`: pictures from any horde."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from cli import asking, pictures, terminal
from cli import settings as configuration
from cli.exits import Exit, Failure
from cli.interrupts import interruptible
from cli.settings import ClientSettings
from core.client import HordeClient
from core.features import SAMPLERS
from core.wire.generate import GenerationInputStable
from core.wire.validation import errors_of

Url = Annotated[str | None, typer.Option(help="The horde's address (HORDE_URL).")]
ApiKey = Annotated[str | None, typer.Option(help="The key to ask with (HORDE_API_KEY).")]


def generate(  # noqa: PLR0913 - an option each
    prompt: Annotated[str, typer.Argument(help="What to show; - reads it from standard input.")],
    *,
    negative: Annotated[str, typer.Option(help="What to leave out.")] = "",
    n: Annotated[int, typer.Option("-n", help="How many pictures.")] = 1,
    size: Annotated[
        str | None, typer.Option(help="WIDTHxHEIGHT, multiples of 64; else the model's.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Steps of the sampler; else the model's.")
    ] = None,
    cfg: Annotated[
        float | None, typer.Option(help="How strongly the prompt guides; else the model's.")
    ] = None,
    sampler: Annotated[str, typer.Option(help=f"One of {', '.join(SAMPLERS)}.")] = "k_euler_a",
    seed: Annotated[str, typer.Option(help="The first picture's; empty is random.")] = "",
    model: Annotated[list[str] | None, typer.Option(help="Any of these; none: any.")] = None,
    out: Annotated[str, typer.Option("-o", "--out", help="{index} {seed} {id} {model} vary.")] = (
        "{seed}.webp"
    ),
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait at most.")] = 1200,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say the price.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Ask a horde for pictures and write them to files."""
    pictures.check(Path(out))
    given = {"steps": steps, "cfg_scale": cfg, "seed": seed or None, **_sides(size)}
    params = {"n": n, "sampler_name": sampler}
    params |= {name: value for name, value in given.items() if value is not None}
    text = sys.stdin.read().strip() if prompt == "-" else prompt
    try:
        wanted = GenerationInputStable.model_validate(
            {
                "prompt": f"{text} ### {negative}" if negative else text,
                "params": params,
                "models": model or [],
            }
        )
    except ValidationError as error:
        told = "; ".join(f"{path}: {why}" for path, why in errors_of(error).items())
        raise Failure(Exit.USAGE, told) from None
    settings = configuration.client(url, api_key)
    if dry_run:
        _tell_price(settings, wanted, as_json=as_json)
    else:
        _make(settings, wanted, out, timeout, as_json=as_json)


def client_of(settings: ClientSettings) -> HordeClient:
    """A client of the horde in these settings."""
    return HordeClient(settings.url, settings.api_key.get_secret_value())


def _sides(size: str | None) -> dict[str, int]:
    if size is None:
        return {}
    width, _, height = size.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise Failure(Exit.USAGE, f"{size}: a size is WIDTHxHEIGHT, such as 512x768")
    return {"width": int(width), "height": int(height)}


def _tell_price(settings: ClientSettings, wanted: GenerationInputStable, *, as_json: bool) -> None:
    async def price() -> float:
        async with client_of(settings) as client:
            return await client.price(await asking.with_model(client, wanted))

    kudos = asyncio.run(price())
    terminal.output.print(
        json.dumps({"kudos": kudos}) if as_json else f"{asking.amount(kudos)} kudos"
    )


def _make(
    settings: ClientSettings,
    wanted: GenerationInputStable,
    out: str,
    timeout_seconds: float,
    *,
    as_json: bool,
) -> None:
    answer = asking.Answer()

    async def ask() -> None:
        with interruptible(), terminal.progress("asking") as show:
            async with client_of(settings) as client:
                await asking.ask(
                    client, wanted, timeout_seconds=timeout_seconds, show=show, answer=answer
                )

    try:
        asyncio.run(ask())
    except asyncio.CancelledError:
        raise Failure(Exit.CANCELLED, "Cancelled; what was finished is saved.") from None
    finally:
        _save(answer, out, as_json=as_json)
        for warning in answer.warnings:
            terminal.errors.print(warning)
    if answer.faulted or not answer.pictures:
        raise Failure(Exit.FAULTED, answer.failure)


def _save(answer: asking.Answer, out: str, *, as_json: bool) -> None:
    told = []
    for made, content in answer.pictures:
        fields = {"index": made.index, "seed": made.seed, "id": made.id, "model": made.model}
        parts = {name: pictures.part(str(value)) for name, value in fields.items()}
        name = Path(out.format_map(parts))
        path = name if "{" in out or not made.index else name.with_stem(f"{name.stem}-{made.index}")
        pictures.write(path, content)
        fields |= {"file": str(path), "worker": made.worker_name, "kudos": made.kudos}
        told.append(fields)
        if not as_json:
            terminal.output.print(f"{path}: seed {made.seed}, made by {made.worker_name}")
    if as_json:
        faults = [fault.model_dump() for fault in answer.faults]
        told_of_all = {"pictures": told, "kudos": answer.kudos, "faults": faults}
        terminal.output.print(json.dumps(told_of_all))
    elif answer.kudos is not None:
        terminal.output.print(f"{asking.amount(answer.kudos)} kudos in {answer.seconds:.1f} s")
