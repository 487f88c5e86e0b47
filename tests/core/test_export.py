"""`python -m core ratings export`, as a process."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import serving

ROOT = Path(__file__).parents[2]


async def test_the_data_set_is_written_as_json_lines(sqlite_url, tmp_path):
    async with serving.in_process(sqlite_url, tmp_path) as server:
        shop = await serving.open_shop(server)
        await shop.ask(key=shop.owner.key, shared=True)
        popped = await shop.pop()
        await shop.deliver(popped)
    to = tmp_path / "out.jsonl"
    settings = {
        "HORDE_DATA_DIR": str(tmp_path),
        "HORDE_DATABASE_URL": sqlite_url,
        "HORDE_SECRET_KEY": "a secret of the tests, long enough",
    }
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "core", "ratings", "export", "--to", to],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    (line,) = to.read_text().splitlines()
    record = json.loads(line)
    assert (record["id"], record["prompt"]) == (popped["id"], "a red fox")
    (file,) = (tmp_path / "shared").rglob(record["file"])
    assert file.is_file()
    assert "1 pictures" in done.stdout
    assert not list(tmp_path.glob("*.unfinished"))
