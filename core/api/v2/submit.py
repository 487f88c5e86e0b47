"""`POST generate/submit`: a worker delivers a picture or gives the job back."""

from quart import Blueprint

from core.api import context
from core.api.limits import Limit
from core.api.operation import by_address, operation
from core.errors import Invalid
from core.generation import submit
from core.generation.submit import Delivery
from core.images import checks
from core.wire.kudos import to_wire
from core.wire.submit import GenerationSubmitted, SubmitInputStable

blueprint = Blueprint("submit", __name__)

UPLOADED = "R2"
"""What stands for the picture where it was uploaded."""


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
    server = context.server()
    if len(body.gen_metadata) > submit.MOST_METADATA:
        raise Invalid(f"At most {submit.MOST_METADATA} gen_metadata entries.")
    delivery = Delivery(
        job_id=body.id,
        seed=body.seed,
        state=body.state,
        metadata=[entry.model_dump(exclude_none=True) for entry in body.gen_metadata],
    )
    async with server.database.reading() as session:
        found = await submit.look_up(session, await context.user(session), body.id)
    if body.state != "faulted":
        await _keep(found.picture, body.generation)
    async with server.database.writing() as session:  # what was found may be over: it will tell
        settled = await submit.submit(session, server.horde, found, delivery)
    await submit.announce(server.horde, settled)
    return GenerationSubmitted(reward=to_wire(settled.reward))


async def _keep(name: str, generation: str) -> None:
    """See to it that the picture is in the store before anything is settled."""
    store = context.server().horde.store
    if generation == UPLOADED:
        if not await store.exists(name):
            raise submit.MissingPicture("Please upload the picture before you submit the job.")
    else:
        await store.put(name, await checks.to_webp_from_base64(generation))
