"""A worker whose pictures and texts other programs make, from the pop to the upload."""

import asyncio
import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from core.client import HordeClient, Retries
from fake_renderers import ThreadEngine
from other_programs import KEY as PROGRAM_KEY
from other_programs import OpenAI, Program, WebUI
from stub_horde import KEY
from worker.crew import Crew
from worker.engine import Engine, Limits
from worker.proxy.renderers import making
from worker.served import NoModel
from worker.settings import Settings

ROOT = Path(__file__).parents[3]


class Said(list):
    def __getattr__(self, name):
        return lambda *_: None

    def say(self, sentence):
        self.append(sentence)


async def test_pictures_and_texts_of_other_programs_are_served(horde):
    with Program(WebUI) as webui, Program(OpenAI, key=PROGRAM_KEY) as openai:
        settings = Settings(
            url=horde.url,
            name="tester",
            kinds=["image", "text"],
            models=["stable_diffusion=v1-5-pruned-emaonly"],
            image_server=f"a1111={webui.url}",
            text_server=f"openai={openai.url}/v1",
            text_server_key=PROGRAM_KEY,
            wait_seconds=0.05,
            idle_seconds=0.1,
        )
        [picture] = horde.add(model="stable_diffusion", payload={"width": 320, "height": 192})
        text = horde.add_text(model="story-7b")
        stop, limits = asyncio.Event(), Limits(60, 60, 60)
        async with (
            HordeClient(horde.url, KEY, retries=Retries(attempts=1)) as client,
            Engine(making(PROGRAM_KEY), limits) as proxy,
        ):
            crew = Crew(settings, client, ThreadEngine(), Said(), proxy)
            running = asyncio.create_task(crew.run(stop))
            try:
                for job in (picture, text):
                    assert await asyncio.to_thread(
                        horde.until, lambda job=job: horde.submitted(job), 60
                    )
            finally:
                stop.set()
                await asyncio.wait_for(running, 60)
    assert horde.submitted(picture)["state"] == "ok"
    assert Image.open(io.BytesIO(horde.uploads[picture])).size == (320, 192)
    assert horde.submitted(text)["generation"] == "".join(OpenAI.WORDS)
    offered = {pop["name"]: pop for pop in horde.pops}
    assert offered["tester"]["models"] == ["stable_diffusion"]
    assert offered["tester"]["allow_post_processing"] is False
    assert offered["tester text"]["models"] == ["story-7b"]


@contextlib.asynccontextmanager
async def serving(horde, webui):
    """Serve the horde with this program's pictures; gives what is said."""
    settings = Settings(
        url=horde.url,
        name="tester",
        kinds=["image"],
        models=["stable_diffusion=v1-5-pruned-emaonly"],
        image_server=f"a1111={webui.url}",
        wait_seconds=0.05,
        idle_seconds=0.1,
    )
    stop, limits, said = asyncio.Event(), Limits(60, 60, 60), Said()
    async with (
        HordeClient(horde.url, KEY, retries=Retries(attempts=1)) as client,
        Engine(making(""), limits) as proxy,
    ):
        crew = Crew(settings, client, ThreadEngine(), said, proxy)
        running = asyncio.create_task(crew.run(stop))
        try:
            yield said
        finally:
            stop.set()
            await asyncio.wait_for(running, 60)


async def submitted(horde, job):
    assert await asyncio.to_thread(horde.until, lambda: horde.submitted(job), 60)
    return horde.submitted(job)


async def test_a_program_that_fails_at_everything_rests(horde):
    with Program(WebUI) as webui:
        webui.known["memory"] = True
        jobs = [horde.add(model="stable_diffusion")[0] for _ in range(3)]
        async with serving(horde, webui) as said:
            for job in jobs:
                told = (await submitted(horde, job))["gen_metadata"][-1]["ref"]
                assert told == "the server refuses: 500 OutOfMemoryError"
            assert [one for one in said if "is not offered for 15 minutes" in one]


async def test_a_job_says_that_its_program_went_away_and_the_next_is_made(horde):
    with Program(WebUI) as webui:

        def goes_away(handler):
            webui.odd.clear()
            handler.close_connection = True
            handler.connection.close()

        webui.odd["/sdapi/v1/txt2img"] = goes_away
        [lost], [made] = (horde.add(model="stable_diffusion") for _ in range(2))
        async with serving(horde, webui):
            told = (await submitted(horde, lost))["gen_metadata"][-1]["ref"]
            assert told == "the program behind this worker does not answer"
            assert (await submitted(horde, made))["state"] == "ok"


async def test_a_program_that_is_not_there_is_said(horde, free_port):
    settings = Settings(url=horde.url, image_server=f"comfyui=http://127.0.0.1:{free_port}")
    async with HordeClient(horde.url, KEY, retries=Retries(attempts=1)) as client:
        crew = Crew(settings, client, ThreadEngine(), Said(), ThreadEngine())
        with pytest.raises(NoModel, match=r"image_server: http.*ConnectError"):
            await crew.run(asyncio.Event())


async def test_models_that_the_program_has_not_are_said(horde):
    with Program(WebUI) as webui:
        settings = Settings(url=horde.url, models=["gone"], image_server=f"a1111={webui.url}")
        async with HordeClient(horde.url, KEY, retries=Retries(attempts=1)) as client:
            crew = Crew(settings, client, ThreadEngine(), Said(), ThreadEngine())
            with pytest.raises(NoModel, match="it has none of gone"):
                await crew.run(asyncio.Event())


def test_handing_on_needs_no_torch():
    script = (
        "import sys; from worker.proxy.renderers import make; make(key='');"
        "print(sorted({n.partition('.')[0] for n in sys.modules} & set(sys.argv[1:])))"
    )
    heavy = ["torch", "diffusers", "transformers", "numpy", "scipy", "accelerate"]
    ran = subprocess.run(
        [sys.executable, "-c", script, *heavy],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert ran.stdout.strip() == "[]"
