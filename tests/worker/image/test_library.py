"""Where adaptations come from: folders, CivitAI, or nowhere; and what is said about it."""

import asyncio
import threading

import pytest

from core.wire.image import ModelPayloadStable
from worker.image import library as module
from worker.image.kind import Pictures
from worker.image.library import Library, NotHad
from worker.offers import image_offer, library
from worker.settings import Settings


class Fetching:
    """Stands for CivitAI: has what it is told to have."""

    def __init__(self):
        self.asked, self.has, self.go = [], set(), asyncio.Event()
        self.go.set()

    async def __call__(self, model, version, target):
        self.asked.append((model, version))
        await self.go.wait()
        if (model, version) not in self.has:
            raise NotHad("no such thing")
        target.write_bytes(b"x" * 100)


@pytest.fixture
def fetching():
    return Fetching()


@pytest.fixture
def shelf(tmp_path, fetching):
    for name in ("loras/Ink.safetensors", "loras/readme.txt", "embeddings/Bad.pt"):
        (tmp_path / "models" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "models" / name).write_bytes(b"x")
    return Library([tmp_path / "models"], tmp_path / "fetched", 250, fetching)


def payload(loras=(), tis=()):
    return ModelPayloadStable.model_validate({"loras": list(loras), "tis": list(tis)})


async def test_what_people_brought_is_found_by_its_name(shelf, fetching):
    needed = await shelf.needed(
        payload(
            [{"name": "ink", "model": 0.5, "clip": 2.0, "inject_trigger": "ink style"}],
            [{"name": "bad", "inject_ti": "negprompt", "strength": 0.8}],
        )
    )
    [lora], [word] = needed.adaptations, needed.words
    assert (lora.file.name, lora.model, lora.clip) == ("Ink.safetensors", 0.5, 2.0)
    assert word.file.name == "Bad.pt"
    assert needed.prompt == ("ink style", "(embedding:bad:0.8)")
    assert (needed.notes, fetching.asked) == ((), [])


async def test_what_civitai_has_is_fetched_once_and_kept(shelf, fetching):
    fetching.has = {(7, None), (None, 8)}
    wanted = payload([{"name": "7"}, {"name": "8", "is_version": True}])
    first, again = await asyncio.gather(shelf.needed(wanted), shelf.needed(wanted))
    assert first == again
    assert len(first.adaptations) == 2
    assert sorted(fetching.asked, key=str) == [(7, None), (None, 8)]
    await shelf.needed(wanted)
    assert len(fetching.asked) == 2


async def test_what_is_not_to_be_had_is_noted_and_not_asked_for_again_for_a_while(
    shelf, fetching, monkeypatch
):
    wanted = payload([{"name": "9"}, {"name": "../../etc/passwd"}], [{"name": "10"}])
    for _ in range(2):
        needed = await shelf.needed(wanted)
        assert [(one.type, one.value, one.ref) for one in needed.notes] == [
            ("lora", "download_failed", "9"),
            ("lora", "download_failed", "../../etc/passwd"),
            ("ti", "download_failed", "10"),
        ]
    assert sorted(fetching.asked) == [(9, None), (10, None)]
    monkeypatch.setattr(module, "FORGOTTEN_SECONDS", 0)
    shelf._missing.clear()
    fetching.has = {(9, None)}
    await shelf.needed(payload([{"name": "9"}]))
    assert len(fetching.asked) == 3


async def test_what_takes_too_long_comes_in_for_the_next_order(shelf, fetching, monkeypatch):
    monkeypatch.setattr(module, "FETCH_SECONDS", 0.01)
    fetching.has, wanted = {(7, None)}, payload([{"name": "7"}])
    fetching.go.clear()
    needed = await shelf.needed(wanted)
    assert needed.notes[0].value == "download_failed"
    fetching.go.set()
    while shelf._coming:
        await asyncio.sleep(0)
        await asyncio.gather(*shelf._coming.values())
    assert (await shelf.needed(wanted)).adaptations
    assert fetching.asked == [(7, None)]


