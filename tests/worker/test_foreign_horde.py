"""Other hordes have none of what is ours: the worker serves them by the contract alone."""

import base64
import io

from PIL import Image

import pictures
from core.features import OURS
from stub_horde import Handler


async def test_a_horde_without_extensions_is_served(horde, serve):
    """No waiting pop, no upload links, source pictures in base64, and words that nobody knows."""
    source = base64.b64encode(pictures.picture()).decode()
    [plain] = horde.add(uploads=False, something_new={"a": 1})
    [changed] = horde.add(uploads=False, source_image=source, source_processing="img2img")
    async with serve() as serving:
        for job in (plain, changed):
            result = await serving.submitted(job)
            assert result["state"] == "ok"
            made = Image.open(io.BytesIO(base64.b64decode(result["generation"])))
            assert made.format == "WEBP"
    assert horde.uploads == {}


async def test_the_worker_says_who_it_is_and_nobody_else(horde, serve, monkeypatch):
    agents = []
    pop = Handler._pop

    def noted(handler, body, *more):
        agents.append((handler.headers["Client-Agent"], body["bridge_agent"]))
        return pop(handler, body, *more)

    monkeypatch.setattr(Handler, "_pop", noted)
    async with serve() as serving:
        await serving.until(lambda: agents)
    assert agents[0][1].split(":")[0] == OURS
    assert "reGen" not in "".join(agents[0])
