"""`catalog/models` (ours): the model reference, for workers and for other hordes."""

from quart import Blueprint

from core.api.operation import by_address, operation
from core.catalog import models, reference
from core.wire.reference import ModelReference

blueprint = Blueprint("reference", __name__)


@blueprint.get("/catalog/models")
@operation(answers={200: ModelReference}, limit=by_address())
async def get_models() -> ModelReference:
    """See what this horde knows about models: baselines, requirements, parameters."""
    return ModelReference.model_validate(reference.to_data(models.current()))
