"""Reads what CivitAI says of a model (https://developer.civitai.com/docs/api/public-rest)."""

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from worker.downloads.parts import CannotFetch
from worker.downloads.transfer import Remote, Transfer

UNITS: Final = {
    "allowNoCredit": "no credit needed",
    "allowDerivatives": "changes allowed",
    "allowDifferentLicense": "other terms allowed",
}


@dataclass(frozen=True)
class Version:
    """One version of a model. remote: its file, of which the length is known roughly."""

    title: str
    base: str
    licence: str
    file: str
    remote: Remote


class CivitAI:
    """The site. token: of somebody whom it lets download."""

    def __init__(self, url: str, token: str, transfer: Transfer) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._transfer = transfer

    async def look(self, model: int | None, version: int | None) -> Version:
        """Ask for a version of a model, or for its newest. Raises CannotFetch."""
        try:
            if version is None:
                told = await self._ask(f"models/{model}")
                newest = next(one for one in told["modelVersions"] if _files(one))
                return self._version(newest, told)
            told = await self._ask(f"model-versions/{version}")
            about = await self._ask(f"models/{told['modelId']}") if "modelId" in told else {}
            return self._version(told, about)
        except StopIteration:
            raise CannotFetch("CivitAI has no version of it in safetensors") from None
        except (KeyError, TypeError, ValueError) as error:
            raise CannotFetch(f"CivitAI says nothing useful of it: {error}") from None

    async def _ask(self, what: str) -> Any:  # noqa: ANN401 - whatever it answers
        return await self._transfer.json(f"{self._url}/api/v1/{what}", self._headers)

    def _version(self, told: Any, about: Any) -> Version:  # noqa: ANN401
        files = _files(told)
        if not files:
            raise CannotFetch("this version is no file in safetensors, the only kind that is safe")
        best = max(files, key=lambda one: (bool(one.get("primary")), -float(one.get("sizeKB", 0))))
        digest = (best.get("hashes") or {}).get("SHA256")
        about_bytes = round(float(best["sizeKB"]) * 1024) if "sizeKB" in best else None
        name = str((about or told.get("model") or {}).get("name", "a model"))
        url = str(best.get("downloadUrl") or f"{self._url}/api/download/models/{told['id']}")
        # Its own links name the public site, whatever address this is.
        path = urlsplit(url)
        here = f"{self._url}{path.path}" + (f"?{path.query}" if path.query else "")
        return Version(
            title=f"{name} {told.get('name', '')}".strip(),
            base=str(told.get("baseModel", "")),
            licence=_terms(about),
            file=str(best["name"]),
            remote=Remote(here, None, about_bytes, digest and str(digest).lower(), self._headers),
        )


def read(place: str) -> tuple[int | None, int | None] | None:
    """Read a model's and a version's number off `civitai:7`, `civitai:7@8` or a page's address."""
    if found := re.fullmatch(r"civitai:(\d+)(?:@(\d+))?", place):
        return int(found[1]), int(found[2]) if found[2] else None
    parts = urlsplit(place)
    if found := re.fullmatch(r"/api/download/models/(\d+)", parts.path):
        return None, int(found[1])
    if found := re.match(r"/models/(\d+)", parts.path):
        version = parse_qs(parts.query).get("modelVersionId", [""])[0]
        return int(found[1]), int(version) if version.isdecimal() else None
    return None


def _files(version: Any) -> list[Any]:  # noqa: ANN401
    """Give the files of a version that hold a model and run nothing."""
    return [
        one
        for one in version.get("files") or ()
        if one.get("type") in {"Model", "Pruned Model"}
        and str(one.get("name", "")).endswith(".safetensors")
    ]


def _terms(about: Any) -> str:  # noqa: ANN401
    """Say in words what the author allows."""
    if not about:
        return ""
    said = [words for key, words in UNITS.items() if about.get(key)]
    commercial = about.get("allowCommercialUse") or []
    named = commercial if isinstance(commercial, list) else [commercial]
    said.append(f"commercial use: {', '.join(map(str, named)) or 'None'}")
    return "; ".join(said)
