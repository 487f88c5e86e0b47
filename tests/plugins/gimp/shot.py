"""Writes the screen, or its active window, to a file: `python3 shot.py FILE [window]`.

Runs beside GIMP.
"""

import sys

import gi

gi.require_version("Gdk", "3.0")
from gi.repository import Gdk  # noqa: E402 - the version is to be said first

root = Gdk.get_default_root_window()
left, top, width, height = 0, 0, root.get_width(), root.get_height()
if sys.argv[2:] == ["window"]:
    frame = Gdk.Screen.get_default().get_active_window().get_frame_extents()
    left, top, width, height = frame.x, frame.y, frame.width, frame.height
picture = Gdk.pixbuf_get_from_window(root, left, top, width, height)
picture.savev(sys.argv[1], "png", [], [])
