"""`horde text` and `horde chat`."""

import sys
from typing import Annotated, Any

import typer

from cli.exits import Exit, Failure
from cli.session import Session, command

Models = Annotated[
    list[str] | None, typer.Option("--model", "-m", metavar="NAME", help="A model; several: any.")
]
Length = Annotated[
    int | None, typer.Option("--length", "-l", metavar="TOKENS", help="How long at most.")
]
Context = Annotated[
    int | None,
    typer.Option("--context", "-c", metavar="TOKENS", help="How much of the prompt is read."),
]
Temperature = Annotated[
    float | None, typer.Option(metavar="X", help="How freely it chooses words; 0 is not at all.")
]
TopP = Annotated[float | None, typer.Option(metavar="X", help="Only the likeliest words.")]
TopK = Annotated[int | None, typer.Option(metavar="N", help="The same, by their number.")]
Penalty = Annotated[
    float | None, typer.Option("--rep-pen", metavar="X", help="How much repeating is avoided.")
]
Timeout = Annotated[
    float, typer.Option("--timeout", min=1, metavar="SECONDS", help="Wait at most so long.")
]


async def _text(
    session: Session,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="PROMPT", help="What it goes on from; - reads.")
    ] = None,
    *,
    prompt: Annotated[
        str | None, typer.Option("--prompt", "-p", metavar="TEXT", help="The same, as an option.")
    ] = None,
    n: Annotated[int, typer.Option("-n", metavar="N", min=1, max=20, help="How many texts.")] = 1,
    model: Models = None,
    style: Annotated[str | None, typer.Option(metavar="STYLE", help="A style's name.")] = None,
    length: Length = None,
    context: Context = None,
    temperature: Temperature = None,
    top_p: TopP = None,
    top_k: TopK = None,
    rep_pen: Penalty = None,
    stop: Annotated[
        list[str] | None, typer.Option(metavar="TEXT", help="It ends with the first of these.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say the price.")] = False,
    seconds: Timeout = 1200,
) -> None:
    """Ask for text that goes on from a prompt."""
    from cli import prompts, texts
    from cli.words import amount
    from core.wire.text import GenerationInputKobold

    found = prompts.given(" ".join(words or ()) or None, prompt, None)
    if not found:
        raise Failure(Exit.USAGE, "What should it go on from? Give a prompt.")
    params: dict[str, Any] = {
        "n": n,
        "max_length": length,
        "max_context_length": context,
        "top_p": top_p,
    }
    params |= {"temperature": temperature, "top_k": top_k, "rep_pen": rep_pen}
    params |= {"stop_sequence": stop or None}
    body: dict[str, Any] = {"prompt": found[0].prompt, "models": model or None, "style": style}
    body["params"] = {name: value for name, value in params.items() if value is not None}
    given = {name: value for name, value in body.items() if value is not None}
    wanted = GenerationInputKobold.model_validate(given)
    if dry_run:
        kudos = await session.client.text.price(wanted)
        session.show({"kudos": kudos}, f"{amount(kudos)} kudos")
        return
    texts.tell(session, await texts.make(session, wanted, timeout_seconds=seconds))


async def _chat(
    session: Session,
    *,
    model: Models = None,
    system: Annotated[
        str, typer.Option(metavar="TEXT", help="What the model is told before the talk begins.")
    ] = "A friendly assistant answers a user shortly and helpfully.",
    length: Length = None,
    context: Context = None,
    temperature: Temperature = None,
    seconds: Timeout = 1200,
) -> None:
    """Talk with a text model; each line of the input gets an answer."""
    from cli import texts
    from core.wire.text import GenerationInputKobold

    params: dict[str, Any] = {"max_length": length or 200, "max_context_length": context}
    params |= {"temperature": temperature, "stop_sequence": [f"\n{texts.USER}"]}
    given = {name: value for name, value in params.items() if value is not None}

    def ask(prompt: str) -> GenerationInputKobold:
        body = {"prompt": prompt, "params": given, "models": model or []}
        return GenerationInputKobold.model_validate(body)

    sys.stdout.flush()
    await texts.talk(session, ask, system=system, timeout_seconds=seconds)


text = command(_text)
chat = command(_chat)
