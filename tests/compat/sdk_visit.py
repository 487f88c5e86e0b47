"""A visit of horde-sdk to a horde, step by step. Run by test_horde_sdk.py, in a process of its own.

Reads AI_HORDE_URL as the SDK does, at import. Its arguments are the owner's API key and the alias
of somebody who gets kudos; a picture is its standard input. Prints one JSON object: what each step
gave, and every address beyond loopback that was looked up or connected to, which is refused.
"""

import asyncio
import json
import socket
import sys

LOOPBACK = ("127.0.0.1", "localhost", "::1", None)
outside = []
connect, look_up = socket.socket.connect, socket.getaddrinfo


def guarded_connect(self, address, *arguments):
    if isinstance(address, tuple) and address[0] not in LOOPBACK:
        outside.append(str(address[0]))
        raise OSError(101, "outside of loopback")
    return connect(self, address, *arguments)


def guarded_look_up(host, *arguments, **named):
    if host not in LOOPBACK:
        outside.append(str(host))
        raise socket.gaierror(-2, f"outside of loopback: {host}")
    return look_up(host, *arguments, **named)


socket.socket.connect, socket.getaddrinfo = guarded_connect, guarded_look_up

import aiohttp  # noqa: E402 - nothing may connect before the guard
import httpx  # noqa: E402
import sdk_calls  # noqa: E402
from horde_sdk.ai_horde_api.ai_horde_clients import (  # noqa: E402
    AIHordeAPIAsyncClientSession,
    AIHordeAPIManualClient,
    AIHordeAPISimpleClient,
)
from horde_sdk.ai_horde_api.apimodels import (  # noqa: E402
    FindUserRequest,
    ImageGenerateAsyncRequest,
    ImageGenerateAsyncResponse,
    ImageGenerateJobPopRequest,
    ImageGenerateJobPopResponse,
    ImageGenerationInputPayload,
    ImageGenerationJobSubmitRequest,
    JobSubmitResponse,
    UserDetailsResponse,
)
from horde_sdk.ai_horde_api.consts import GENERATION_STATE  # noqa: E402

ANONYMOUS = "0000000000"
MODEL = "stable_diffusion"
AGENT = "AI Horde Worker reGen:10.0.0:https://github.com/Haidra-Org/horde-worker-reGen"


def wanted(model=MODEL, n=1):
    params = ImageGenerationInputPayload(width=64, height=64, steps=1, n=n)
    return ImageGenerateAsyncRequest(
        apikey=ANONYMOUS, prompt="a red fox", models=[model], params=params
    )


def ask_and_download(simple):
    status, request_id = simple.image_generate_request(wanted(n=2))
    pictures = [simple.download_image_from_generation(each) for each in status.generations]
    return {
        "id": str(request_id),
        "seeds": [each.seed for each in status.generations],
        "workers": [each.worker_name for each in status.generations],
        "sizes": [picture.size for picture in pictures],
    }


def work(manual, key, model, picture):
    """Serve one job as a worker of the SDK does; then there is none."""

    def pop():
        offer = ImageGenerateJobPopRequest(
            apikey=key, name="SDK worker", bridge_agent=AGENT, models=[model], max_pixels=512 * 512
        )
        return manual.submit_request(offer, ImageGenerateJobPopResponse)

    popped = pop()
    assert isinstance(popped, ImageGenerateJobPopResponse), popped
    uploaded = httpx.put(popped.r2_uploads[0], content=picture)
    result = ImageGenerationJobSubmitRequest(
        apikey=key, id=popped.ids[0], state=GENERATION_STATE.ok, generation="R2", seed=7
    )
    submitted = manual.submit_request(result, JobSubmitResponse)
    empty = pop()
    return {
        "prompt": popped.payload.prompt,
        "uploaded": uploaded.status_code,
        "reward": submitted.reward,
        "then": type(empty).__name__,
        "then_ids": empty.ids,
    }


async def leave_early():
    """Leave a session before its request is done: the SDK cancels it."""
    async with (
        aiohttp.ClientSession() as http,
        AIHordeAPIAsyncClientSession(aiohttp_session=http) as session,
    ):
        asked = await session.submit_request(wanted("Deliberate"), ImageGenerateAsyncResponse)
        return str(asked.id_)


def visit(key, receiver, picture):
    simple, manual = AIHordeAPISimpleClient(), AIHordeAPIManualClient()
    heartbeat = simple.heartbeat_request()
    yield "heartbeat", type(heartbeat).__name__
    models = simple.image_status_models_all()
    yield "models", [each.name for each in models.root]
    yield "generate", ask_and_download(simple)
    found = manual.submit_request(FindUserRequest(apikey=key), UserDetailsResponse)
    yield "find_user", found.username
    manual.submit_request(wanted("Dreamshaper"), ImageGenerateAsyncResponse)
    yield "work", work(manual, key, "Dreamshaper", picture)
    yield "cancelled", asyncio.run(leave_early())
    call = sdk_calls.Caller(manual, key)
    yield "pictures", sdk_calls.pictures(call)
    yield "texts", sdk_calls.texts(call)
    yield "alchemy", sdk_calls.alchemy(call, picture)
    yield "people", sdk_calls.people(call, receiver)
    yield "overview", sdk_calls.overview(call)
    yield "workers", sdk_calls.workers(call, "SDK worker")
    popping = {"ImageGenerateJobPopRequest", "ImageGenerationJobSubmitRequest"}  # in `work`
    yield "not_made", sorted(set(sdk_calls.offered()) - call.made - popping)


seen = dict(visit(*sys.argv[1:], sys.stdin.buffer.read()))
sys.stdout.write(json.dumps(seen | {"outside": outside}))
