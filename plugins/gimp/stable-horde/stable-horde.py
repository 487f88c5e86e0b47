#!/usr/bin/env python3
"""The plug-in as GIMP 3 starts it; everything else is in the package beside it."""

import sys
from pathlib import Path

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("GimpUi", "3.0")
gi.require_version("Gegl", "0.4")
gi.require_version("Gtk", "3.0")

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

from gi.repository import Gimp  # noqa: E402 - versions are to be said first

from stable_horde.gimp3.plugin import StableHorde  # noqa: E402 - it is found by the lines above

Gimp.main(StableHorde.__gtype__, sys.argv)
