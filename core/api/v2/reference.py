"""`catalog/models` (ours): the model reference, for workers and for other hordes."""

from dataclasses import asdict

from quart import Blueprint

from core.api.operation import by_address, operation
from core.catalog import models, reference, vocabularies
from core.errors import NotFound
from core.wire.reference import ImageModelDetails, ModelReference, ModelVocabulary

blueprint = Blueprint("reference", __name__)


@blueprint.get("/catalog/models")
@operation(answers={200: ModelReference}, limit=by_address())
async def get_models() -> ModelReference:
    """See what this horde knows about models: baselines, requirements, parameters."""
    return ModelReference.model_validate(reference.to_data(models.current()))


@blueprint.get("/catalog/models/<path:name>")
@operation(answers={200: ImageModelDetails}, limit=by_address(), errors=(404,))
async def get_model(name: str) -> ImageModelDetails:
    """See what this horde knows of one image model, its words too if it knows few."""
    model = models.known().get(name)
    if model is None:
        raise NotFound(f"This horde knows no image model {name}.")
    known = vocabularies.of(name)
    words = None if known is None else ModelVocabulary(**asdict(known))
    return ImageModelDetails(**asdict(model), vocabulary=words)
