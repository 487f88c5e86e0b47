"""The picture folder: whole pictures or none, bounded, and never a path outside."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from core import db
from core.images import store
from core.images.signing import Signer
from core.images.store import FolderStore, PictureNotFound, PictureTooLarge, StorageFailed

SIGNER = Signer(b"a key" * 8)
PLAIN = "ac3b3e05-4f3c-4f9e-9d33-6e2c8f7a1b20"  # a test's name is the same in each process


@pytest.fixture
def folder(tmp_path):
    return FolderStore(tmp_path / "pictures", "http://horde.test", SIGNER, 1800)


@pytest.fixture
def name():
    return f"{uuid4()}.webp"


def files(folder):
    return [path for path in folder._root.rglob("*") if path.is_file()]


def age(path, seconds):
    os.utime(path, (time.time() - seconds,) * 2)


async def test_a_picture_is_kept_replaced_and_deleted(folder, name):
    assert await folder.get(name) is None
    assert not await folder.exists(name)
    await folder.put(name, b"first")
    await folder.put(name, b"second")
    assert await folder.get(name) == b"second"
    assert await folder.exists(name)
    await folder.delete(name)
    await folder.delete(name)
    assert await folder.get(name) is None
    assert files(folder) == []


async def test_a_second_store_on_the_folder_sees_the_same(folder, name):
    await folder.put(name, b"content")
    assert await FolderStore(folder._root, "", SIGNER, 1).get(name) == b"content"


async def test_links_are_the_servers_and_verify(folder, name):
    upload, download = urlsplit(folder.upload_url(name)), urlsplit(folder.download_url(name))
    for url in (upload, download):
        assert url.scheme + "://" + url.netloc == "http://horde.test"
        assert url.path == f"/pictures/{name}"
    assert SIGNER.verify("PUT", name, upload.query) == store.MAX_PICTURE_BYTES
    assert SIGNER.verify("GET", name, download.query) == 0


@pytest.mark.parametrize(
    "name",
    [
        "",
        "..",
        "../../etc/passwd",
        "/etc/passwd",
        "incoming",
        "a.webp",
        f"../{PLAIN}.webp",
        f"{PLAIN}.webp/..",
        f"{PLAIN}.webp\n",
        f"{PLAIN}.png",
        f"{PLAIN}.webp".upper(),
        f"{PLAIN.replace('-', '')}.webp",
        f"{PLAIN}.webp\0",
    ],
)
async def test_no_other_name_is_taken(folder, name):
    with pytest.raises(PictureNotFound):
        folder.upload_url(name)
    with pytest.raises(PictureNotFound):
        folder.download_url(name)
    for call in (folder.get, folder.exists, folder.delete):
        with pytest.raises(PictureNotFound):
            await call(name)
    with pytest.raises(PictureNotFound):
        await folder.put(name, b"content")
    assert files(folder) == []


async def test_a_picture_has_a_largest_size(folder, name, monkeypatch):
    monkeypatch.setattr(store, "MAX_PICTURE_BYTES", 10)
    await folder.put(name, b"0123456789")
    with pytest.raises(PictureTooLarge, match="10 bytes"):
        await folder.put(name, b"0123456789a")
    assert await folder.get(name) == b"0123456789"


async def test_a_picture_that_cannot_be_written_leaves_nothing(folder, name):
    in_the_way = folder._path(name)
    (in_the_way / "a folder").mkdir(parents=True)
    with pytest.raises(StorageFailed):
        await folder.put(name, b"content")
    assert files(folder) == []


async def test_on_a_full_disk_nothing_is_kept_and_the_log_says_so_once(folder, name, full_disk):
    for keep in (folder.put, folder.receive):
        with full_disk(), capture_logs() as said, pytest.raises(StorageFailed):
            await keep(name, b"content")
        assert [line["error"] for line in said] == ["No space left on device"]
        assert files(folder) == []
    await folder.put(name, b"content")  # there is room again
    assert await folder.get(name) == b"content"


async def test_what_is_received_is_seen_once_it_is_accepted_and_stays(folder, name):
    assert await folder.accept(name) is None
    assert await folder.received(name) is None
    await folder.receive(name, b"first")
    await folder.receive(name, b"second")
    assert await folder.get(name) is None
    assert await folder.get_received(name) == b"second"
    assert await folder.accept(name) == b"second"
    await folder.receive(name, b"too late")
    assert await folder.get(name) == b"second"
    await folder.delete(name)
    assert files(folder) == []


async def test_what_was_accepted_for_nothing_can_be_accepted_again(folder, name):
    await folder.receive(name, b"first")
    await folder.accept(name)  # and the transaction that did it fails
    assert await folder.received(name) == b"first"
    assert await folder.get_received(name) == b"first"
    assert await folder.accept(name) == b"first"


async def test_what_was_never_accepted_is_swept(folder, name):
    await folder.receive(name, b"content")
    assert await folder.sweep(db.now() - timedelta(hours=1)) == 0
    age(folder._received(name), 7200)
    assert await folder.sweep(db.now() - timedelta(hours=1)) == 1
    assert files(folder) == []


async def test_a_sweep_takes_the_old_and_leaves_the_new(folder):
    old, new = [f"{uuid4()}.webp" for _ in range(5)], [f"{uuid4()}.webp" for _ in range(5)]
    for each in [*old, *new]:
        await folder.put(each, b"content")
    for each in old:
        age(folder._path(each), 7200)
    assert await folder.sweep(db.now() - timedelta(hours=1)) == 5
    assert await folder.sweep(db.now() - timedelta(hours=1)) == 0
    assert [await folder.exists(each) for each in [*old, *new]] == [False] * 5 + [True] * 5


async def test_a_sweep_takes_a_batch_at_a_time(folder, monkeypatch):
    monkeypatch.setattr(store, "SWEEP_BATCH", 4)
    for number in range(10):  # several in a folder, several folders
        await folder.put(f"{number % 3:02x}00{uuid4()}"[:8] + f"{uuid4()}.webp"[8:], b"content")
    soon = db.now() + timedelta(hours=1)
    assert [await folder.sweep(soon) for _ in range(4)] == [4, 4, 2, 0]


async def test_a_sweep_of_a_folder_that_is_not_there_yet_finds_nothing(folder):
    assert await folder.sweep(db.now()) == 0


WRITER = """
import asyncio, sys
from pathlib import Path
from uuid import uuid4
from core.images.signing import Signer
from core.images.store import FolderStore