async def test_what_was_not_used_for_longest_makes_room(shelf, fetching):
    import os

    for number in range(1, 5):
        fetching.has.add((number, None))
        await shelf.needed(payload([{"name": str(number)}]))
        for age, path in enumerate(sorted(shelf.kept.glob("*/*"), reverse=True)):
            os.utime(path, (1000 - age, 1000 - age))
    kept = sorted(path.name for path in shelf.kept.glob("*/*"))
    assert kept == ["model-3.safetensors", "model-4.safetensors"]


@pytest.mark.parametrize(
    ("lora", "brought", "offered"),
    [("auto", True, True), ("auto", False, False), ("off", True, False), ("fetch", False, True)],
)
def test_it_is_offered_where_there_is_something_to_offer(tmp_path, lora, brought, offered):
    folder = tmp_path / "models"
    (folder / "loras").mkdir(parents=True)
    if brought:
        (folder / "loras" / "a.safetensors").touch()
    settings = Settings(lora=lora, data_dir=tmp_path / "data")
    found = library(settings, [folder])
    assert (found is not None) == offered
    offer = Pictures(None, image_offer(settings), library=found)._offer
    assert offer.allow_lora == offered


async def test_an_order_with_a_lora_is_made_with_it(horde, serve, tmp_path):
    from fake_renderers import FakeRenderer, ThreadEngine

    (tmp_path / "loras").mkdir()
    (tmp_path / "loras" / "ink.safetensors").touch()
    seen = []

    class Looking(FakeRenderer):
        def render(self, order, on_step):
            seen.append(order)
            return super().render(order, on_step)

    settings = Settings(url=horde.url, name="tester", wait_seconds=0.05)
    shelf = Library([tmp_path], tmp_path / "fetched", 0)
    asked = {"loras": [{"name": "ink"}, {"name": "none"}]}
    [job] = horde.add(payload=asked)
    async with serve(
        ThreadEngine(Looking()),
        kind=lambda client: Pictures(client, image_offer(settings), library=shelf),
    ) as serving:
        assert (await serving.submitted(job))["state"] == "ok"
    [order] = seen
    assert [one.name for one in order.adaptations] == ["ink"]
    assert [one.value for one in order.notes] == ["download_failed"]


class CivitAI(threading.Thread):
    """A site of the same form, on loopback."""

    def __init__(self, file):
        super().__init__(daemon=True)
        import json
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

        site = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                url = site.url
                version = {
                    "id": 8,
                    "name": "one",
                    "modelId": 7,
                    "files": [
                        {
                            "name": "ink.safetensors",
                            "type": "Model",
                            "sizeKB": len(file) / 1024,
                            "downloadUrl": f"{url}/api/download/models/8",
                        }
                    ],
                }
                answers = {
                    "/api/v1/models/7": {"name": "Ink", "modelVersions": [version]},
                    "/api/v1/model-versions/8": version,
                }
                body = file if "download" in self.path else None
                if self.path in answers:
                    body = json.dumps(answers[self.path]).encode()
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def run(self):
        self.server.serve_forever(0.01)


async def test_the_fetcher_speaks_civitais_language(tmp_path):
    from worker.downloads.adaptations import FromCivitAI

    site = CivitAI(b"tensors")
    site.start()
    fetch, target = FromCivitAI(site.url, ""), tmp_path / "ink.safetensors"
    for numbers in ((7, None), (None, 8)):
        await fetch(*numbers, target)
        assert target.read_bytes() == b"tensors"
        target.unlink()
    for numbers in ((9, None), (None, 9)):
        with pytest.raises(NotHad):
            await fetch(*numbers, target)
    with pytest.raises(NotHad, match="7 bytes"):
        await FromCivitAI(site.url, "", max_bytes=6)(7, None, target)
    site.server.shutdown()
    site.server.server_close()
