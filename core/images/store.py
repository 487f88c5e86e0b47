"""The store of pictures: a folder, with signed links that this server serves itself."""

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

import structlog

from core.db import now
from core.errors import Invalid, NotFound, Unavailable
from core.images import files
from core.images.signing import Signer

MAX_PICTURE_BYTES: Final = 20 * 1024 * 1024
PIECE_BYTES: Final = 3 * 64 * 1024
"""A multiple of three, so that the pieces in base64 form one text."""
SWEEP_BATCH: Final = 1000
"""The most pictures one sweep deletes."""
UNFINISHED_SECONDS: Final = 3600
"""A half-written file this old belongs to a process that was killed: writing takes seconds."""

_NAME: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\.webp")
_INCOMING: Final = "incoming"
"""The folder of files that are being written."""
_RECEIVED: Final = "received"
"""The folder of uploaded pictures that no job has accepted yet."""

_log = structlog.get_logger(__name__)


class PictureNotFound(NotFound):
    """No picture has this name, nor could one have it."""

    code = "PictureNotFound"


class PictureTooLarge(Invalid):
    """More bytes than a picture may have."""

    code = "PictureTooLarge"


class StorageFailed(Unavailable):
    """A picture cannot be stored: the disk is full, say. The log tells the operator more."""

    code = "StorageFailed"


class Store(Protocol):
    """A place for pictures.

    A name is `<uuid>.webp` in lower case; any other raises PictureNotFound.
    """

    def upload_url(self, name: str) -> str:
        """A link to which up to MAX_PICTURE_BYTES may be PUT, for a limited time."""

    def download_url(self, name: str) -> str:
        """A link from which the picture can be fetched, for a limited time."""

    async def put(self, name: str, content: bytes) -> None:
        """Store a picture, whole or not at all; one of the same name is replaced."""

    async def receive(self, name: str, content: bytes) -> None:
        """Keep a picture aside, where nobody sees it until it is accepted; otherwise like `put`."""

    async def received(self, name: str) -> bytes | None:
        """The first `webp.HEAD_BYTES` of the picture that `accept` would publish."""

    async def accept(self, name: str) -> bytes | None:
        """Make the received picture the one of this name, from now on.

        Later uploads do not change it. Returns its start as `received` does, or None if there is no
        such picture.
        """

    async def get(self, name: str) -> bytes | None:
        """The picture's bytes; None if there is none."""

    def pieces(self, name: str) -> AsyncIterator[bytes]:
        """The same in pieces of PIECE_BYTES, the last may be smaller; none if there is no picture.

        Only one of them at a time is in memory.
        """

    async def get_received(self, name: str) -> bytes | None:
        """The bytes of the picture that `accept` would publish."""

    async def exists(self, name: str) -> bool:
        """Whether there is such a picture."""

    async def delete(self, name: str) -> None:
        """Remove the picture, if it is there."""

    async def sweep(self, older_than: datetime) -> int:
        """Delete pictures put before `older_than`, up to a batch. Returns how many.

        Call it again while it returns more than zero.
        """


