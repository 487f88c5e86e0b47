"""Asks a Stable Horde for pictures, for GIMP: what needs no GIMP is here, the rest in `gimp3`.

Standard library only: there is no pip inside GIMP's Python.
"""

from typing import Final

VERSION: Final = "0.1.0"
AGENT: Final = f"stable-horde-gimp:{VERSION}:https://github.com/stable-horde/stable-horde"
"""How this program is called where a horde wants to know: name, version, contact."""
