"""Which forms can be answered: those that need no weights, and those whose weights are here."""

from dataclasses import replace
from typing import Final

from core.features import DESCRIPTIONS
from worker import lookup, post_processing
from worker.alchemy.order import Description
from worker.renderer import Model
from worker.settings import Settings
from worker.vision import CHECKING

WITHOUT_WEIGHTS: Final = tuple(
    name for name, form in DESCRIPTIONS.items() if not form.needs_weights
)


def forms(settings: Settings) -> dict[str, Model]:
    """Find what can be answered, as far as the operator wants it, by the names of the forms."""
    detector = lookup.detector()
    found: dict[str, Model] = {
        **{name: Description(name) for name in WITHOUT_WEIGHTS},
        **({CHECKING: replace(detector, name=CHECKING)} if detector else {}),
        **lookup.vision_models(settings),
        **post_processing.find(lookup.folders(settings)),
    }
    wanted = settings.forms
    return {name: model for name, model in found.items() if not wanted or name in wanted}