async def main():
    folder = FolderStore(Path(sys.argv[1]), "", Signer(b"key"), 1)
    pictures = {name: name.encode() * 400_000 for name in (f"{uuid4()}.webp" for _ in range(4))}
    while True:
        for name, content in pictures.items():
            print("writing", flush=True)
            await folder.put(name, content)

asyncio.run(main())
"""


def test_a_killed_process_leaves_whole_pictures_only(folder):
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, folder._root],
            stdout=subprocess.PIPE,
            cwd=Path(store.__file__).parents[2],
        )
        for _ in range(6):
            assert process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    pictures = [path for path in files(folder) if path.suffix == ".webp"]
    assert len(pictures) >= 12
    for path in pictures:
        assert path.read_bytes() == path.name.encode() * 400_000


async def test_what_a_killed_process_left_half_written_is_swept(folder, name):
    await folder.put(name, b"content")
    incoming = folder._root / "incoming"
    (incoming / "being written").write_bytes(b"half")
    (incoming / "left behind").write_bytes(b"half")
    age(incoming / "left behind", store.UNFINISHED_SECONDS + 10)
    assert await folder.sweep(db.now() - timedelta(days=1)) == 0
    assert sorted(path.name for path in files(folder)) == sorted(["being written", name])


async def test_a_picture_can_be_read_in_pieces(folder, name):
    assert [piece async for piece in folder.pieces(name)] == []
    content = os.urandom(store.PIECE_BYTES * 2 + 100)
    await folder.put(name, content)
    pieces = [piece async for piece in folder.pieces(name)]
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) == store.PIECE_BYTES
    assert store.PIECE_BYTES % 3 == 0
