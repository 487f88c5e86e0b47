"""Looks at this machine: versions, device, memory, disk."""

import asyncio
import json
import os
import shutil
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from worker.doctor.finding import Finding, Grade
from worker.environment import prepare_environment
from worker.settings import Settings

NEEDED: Final = ("torch", "diffusers", "transformers", "safetensors", "pillow")
PROBE_SECONDS: Final = 180.0
"""A slow machine reads torch for the first time."""
LITTLE_MEMORY: Final = 4 * 2**30
LITTLE_DISK: Final = 10 * 2**30
NO_DISK: Final = 2**30
SMALL_GPU: Final = 6 * 2**30


def versions() -> Iterator[Finding]:
    """Say what is installed."""
    here, missing = [f"Python {sys.version.split()[0]}"], []
    for package in ("stable-horde", *NEEDED):
        try:
            here.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            missing.append(package)
    if missing:
        advice = "install the worker with what it needs: pip install 'stable-horde[worker]'"
        yield Finding("versions", Grade.BAD, f"missing: {', '.join(missing)}", advice)
    else:
        yield Finding("versions", Grade.FINE, ", ".join(here))


async def device(settings: Settings) -> Finding:
    """Say what renders, from a process that imports torch."""
    prepare_environment()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "worker.commands.device", settings.device),
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            said, failed = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return Finding("device", Grade.BAD, f"no answer in {PROBE_SECONDS:g} s", "restart it")
    if process.returncode:
        reason = failed.decode(errors="replace").strip().rpartition("\n")[2]
        advice = "set device = 'cpu', or install the driver and the build of torch that fit it"
        return Finding("device", Grade.BAD, f"{settings.device}: {reason}", advice)
    return _device(json.loads(said))


def _device(found: dict[str, object]) -> Finding:
    speed = f"{found['gflops']} GFLOP/s"
    if found["device"] == "cpu":
        return Finding(
            "device",
            Grade.ODD,
            f"cpu, {os.cpu_count()} cores, {speed}",
            "fine for the model that ships; larger ones take minutes a picture without a GPU. "
            "Where there is one: install its driver and a build of torch for it",
        )
    total = found.get("bytes")
    if not isinstance(total, int):
        return Finding("device", Grade.FINE, f"{found['device']}, {speed}")
    name = f"{found['device']}: {found.get('name')}, {total / 2**30:.1f} GiB, {speed}"
    if total < SMALL_GPU:
        advice = "enough for Stable Diffusion 1 and 2; set max_pixels = 589824 for large pictures"
        return Finding("device", Grade.ODD, name, advice)
    return Finding("device", Grade.FINE, name)


def memory() -> Finding:
    """Say how much memory is free."""
    free = _free_memory()
    if free is None:
        return Finding("memory", Grade.FINE, "not told by this system")
    found = f"{free / 2**30:.1f} GiB free"
    if free < LITTLE_MEMORY:
        advice = "enough for the model that ships; checkpoints of others need 4 GiB and more"
        return Finding("memory", Grade.ODD, found, advice)
    return Finding("memory", Grade.FINE, found)


def _free_memory() -> int | None:
    """Read the bytes that programs could still have (Linux)."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    return int(fields["MemAvailable"].split()[0]) * 1024 if "MemAvailable" in fields else None


def disk(settings: Settings) -> Iterator[Finding]:
    """Say how much room there is for models, and whether it may be written to."""
    folder = settings.data_dir
    there = next(one for one in (folder, *folder.parents) if one.exists())
    if not os.access(there, os.W_OK):
        yield Finding(
            "disk", Grade.BAD, f"{there} cannot be written to", "set data_dir to a folder of yours"
        )
        return
    free = shutil.disk_usage(there).free
    found = f"{free / 2**30:.1f} GiB free in {folder}"
    if free < NO_DISK:
        advice = "make room, or set data_dir to another disk"
        yield Finding("disk", Grade.BAD, found, advice)
    elif free < LITTLE_DISK:
        advice = "a checkpoint takes 2 to 24 GiB; data_dir may lie on another disk"
        yield Finding("disk", Grade.ODD, found, advice)
    else:
        yield Finding("disk", Grade.FINE, found)
