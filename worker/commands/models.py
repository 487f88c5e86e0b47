"""`horde-worker models`: lists, adds, removes and verifies what is served."""

import argparse
import asyncio
from importlib.util import find_spec
from typing import Final, get_args

from core.client.errors import HordeError
from worker import lookup
from worker.commands import told
from worker.configuration import files
from worker.downloads import sources
from worker.downloads.adding import Adder, Wanted, facts_below, remove
from worker.downloads.civitai import CivitAI
from worker.downloads.hub import Hub
from worker.downloads.parts import CannotFetch, facts_of
from worker.downloads.plan import Sites
from worker.downloads.progress import Shown
from worker.downloads.transfer import Transfer
from worker.faces import fixer
from worker.image import control
from worker.settings import SHIPPED, Settings
from worker.shelf import BrokenList, Kept, ModelKind, Shelf
from worker.text import gguf_files

AGENT: Final = "stable-horde-worker (https://github.com/stable-horde/stable-horde)"


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the commands."""
    made = commands.add_parser("models", help="list, add, remove and verify models")
    made.set_defaults(do=list_all)
    steps = made.add_subparsers(metavar="WHAT", required=True)
    listing = steps.add_parser("list", help="what is here; --known: what could be")
    listing.add_argument("--known", action="store_true", help="also what could be added by name")
    listing.set_defaults(do=list_all)
    adding = steps.add_parser("add", help="fetch a model, or use one that is on this machine")
    adding.add_argument("name", help="the name on the horde")
    adding.add_argument(
        "--from",
        dest="source",
        metavar="SOURCE",
        help="hub, civitai, hub:OWNER/NAME[:FILE], civitai:NUMBER[@VERSION], an address, a file "
        "or a folder; by default the first place that is known",
    )
    adding.add_argument("--kind", choices=get_args(ModelKind))
    adding.add_argument(
        "--control",
        metavar="TYPE",
        choices=control.TYPES,
        action="append",
        help="what a ControlNet is for, where its name does not say it; may be given again",
    )
    adding.set_defaults(do=add)
    removing = steps.add_parser("remove", help="take a model away")
    removing.add_argument("name")
    removing.set_defaults(do=take_away)
    verifying = steps.add_parser("verify", help="compare files with their checksums")
    verifying.add_argument("name", nargs="*", help="those; all by default")
    verifying.set_defaults(do=verify)


def list_all(arguments: argparse.Namespace) -> int:
    """Print what is here, and what could be."""
    shelf = _shelf(files.load(arguments.config).settings)
    here = _read(shelf)
    for folder in sorted(path for path in SHIPPED.iterdir() if path.is_dir()):
        told.line(f"{folder.name}  (ships with this program)")
    for kept in here.values():
        size = sum(one.bytes for one in kept.files.values()) / 2**20
        licence = f", {kept.licence}" if kept.licence else ""
        types = f" for {', '.join(kept.control_types)}" if kept.control_types else ""
        told.line(f"{kept.name}  ({kept.kind}{types}, {size:,.0f} MB, from {kept.source}{licence})")
    if arguments.known:
        told.line("could be added by name (any text model, too, as its hub calls it: OWNER/NAME):")
        for known in sources.catalogue().values():
            if known.name not in here:
                places = ", ".join(str(one) for one in known.sources)
                told.line(f"  {known.name}  ({known.kind}; {places})")
    return told.FINE


def add(arguments: argparse.Namespace) -> int:
    """Add a model."""
    settings = files.load(arguments.config).settings
    types = frozenset(arguments.control or ())
    is_gguf = (arguments.source or "").endswith(gguf_files.ENDING)
    usual: ModelKind = "controlnet" if types else "text" if is_gguf else "image"
    kind = arguments.kind or sources.kind_of(arguments.name) or usual
    try:
        source = sources.choose(arguments.name, arguments.source)
        wanted = Wanted(arguments.name, kind, source, types)
        kept = asyncio.run(_add(settings, wanted))
    except (CannotFetch, BrokenList, HordeError, OSError) as error:
        told.error(str(error))
        return told.FAILED
    told.line(f"{kept.name} is here, in {_shelf(settings).path(kept)}")
    if kept.name == fixer.RESTRICTED and find_spec(fixer.MORE) is None:
        told.line(f"to be offered it needs the package {fixer.MORE}, as docs/worker.md says")
    if kept.kind == "face_fixer" and fixer.detector(lookup.folders(settings)) is None:
        told.line("it also needs what finds faces:")
        arguments.name, arguments.source, arguments.kind = fixer.DETECTOR, None, None
        return add(arguments)
    return told.FINE


async def _add(settings: Settings, wanted: Wanted) -> Kept:
    # Late: whoever serves does without it.
    import httpx  # noqa: PLC0415

    with Shown() as shown:
        async with httpx.AsyncClient(headers={"User-Agent": AGENT}) as http:
            transfer = Transfer(http, on_bytes=shown.on_bytes)
            sites = Sites(
                Hub(settings.hub_url, settings.hub_token.get_secret_value(), transfer),
                CivitAI(settings.civitai_url, settings.civitai_token.get_secret_value(), transfer),
            )
            adder = Adder(_shelf(settings), sites, transfer, shown.say, shown.begin)
            return await adder.add(wanted)


def take_away(arguments: argparse.Namespace) -> int:
    """Remove a model."""
    shelf = _shelf(files.load(arguments.config).settings)
    kept = _read(shelf).get(arguments.name)
    if kept is None:
        raise told.Wrong(f"{arguments.name} was not added here; `models list` says what was")
    gone = remove(shelf, kept)
    told.line(f"{kept.name} is removed" if gone else f"{kept.name} is forgotten; its files stay")
    return told.FINE


def verify(arguments: argparse.Namespace) -> int:
    """Compare what is here with what it was; the exit status is 1 where something differs."""
    shelf = _shelf(files.load(arguments.config).settings)
    here = _read(shelf)
    wrong = 0
    for name in arguments.name or here:
        if name not in here:
            raise told.Wrong(f"{name} was not added here; `models list` says what was")
        problems = _problems(shelf, here[name])
        wrong += bool(problems)
        told.line(f"{name}: {'; '.join(problems) or 'as it was'}")
    return told.FAILED if wrong else told.FINE


def _problems(shelf: Shelf, kept: Kept) -> list[str]:
    path = shelf.path(kept)
    if not path.exists():
        return [f"{path} is gone: remove and add it again"]
    now = facts_below(path) if path.is_dir() else {"": facts_of(path)}
    return [
        f"{one or path.name} is gone" if one not in now else f"{one or path.name} has changed"
        for one, facts in kept.files.items()
        if now.get(one) != facts
    ]


def _shelf(settings: Settings) -> Shelf:
    return Shelf(settings.data_dir)


def _read(shelf: Shelf) -> dict[str, Kept]:
    try:
        return shelf.read()
    except BrokenList as error:
        raise told.Wrong(str(error)) from None
