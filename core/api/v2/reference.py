"""`catalog/models` (ours): the model reference, for workers and for other hordes."""

from dataclasses import asdict
from functools import partial

from quart import Blueprint

from core.api import context
from core.api.kept import Encoded, encoded
from core.api.operation import by_address, operation
from core.catalog import models, reference, vocabularies
from core.errors import NotFound
from core.wire.reference import ImageModelDetails, ModelReference, ModelVocabulary

blueprint = Blueprint("reference", __name__)


@blueprint.get("/catalog/models")
@operation(answers={200: ModelReference}, limit=by_address())
async def get_models() -> Encoded:
    """See what this horde knows about models: baselines, requirements, parameters."""
    return await context.server().answers.get("model reference", _reference, of=models.current)


async def _reference() -> Encoded:
    return encoded(ModelReference.model_validate(reference.to_data(models.current())))


@blueprint.get("/catalog/models/<path:name>")
@operation(answers={200: ImageModelDetails}, limit=by_address(), errors=(404,))
async def get_model(name: str) -> Encoded:
    """See what this horde knows of one image model, its words too if it knows few."""
    if name not in models.known():
        raise NotFound(f"This horde knows no image model {name}.")
    make = partial(_details, name)
    return await context.server().answers.get(f"model {name}", make, of=models.current)


async def _details(name: str) -> Encoded:
    known = vocabularies.of(name)
    words = None if known is None else ModelVocabulary(**asdict(known))
    return encoded(ImageModelDetails(**asdict(models.known()[name]), vocabulary=words))
