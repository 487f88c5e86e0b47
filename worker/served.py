"""Finds what other programs of this machine have to offer, where the settings name one."""

from collections.abc import Mapping

from worker.loop import NothingToServe
from worker.proxy import renderers
from worker.proxy.servers import (
    NoServer,
    NotAnswering,
    ServedPainter,
    ServedWriter,
    image_server,
    text_server,
)
from worker.settings import Settings


class NoModel(NothingToServe):
    """None of the models that were asked for is here."""


def painters(settings: Settings) -> Mapping[str, ServedPainter]:
    """Find the models of `image_server`. Raises NoModel."""
    wanted = settings.models if "models" in settings.model_fields_set else None
    try:
        found = renderers.painters(image_server(settings.image_server), wanted)
    except (NoServer, NotAnswering) as error:
        raise NoModel(f"image_server: {error}") from error
    if not found:
        raise NoModel(f"image_server: it has none of {', '.join(wanted or ['any model'])}")
    return found


def writers(settings: Settings) -> Mapping[str, ServedWriter]:
    """Find the models of `text_server`. Raises NoModel."""
    wanted = settings.text_models if "text_models" in settings.model_fields_set else None
    key = settings.text_server_key.get_secret_value()
    try:
        found = renderers.writers(text_server(settings.text_server), wanted, key)
    except (NoServer, NotAnswering) as error:
        raise NoModel(f"text_server: {error}") from error
    if not found:
        raise NoModel(f"text_server: it has none of {', '.join(wanted or ['any model'])}")
    return found
