"""Which forms can be answered: those that need no weights, and those whose weights are here."""

from typing import Final

import structlog

from core.features import DESCRIPTIONS
from worker import lookup, post_processing, vision
from worker.alchemy.order import Description
from worker.renderer import Model
from worker.settings import Settings
from worker.shelf import BrokenList, Shelf

WITHOUT_WEIGHTS: Final = tuple(
    name for name, form in DESCRIPTIONS.items() if not form.needs_weights
)

log = structlog.get_logger(__name__)


def forms(settings: Settings) -> dict[str, Model]:
    """Find what can be answered, as far as the operator wants it, by the names of the forms."""
    folders = lookup.folders(settings)
    try:
        added = Shelf(settings.data_dir).places("vision")
    except BrokenList as error:
        log.warning("models that were added are not known", reason=str(error))
        added = {}
    found: dict[str, Model] = {
        **{name: Description(name) for name in WITHOUT_WEIGHTS},
        **vision.find(added, folders),
        **post_processing.find(folders),
    }
    wanted = settings.forms
    return {name: model for name, model in found.items() if not wanted or name in wanted}
