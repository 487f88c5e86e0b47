"""Says what is to be fetched of a source, before anything of it is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import unquote, urlsplit

from worker.downloads import hub as hubs
from worker.downloads.civitai import CivitAI
from worker.downloads.hub import Hub
from worker.downloads.parts import CannotFetch
from worker.downloads.sources import Source
from worker.downloads.transfer import Remote
from worker.image.inspection import DIFFUSION, TRANSFORMERS
from worker.model_kinds import FILES, is_pipeline
from worker.shelf import ModelKind

SAFE: Final = ".safetensors"
SERVED_BASES: Final = re.compile("SD [12]|SDXL|Illustrious|NoobAI|Pony$")
"""As CivitAI calls what single files may be for."""


@dataclass(frozen=True)
class Plan:
    """What is to be fetched. files: by path below the model's folder; one file: `single`.

    licence: as the source calls it. about: a few words of the source on what it is.
    """

    files: Mapping[str, Remote]
    licence: str = ""
    about: str = ""
    single: str = ""

    @property
    def bytes(self) -> int:
        """How much room it takes, as far as it is known."""
        return sum(one.size or 0 for one in self.files.values())


@dataclass(frozen=True)
class Sites:
    """Where models are fetched."""

    hub: Hub
    civitai: CivitAI

    async def plan(self, source: Source, kind: ModelKind) -> Plan:
        """Ask a source what it has. Raises CannotFetch."""
        if source.hub is not None:
            return await self._of_hub(source, source.hub, kind)
        if source.civitai is not None:
            return await self._of_civitai(source, kind)
        if source.url is not None:
            name = PurePosixPath(unquote(urlsplit(source.url).path)).name
            see_safe(name, kind)
            return Plan({name: Remote(source.url)}, source.licence, single=name)
        raise CannotFetch(f"{source} is not to be fetched")

    async def _of_hub(self, source: Source, name: str, kind: ModelKind) -> Plan:
        repository = await self.hub.look(name, source.revision)
        licence = source.licence or repository.licence
        if source.file is not None:
            if source.file not in repository.files:
                raise CannotFetch(f"{name} has no file {source.file}")
            short = PurePosixPath(source.file).name
            see_safe(short, kind)
            files = {short: self.hub.remote(repository, source.file)}
            return Plan(files, licence, f"commit {repository.commit[:12]}", single=short)
        if is_pipeline(kind):
            chosen = hubs.pipeline_files(repository)
        else:
            is_part = kind == "controlnet"  # of a pipeline, as which its weights are called
            chosen = hubs.model_files(repository, DIFFUSION if is_part else TRANSFORMERS)
        files = {here: self.hub.remote(repository, there) for there, here in chosen.items()}
        return Plan(files, licence, f"commit {repository.commit[:12]}")

    async def _of_civitai(self, source: Source, kind: ModelKind) -> Plan:
        version = await self.civitai.look(source.civitai or None, source.version)
        if is_pipeline(kind) and version.base and not SERVED_BASES.match(version.base):
            raise CannotFetch(f"{version.title} is for {version.base}, which is not served here")
        name = re.sub(r"[^\w.-]+", "-", version.file)
        about = f"{version.title} ({version.base})" if version.base else version.title
        return Plan({name: version.remote}, version.licence, about, single=name)


def see_safe(name: str, kind: ModelKind) -> None:
    """See that a file is of a kind that cannot run anything. Raises CannotFetch."""
    endings = FILES.get(kind, (SAFE,))
    if not name.endswith(endings):
        raise CannotFetch(
            f"{name or 'it'} is no {endings[0]}: other files of models can run anything on this "
            "machine"
        )
