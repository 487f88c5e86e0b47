"""`POST generate/submit`: a worker delivers a picture or gives the job back."""

from quart import Blueprint

from core.api import submitting
from core.api.limits import Limit
from core.api.operation import by_address, operation
from core.generation.delivery import UPLOADED, Delivery
from core.wire.submit import GenerationSubmitted, SubmitInputStable

blueprint = Blueprint("submit", __name__)


@blueprint.post("/generate/submit")
@operation(
    body=SubmitInputStable,
    answers={200: GenerationSubmitted},
    limit=by_address(Limit(60, 1)),
    key_required=True,
    errors=(400, 401, 403, 404),
)
async def generate_submit(body: SubmitInputStable) -> GenerationSubmitted:
    """Deliver a picture, or give the job back."""
    delivery = Delivery(
        job_id=body.id,
        seed=body.seed,
        state=body.state,
        metadata=submitting.metadata(body.gen_metadata),
        given_reason=body.reason,
    )
    job = await submitting.found(delivery, "image")
    if not delivery.is_fault:
        if body.generation != UPLOADED:
            await submitting.receive(job, body.generation)
        delivery = await submitting.with_picture(job, delivery)
    return await submitting.settled(job, delivery)
