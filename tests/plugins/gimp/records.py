"""Records of requests as the plug-in keeps them, in a folder of its own or in GIMP's."""

import dataclasses
import time

from stable_horde.left import Left, Record
from stable_horde.places import Place
from stable_horde.wanted import Wanted


def left(gimp):
    """The records that the plug-in keeps."""
    return Left(gimp.work / "profile" / "stable-horde")


def record(request_id="a-b", asked=None, **changes):
    """A picture that was asked for by another run of GIMP; its image is gone."""
    said = Record(
        id=request_id,
        site="http://127.0.0.1:1",
        kind="pictures",
        task="fill",
        total=1,
        asked=time.time() if asked is None else asked,
        session="another",
        image=0,
        wanted=Wanted("a fox").stored(),
        place=Place().stored(),
    )
    return dataclasses.replace(said, **changes)
