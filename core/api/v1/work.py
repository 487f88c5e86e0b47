"""`generate/pop` and `generate/submit`: what servers, today's workers, do."""

from typing import Any

from core.api import context, popping, submitting
from core.api.limits import Limit
from core.api.operation import by_address
from core.api.v1.endpoint import blueprint as new_blueprint
from core.api.v1.endpoint import endpoint
from core.catalog import agents
from core.generation.delivery import Delivery
from core.generation.pop import Work
from core.kinds.image import ImageParams
from core.wire import v1
from core.workers.offers import Declared

blueprint = new_blueprint("v1_work")

MODELS = ["stable_diffusion"]
"""The only model in 2022."""
TOLD = {"worker_id": "server_id", "max_pixels": "max_pixels"}
"""Why a server got nothing: those reasons of version 2 that version 1 knew."""


@blueprint.post("/generate/pop")
@endpoint(arguments=v1.PopArguments, limit=by_address(Limit(45, 1)))
async def pop(offer: v1.PopArguments) -> v1.Popped | v1.NothingPopped:
    """Get a job."""
    # A paused server was told that there is nothing, and got no decoy.
    popped = await popping.popped(_declared(offer), amount=1, wait=0, decoys=False)
    work = popped.work
    if work is None:
        return v1.NothingPopped(
            skipped={
                name: popped.skipped[reason]
                for reason, name in TOLD.items()
                if popped.skipped.get(reason)
            }
        )
    return v1.Popped(payload=_payload(work), id=str(work.attempt_ids[0]))


@blueprint.post("/generate/submit")
@endpoint(arguments=v1.SubmitArguments, limit=by_address())
async def submit(made: v1.SubmitArguments) -> v1.Submitted:
    """Deliver a picture."""
    delivery = Delivery(job_id=made.id, seed=made.seed)
    job = await submitting.found(delivery, "image")
    await submitting.receive(job, made.generation)
    delivery = await submitting.with_picture(job, delivery)
    settled = await submitting.settled(job, delivery)
    return v1.Submitted(reward=settled.reward)


def _declared(offer: v1.PopArguments) -> Declared:
    agent = context.UNKNOWN_AGENT
    program = agents.agent(agent)
    return Declared(
        kind="image",
        name=offer.name,
        agent=agent,
        # Version 1 has no upload links: the pictures come with the submission.
        program=program._replace(features=program.features | {"r2"}),
        threads=1,
        models=MODELS,
        permissions=frozenset(),
        nsfw=True,
        extra_slow=False,
        only_covered=False,
        blacklist=(),
        priority_usernames=offer.priority_usernames,
        max_pixels=offer.max_pixels,
    )


def _payload(work: Work) -> dict[str, Any]:
    """The arguments for the program of 2022."""
    params = work.params
    assert isinstance(params, ImageParams)  # noqa: S101 - the offer was for pictures
    return {
        "sampler_name": params.sampler_name,
        "cfg_scale": params.cfg_scale,
        **params.passed_on,
        "prompt": work.prompt,
        "n": 1,
        "batch_size": 1,
        "width": params.width,
        "height": params.height,
        "ddim_steps": params.steps,
        "seed": str(work.seed),
    }
