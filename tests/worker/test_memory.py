"""What a control process keeps of the memory that pictures took."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import asyncio, os, sys
from worker import memory, pictures
from worker.renderer import Picture

if "return" in sys.argv:
    assert memory.return_large_blocks()
async def main():
    for side in (256, 1024, 512, 1280, 1024):
        rgb = os.urandom(side) * side * 3
        made = [Picture(side, side, rgb) for _ in range(2)]
        await asyncio.gather(*(asyncio.to_thread(pictures.to_webp, one) for one in made))
asyncio.run(main())
print(memory.resident(None))
"""


def resident_after_pictures(*arguments):
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return int(ran.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_an_idle_worker_keeps_nothing_of_the_memory_of_its_pictures():
    kept, returned = resident_after_pictures(), resident_after_pictures("return")
    assert kept - returned > 8 * 2**20