class FolderStore:
    """Pictures as files below `root`, spread over 256 * 256 folders by the start of their names.

    A file is written beside the others and renamed, so a killed process leaves no part of a picture
    under its name. Nothing is forced to disk: a power cut may lose the last seconds' pictures.
    All file operations run in threads.

    base_url: the server's address, without a trailing slash; it serves `/pictures/<name>?<query>`.
    url_seconds: how long links are valid.
    path: the start of links, instead of `pictures`.
    """

    def __init__(
        self,
        root: Path,
        base_url: str,
        signer: Signer,
        url_seconds: int,
        *,
        path: str = "pictures",
    ) -> None:
        self._root = root
        self._base_url = f"{base_url}/{path}"
        self._signer = signer
        self._url_seconds = url_seconds

    def upload_url(self, name: str) -> str:
        """A link to which up to MAX_PICTURE_BYTES may be PUT."""
        return self._url("PUT", name, MAX_PICTURE_BYTES)

    def download_url(self, name: str) -> str:
        """A link from which the picture can be fetched."""
        return self._url("GET", name, 0)

    async def put(self, name: str, content: bytes) -> None:
        """Store a picture. Raises PictureTooLarge over MAX_PICTURE_BYTES."""
        await self._keep(self._path(name), content)

    async def receive(self, name: str, content: bytes) -> None:
        """Keep a picture aside. Raises what `put` does."""
        await self._keep(self._received(name), content)

    async def received(self, name: str) -> bytes | None:
        """The start of the picture that `accept` would publish."""
        return await asyncio.to_thread(files.start, self._received(name), self._path(name))

    async def accept(self, name: str) -> bytes | None:
        """Publish the received picture. If none was received, one that was accepted before stays.

        The latter happens if the transaction that accepted it failed. Raises StorageFailed.
        """
        try:
            return await asyncio.to_thread(files.accept, self._received(name), self._path(name))
        except OSError as error:
            raise _failed(error) from error

    async def get(self, name: str) -> bytes | None:
        """The picture's bytes; None if there is none."""
        return await asyncio.to_thread(files.read, self._path(name))

    async def pieces(self, name: str) -> AsyncIterator[bytes]:
        """The picture's bytes in pieces; none if there is none."""
        try:
            file = await asyncio.to_thread(self._path(name).open, "rb")
        except FileNotFoundError:
            return
        try:
            while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
                yield piece
        finally:
            file.close()

    async def get_received(self, name: str) -> bytes | None:
        """The bytes of the picture that `accept` would publish."""
        received = await asyncio.to_thread(files.read, self._received(name))
        return await self.get(name) if received is None else received

    async def exists(self, name: str) -> bool:
        """Whether there is such a picture."""
        return await asyncio.to_thread(self._path(name).is_file)

    async def delete(self, name: str) -> None:
        """Remove the picture, if it is there."""
        for path in (self._received(name), self._path(name)):
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def sweep(self, older_than: datetime) -> int:
        """Delete up to SWEEP_BATCH old pictures, and files that killed processes left half-written.

        One thread call for each of the 256 outer folders, so that others get their turn.
        """
        unfinished = time.time() - UNFINISHED_SECONDS
        await asyncio.to_thread(files.remove_old, self._root / _INCOMING, unfinished, SWEEP_BATCH)
        gone = await asyncio.to_thread(
            files.remove_old, self._root / _RECEIVED, older_than.timestamp(), SWEEP_BATCH
        )
        for outer in await asyncio.to_thread(files.folders, self._root):
            if outer.name not in (_INCOMING, _RECEIVED):
                gone += await asyncio.to_thread(
                    files.sweep_outer, outer, older_than.timestamp(), SWEEP_BATCH - gone
                )
            if gone >= SWEEP_BATCH:
                break
        return gone

    def _url(self, method: str, name: str, max_bytes: int) -> str:
        _check(name)
        expires = now() + timedelta(seconds=self._url_seconds)
        query = self._signer.sign(method, name, expires, max_bytes)
        return f"{self._base_url}/{name}?{query}"

    def _path(self, name: str) -> Path:
        _check(name)
        return self._root / name[:2] / name[2:4] / name

    def _received(self, name: str) -> Path:
        _check(name)
        return self._root / _RECEIVED / name

    async def _keep(self, path: Path, content: bytes) -> None:
        if len(content) > MAX_PICTURE_BYTES:
            raise PictureTooLarge(
                f"A picture may have {MAX_PICTURE_BYTES} bytes; this one has {len(content)}."
            )
        try:
            await asyncio.to_thread(self._write, path, content)
        except OSError as error:
            raise _failed(error) from error

    def _write(self, path: Path, content: bytes) -> None:
        unfinished = self._root / _INCOMING / secrets.token_hex(16)
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        try:
            unfinished.write_bytes(content)
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.replace(path)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise


def _check(name: str) -> None:
    """Only such names become paths, so that no name leads out of the folder."""
    if not _NAME.fullmatch(name):
        raise PictureNotFound("There is no picture of that name.")


def _failed(error: OSError) -> StorageFailed:
    _log.error("a picture cannot be kept", error=error.strerror or str(error))
    return StorageFailed("Pictures cannot be kept at the moment. Please try again later.")
