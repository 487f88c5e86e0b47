"""The parameters of a picture: as options, as columns of a prompt file, and on the wire.

Each stands once in `PARAMETERS`. `generate` and `repeat` have them as options, a prompt file has
their names as columns, and `body` puts what was given where the API wants it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Final, NamedTuple

import typer

from cli import completing, sources
from cli.exits import Exit, Failure

TRUE: Final = frozenset({"1", "true", "yes", "on"})
FALSE: Final = frozenset({"0", "false", "no", "off"})


class Parameter(NamedTuple):
    """One parameter.

    path: where it is in the API's body, dotted; empty: `read` gives several, by path.
    type: of the option. help: what it says of itself.
    flags: the option's names, as typer has them; none: made of the parameter's name.
    metavar: what stands for the value in the help.
    read: turns the option's value into the API's.
    """

    path: str
    type: Any
    help: str
    flags: tuple[str, ...] = ()
    metavar: str | None = None
    read: Callable[[Any], Any] = lambda value: value


def _size(text: str) -> dict[str, Any]:
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise Failure(Exit.USAGE, f"{text}: a size is WIDTHxHEIGHT, such as 512x768")
    return {"params.width": int(width), "params.height": int(height)}


def _lora(text: str) -> dict[str, Any]:
    name, *rest = text.split(":")
    made: dict[str, Any] = {"name": name}
    for field, value in zip(("model", "clip"), rest, strict=False):
        made[field] = _number(value, f"--lora {text}: NAME:MODEL:CLIP:TRIGGER")
    if len(rest) > 2:  # noqa: PLR2004 - the two numbers
        made["inject_trigger"] = ":".join(rest[2:])
    return made


def _inversion(text: str) -> dict[str, Any]:
    name, _, rest = text.partition(":")
    where, _, strength = rest.partition(":")
    made: dict[str, Any] = {"name": name}
    if where:
        made["inject_ti"] = where
    if strength:
        made["strength"] = _number(strength, f"--ti {text}: NAME:prompt|negprompt:STRENGTH")
    return made


def _extra(text: str) -> dict[str, Any]:
    place, _, strength = text.rpartition(":")
    if not place or not strength.replace(".", "", 1).isdecimal():
        return {"image": sources.picture(text)}
    return {"image": sources.picture(place), "strength": float(strength)}


def _text(text: str) -> dict[str, Any]:
    reference, found, value = text.partition("=")
    if not found:
        raise Failure(Exit.USAGE, f"--text {text}: it is NAME=TEXT, such as url=https://a.example")
    return {"reference": reference, "text": value}


def _number(text: str, what: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Failure(Exit.USAGE, f"{what}: {text!r} is not a number") from None


def _object(text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(text)
    except ValueError as error:
        raise Failure(Exit.USAGE, f"--special: {error}") from None


def _each(read: Callable[[str], Any]) -> Callable[[list[str]], list[Any]]:
    return lambda texts: [read(text) for text in texts]


def _not_these(workers: list[str]) -> dict[str, Any]:
    return {"workers": workers, "worker_blacklist": True}


PARAMETERS: Final[dict[str, Parameter]] = {
    "negative": Parameter("", str, "What to leave out.", metavar="TEXT", read=lambda _: {}),
    "n": Parameter("params.n", int, "How many pictures of it.", ("-n",), "N"),
    "size": Parameter("", str, "Sides, multiples of 64; else the model's.", (), "WxH", _size),
    "width": Parameter("params.width", int, "The same, one by one.", ("--width", "-w"), "PIXELS"),
    "height": Parameter("params.height", int, "The height.", ("--height", "-l"), "PIXELS"),
    "model": Parameter(
        "models", list[str], "A model; several: any of them.", ("--model", "-m"), "NAME"
    ),
    "style": Parameter("style", str, "A style's id or name.", (), "STYLE"),
    "steps": Parameter("params.steps", int, "Steps of the sampler.", ("--steps", "-s"), "N"),
    "cfg": Parameter("params.cfg_scale", float, "How strongly the prompt guides.", (), "X"),
    "sampler": Parameter(
        "params.sampler_name", str, "The sampler, such as k_dpmpp_2m.", (), "NAME"
    ),
    "seed": Parameter("params.seed", str, "The first picture's; else random.", (), "SEED"),
    "seed_variation": Parameter("params.seed_variation", int, "Seeds are so far apart.", (), "N"),
    "clip_skip": Parameter("params.clip_skip", int, "Layer of the text encoder.", (), "N"),
    "karras": Parameter("params.karras", bool, "Noise as Karras et al.", ("--karras/--no-karras",)),
    "hires": Parameter(
        "params.hires_fix", bool, "Compose small, refine large.", ("--hires/--no-hires",)
    ),
    "hires_strength": Parameter(
        "params.hires_fix_denoising_strength", float, "How much that redraws.", (), "0..1"
    ),
    "tiling": Parameter("params.tiling", bool, "Make it a tile.", ("--tiling/--no-tiling",)),
    "transparent": Parameter(
        "params.transparent", bool, "Leave out the background.", ("--transparent/--opaque",)
    ),
    "lora": Parameter(
        "params.loras", list[str], "An adaptation.", (), "NAME:MODEL:CLIP:TRIGGER", _each(_lora)
    ),
    "ti": Parameter(
        "params.tis", list[str], "An embedding.", (), "NAME:WHERE:STRENGTH", _each(_inversion)
    ),
    "post": Parameter(
        "params.post_processing", list[str], "A post-processor, in this order.", (), "NAME"
    ),
    "face_strength": Parameter(
        "params.facefixer_strength", float, "How strongly faces are fixed.", (), "0..1"
    ),
    "source": Parameter(
        "source_image", str, "A picture to start from.", (), "FILE|URL|-", sources.picture
    ),
    "strength": Parameter(
        "params.denoising_strength", float, "How much of it is redrawn.", (), "0..1"
    ),
    "mask": Parameter(
        "source_mask", str, "What of it is redrawn is white here.", (), "FILE|URL", sources.mask
    ),
    "processing": Parameter(
        "source_processing", str, "img2img, inpainting, outpainting or remix.", (), "HOW"
    ),
    "extra": Parameter(
        "extra_source_images", list[str], "One more, to remix.", (), "FILE:STRENGTH", _each(_extra)
    ),
    "control": Parameter(
        "params.control_type", str, "Follow the source's canny, depth, …", (), "TYPE"
    ),
    "control_map": Parameter(
        "params.image_is_control", bool, "The source is the map.", ("--control-map",)
    ),
    "return_map": Parameter(
        "params.return_control_map", bool, "Give the map instead.", ("--return-map",)
    ),
    "workflow": Parameter("params.workflow", str, "Such as qr_code.", (), "NAME"),
    "text": Parameter(
        "params.extra_texts", list[str], "A text for it.", (), "NAME=TEXT", _each(_text)
    ),
    "special": Parameter("params.special", str, "Free parameters.", (), "JSON", _object),
    "nsfw": Parameter("nsfw", bool, "It may be unsafe for work.", ("--nsfw/--sfw",)),
    "censor": Parameter(
        "censor_nsfw", bool, "Censor it if it is and may not be.", ("--censor/--no-censor",)
    ),
    "trusted": Parameter(
        "trusted_workers", bool, "Only workers of trusted users.", ("--trusted/--anybody",)
    ),
    "slow": Parameter("slow_workers", bool, "Slow workers, too.", ("--slow/--no-slow",)),
    "extra_slow": Parameter(
        "extra_slow_workers", bool, "Very slow ones, too.", ("--extra-slow/--no-extra-slow",)
    ),
    "worker": Parameter("workers", list[str], "Only by this worker.", (), "ID"),
    "not_worker": Parameter("", list[str], "Not by this worker.", (), "ID", _not_these),
    "share": Parameter("shared", bool, "Give them to the public data set.", ("--share/--keep",)),
    "rewrite": Parameter(
        "replacement_filter",
        bool,
        "Let a doubtful prompt be rewritten.",
        ("--rewrite/--no-rewrite",),
    ),
    "downgrade": Parameter(
        "allow_downgrade", bool, "Make less if kudos are short.", ("--downgrade/--no-downgrade",)
    ),
    "batching": Parameter(
        "disable_batching",
        bool,
        "A worker may make several at once.",
        ("--batching/--no-batching",),
        read=lambda wanted: not wanted,
    ),
    "webhook": Parameter("webhook", str, "An https address that is told.", (), "URL"),
}


COMPLETED: Final = {
    "model": completing.models,
    "sampler": completing.samplers,
    "post": completing.post_processors,
    "control": completing.control_types,
}
"""What shells complete the values of options with."""


def options() -> dict[str, Any]:
    """Annotations for typer, by name; none of them has a default of its own."""
    return {name: _option(name, one) for name, one in PARAMETERS.items()}


def _option(name: str, one: Parameter) -> Any:  # noqa: ANN401 - an annotation
    flags = one.flags or (f"--{name.replace('_', '-')}",)
    completed = COMPLETED.get(name)
    made = typer.Option(*flags, help=one.help, metavar=one.metavar, autocompletion=completed)
    return Annotated[one.type | None, made]


def body(prompt: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The API's body. given: parameters by name; those that are None or empty are left open."""
    made: dict[str, Any] = {"prompt": prompt, "models": []}
    if given.get("negative"):
        made["prompt"] = f"{prompt} ### {given['negative']}"
    for path, value in _by_path(given):
        *folders, name = path.split(".")
        place = made
        for folder in folders:
            place = place.setdefault(folder, {})
        place[name] = value
    return made


def _by_path(given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in given.items():
        if value is None or value in ("", []):
            continue
        one = PARAMETERS[name]
        read = one.read(value)
        yield from [(one.path, read)] if one.path else read.items()


def of_text(name: str, text: str) -> Any:  # noqa: ANN401 - as the parameter's type says
    """The value of a parameter that stands as text in a cell of a file; None if it is empty.

    Lists are separated by "|". Raises Failure.
    """
    text = text.strip()
    if not text:
        return None
    kind = PARAMETERS[name].type
    if kind == list[str]:
        return [one.strip() for one in text.split("|") if one.strip()]
    if kind is bool:
        if text.lower() not in TRUE | FALSE:
            raise Failure(Exit.USAGE, f"{name}: {text!r} is neither yes nor no")
        return text.lower() in TRUE
    try:
        return kind(text)
    except ValueError:
        raise Failure(Exit.USAGE, f"{name}: {text!r} is not a number") from None
