"""Installs the plug-in for GIMP 3, or packs it for another machine. Standard library only.

`python plugins/gimp/install.py` installs it for the user; `… --zip FILE` packs it.
"""

import argparse
import os
import re
import shutil
import stat
import sys
import zipfile
from pathlib import Path
from typing import Final

import catalogue

NAME: Final = "stable-horde"
DOMAIN: Final = "stable-horde"
OLDEST: Final = "3.0"
EXECUTABLE: Final = 0o755


def profiles() -> list[Path]:
    """The folders in which GIMP of this system keeps its profiles, a folder for each version."""
    home = Path.home()
    if sys.platform == "win32":
        return [Path(os.environ.get("APPDATA", home)) / "GIMP"]
    if sys.platform == "darwin":
        return [home / "Library" / "Application Support" / "GIMP"]
    configuration = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return [configuration / "GIMP", home / "snap" / "gimp" / "current" / ".config" / "GIMP"]


def target() -> Path:
    """Where plug-ins of the newest GIMP 3 of this user go."""
    if named := os.environ.get("GIMP3_DIRECTORY"):
        return Path(named) / "plug-ins"
    found = [
        (tuple(map(int, path.name.split("."))), path)
        for folder in profiles()
        for path in folder.glob("3.*")
        if re.fullmatch(r"3\.\d+", path.name)
    ]
    return (max(found)[1] if found else profiles()[0] / OLDEST) / "plug-ins"


def build(folder: Path) -> None:
    """Put the plug-in into a folder that may be there already: code, and compiled translations."""
    if folder.exists():
        shutil.rmtree(folder)
    leave = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(catalogue.PLUGIN, folder, ignore=leave)
    (folder / f"{NAME}.py").chmod(EXECUTABLE)
    for path in sorted(catalogue.TRANSLATIONS.glob("*.po")):
        place = folder / "locale" / path.stem / "LC_MESSAGES"
        place.mkdir(parents=True)
        (place / f"{DOMAIN}.mo").write_bytes(catalogue.compiled(catalogue.read(path)))


def pack(path: Path, room: Path) -> None:
    """Pack the plug-in; it is unpacked into the folder of plug-ins. room: an empty folder."""
    build(room / NAME)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((room / NAME).rglob("*")):
            if file.is_file():
                inside = zipfile.ZipInfo(str(file.relative_to(room)), (2026, 1, 1, 0, 0, 0))
                inside.external_attr = (stat.S_IFREG | (file.stat().st_mode & 0o777)) << 16
                inside.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(inside, file.read_bytes())


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zip", type=Path, help="pack it into this file instead of installing it")
    parser.add_argument("--to", type=Path, help="the folder of plug-ins, if it is another one")
    chosen = parser.parse_args()
    if chosen.zip is not None:
        room = chosen.zip.parent / f".{NAME}-packed"
        room.mkdir(parents=True, exist_ok=True)
        try:
            pack(chosen.zip, room)
        finally:
            shutil.rmtree(room)
        print(f"Packed: {chosen.zip}. Unpack it into GIMP's folder of plug-ins.")
        return
    folder = (chosen.to or target()) / NAME
    build(folder)
    print(f"Installed: {folder}. Start GIMP again; the menu is Filters > AI Horde.")


if __name__ == "__main__":
    main()
