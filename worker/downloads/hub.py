"""Reads what a repository of a model hub has (https://huggingface.co/docs/hub/api)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from worker.downloads.parts import CannotFetch
from worker.downloads.transfer import Remote, Transfer

NAME: Final = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")
CONFIGURATION: Final = (".jinja", ".json", ".txt", ".model")
WEIGHTS: Final = ".safetensors"
LEFT_OUT: Final = frozenset({"safety_checker", "feature_extractor"})
"""Parts of pipelines that this worker does not load."""
HALF: Final = "fp16"
SHARD: Final = re.compile(r"-\d{5}-of-\d{5}")
MAX_FILES: Final = 5000


@dataclass(frozen=True)
class Repository:
    """What a hub says of a repository at one commit. files: path to (bytes, sha256 or None)."""

    name: str
    commit: str
    licence: str
    files: Mapping[str, tuple[int | None, str | None]]


class Hub:
    """One hub. token: of somebody who has accepted the terms of its gated models."""

    def __init__(self, url: str, token: str, transfer: Transfer) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._transfer = transfer

    async def look(self, name: str, revision: str = "main") -> Repository:
        """Ask what a repository has. Raises CannotFetch."""
        url = f"{self._url}/api/models/{name}/revision/{quote(revision, safe='')}?blobs=true"
        told = await self._transfer.json(url, self._headers)
        try:
            return _repository(name, told)
        except (KeyError, TypeError, ValueError) as error:
            raise CannotFetch(f"{self._url} says nothing useful of {name}: {error}") from None

    def remote(self, repository: Repository, path: str) -> Remote:
        """Say where a file of a repository is."""
        size, digest = repository.files[path]
        place = f"{repository.name}/resolve/{repository.commit}/{quote(path)}"
        return Remote(f"{self._url}/{place}", size, None, digest, self._headers)


def _repository(name: str, told: Any) -> Repository:  # noqa: ANN401 - whatever was answered
    files = {}
    for one in told["siblings"][:MAX_FILES]:
        path = str(one["rfilename"])
        if path.startswith("/") or ".." in path.split("/") or "\\" in path:
            raise ValueError(f"a file called {path[:80]!r}")
        large = one.get("lfs") or {}
        size = large.get("size", one.get("size"))
        digest = large.get("sha256")
        files[path] = (
            size if isinstance(size, int) else None,
            str(digest) if digest else None,
        )
    card = told.get("cardData") or {}
    licence = card.get("license_name") or card.get("license") or ""
    if isinstance(licence, list):
        licence = ", ".join(map(str, licence))
    commit = str(told["sha"])
    if not re.fullmatch(r"[0-9a-f]{7,64}", commit):
        raise ValueError("no commit")
    return Repository(name, commit, str(licence), files)


def pipeline_files(repository: Repository) -> dict[str, str]:
    """Choose the files of a diffusers folder: path there to path here.

    Of each part the weights of half size are taken where there are any, under the usual names.
    Raises CannotFetch where there are no safetensors.
    """
    if "model_index.json" not in repository.files:
        raise CannotFetch(
            f"{repository.name} is no folder of the diffusers library; name a file in it"
        )
    chosen = {"model_index.json": "model_index.json"}
    for folder, paths in _by_folder(repository.files).items():
        if folder in LEFT_OUT:
            continue
        chosen |= _configuration(paths)
        weights = dict(_weights(paths))
        if not weights and any(path.endswith((".bin", ".ckpt", ".pt")) for path in paths):
            raise CannotFetch(
                f"{repository.name} has {folder} as a pickle only, which could run anything here"
            )
        chosen |= weights
    return chosen


def model_files(repository: Repository, weights_name: str) -> dict[str, str]:
    """Choose the files of a model that is one folder. Raises CannotFetch without safetensors.

    weights_name: how the names of its weights begin.
    """
    top = [path for path in repository.files if "/" not in path]
    chosen = _configuration(top)
    weights = dict(_weights([path for path in top if path.startswith(weights_name)]))
    if "config.json" not in chosen or not weights:
        raise CannotFetch(f"{repository.name} has no model in safetensors at its top")
    return chosen | weights


def _configuration(paths: Iterable[str]) -> dict[str, str]:
    return {path: path for path in paths if path.endswith(CONFIGURATION) and not _index(path)}


def _by_folder(files: Iterable[str]) -> dict[str, list[str]]:
    """Group the files one folder down."""
    found: dict[str, list[str]] = {}
    for path in files:
        folder, slash, rest = path.partition("/")
        if slash and "/" not in rest:
            found.setdefault(folder, []).append(path)
    return found


def _weights(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Choose one set of weights, and give what its files are to be called."""
    sets: dict[str, list[str]] = {"": [], HALF: []}
    for path in paths:
        if path.endswith(WEIGHTS) or _index(path):
            stem = path.rpartition("/")[2]
            words = set(re.split(r"[.-]", SHARD.sub("", stem)))
            if "non_ema" not in words and not words & {"fp32", "int8", "fp8"}:
                sets[HALF if HALF in words else ""].append(path)
    for path in sets[HALF] if any(one.endswith(WEIGHTS) for one in sets[HALF]) else sets[""]:
        # An index names its shards, which keep their names; a single file has the usual one.
        plain = path if SHARD.search(path) else path.replace(f".{HALF}", "")
        yield path, plain


def _index(path: str) -> bool:
    return ".safetensors.index" in path and path.endswith(".json")
