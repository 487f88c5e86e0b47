"""Every request of horde-sdk that sdk_visit.py does not make otherwise, one after the other.

To be imported when the SDK's guard and server are set.
"""

import base64

import httpx
from horde_sdk.ai_horde_api import apimodels as sdk
from horde_sdk.ai_horde_api.consts import GENERATION_STATE, KNOWN_ALCHEMY_TYPES
from horde_sdk.generic_api.apimodels import RequestErrorResponse

TEXT_MODEL = "a text model"
SCRIBE = "KoboldAI Bridge:10:https://example.com"
PERIODS = {"day", "month", "total"}


class Caller:
    """Makes requests as one user, and notes their classes."""

    def __init__(self, manual, key):
        self._manual, self.key = manual, key
        self.made = set()

    def __call__(self, request, /, **values):
        if "apikey" in request.model_fields:
            values.setdefault("apikey", self.key)
        return self.send(request(**values))

    def send(self, made):
        """Make a request that is put together."""
        request = type(made)
        self.made.add(request.__name__)
        answer = self._manual.submit_request(made, request.get_default_success_response_type())
        assert not isinstance(answer, RequestErrorResponse), (request, answer)
        return answer


def offered():
    """Names of all requests that the SDK can make."""
    return sorted(
        name
        for name in dir(sdk)
        if name.endswith("Request") and hasattr(getattr(sdk, name), "get_api_endpoint_subpath")
    )


def pictures(call):
    """Look at a request for pictures and cancel it; see who could serve it."""
    params = sdk.ImageGenerationInputPayload(width=64, height=64, steps=1, n=1)
    wanted = {"prompt": "a red fox", "models": ["nobody's"], "params": params}
    asked = call(sdk.ImageGenerateAsyncRequest, **wanted)
    check = call(sdk.ImageGenerateCheckRequest, id=asked.id_)
    status = call(sdk.ImageGenerateStatusRequest, id=asked.id_)
    cancelled = call(sdk.DeleteImageGenerateRequest, id=asked.id_)
    return {
        "possible": check.is_possible,
        "waiting": [check.waiting, status.waiting, cancelled.waiting],
        "price": asked.kudos,
    }


def texts(call):
    """Write a text from both sides."""
    params = sdk.ModelGenerationInputKobold(max_length=16)
    wanted = {"prompt": "Once upon a time", "models": [TEXT_MODEL], "params": params}
    offer = {"name": "SDK scribe", "models": [TEXT_MODEL], "bridge_agent": SCRIBE}
    call(sdk.TextGenerateJobPopRequest, **offer)  # so that it is known
    asked = call(sdk.TextGenerateAsyncRequest, **wanted)
    popped = call(sdk.TextGenerateJobPopRequest, **offer)
    result = {"id": popped.id_, "generation": "there was a fox", "state": GENERATION_STATE.ok}
    submitted = call(sdk.TextGenerationJobSubmitRequest, **result)
    status = call(sdk.TextGenerateStatusRequest, id=asked.id_)
    cancelled = call(sdk.DeleteTextGenerateRequest, id=asked.id_)
    return {
        "prompt": popped.payload.prompt,
        "reward": submitted.reward,
        "texts": [each.text for each in status.generations],
        "done": cancelled.done,
    }


def alchemy(call, picture):
    """Process a picture from both sides."""
    kind = KNOWN_ALCHEMY_TYPES.RealESRGAN_x4plus
    form = sdk.AlchemyAsyncRequestFormItem(name=kind)
    source = base64.b64encode(picture).decode()
    asked = call(sdk.AlchemyAsyncRequest, forms=[form], source_image=source)
    popped = call(sdk.AlchemyPopRequest, name="SDK alchemist", forms=[kind], priority_usernames=[])
    (job,) = popped.forms
    uploaded = httpx.put(job.r2_upload, content=picture)
    # The SDK wants a text for a result, which no horde takes: an object is the contract's.
    result = {"id_": job.id_, "result": {kind.value: "R2"}, "state": GENERATION_STATE.ok}
    submitted = call.send(sdk.AlchemyJobSubmitRequest.model_construct(apikey=call.key, **result))
    status = call(sdk.AlchemyStatusRequest, id=asked.id_)
    cancelled = call(sdk.AlchemyDeleteRequest, id=asked.id_)
    return {
        "form": job.form,
        "uploaded": uploaded.status_code,
        "reward": submitted.reward,
        "states": [status.state, cancelled.state],
    }


def people(call, receiver):
    """See users, change oneself, give kudos."""
    me = call(sdk.FindUserRequest)
    listed = call(sdk.ListUsersDetailsRequest, page=1)
    one = call(sdk.SingleUserDetailsRequest, user_id=str(me.id_))
    changed = call(sdk.ModifyUserRequest, user_id=str(me.id_), public_workers=True)
    given = call(sdk.KudosTransferRequest, username=receiver, amount=5)
    return {
        "username": [me.username, one.username],
        "listed": me.username in [each.username for each in listed.root],
        "public_workers": changed.public_workers,
        "given": given.transferred,
    }


def workers(call, name):
    """See workers, change one, delete it."""
    every = call(sdk.AllWorkersDetailsRequest)
    named = call(sdk.SingleWorkerNameDetailsRequest, worker_name=name)
    one = call(sdk.SingleWorkerDetailsRequest, worker_id=named.id_)
    changed = call(sdk.ModifyWorkerRequest, worker_id=named.id_, info="of a visit")
    deleted = call(sdk.DeleteWorkerRequest, worker_id=named.id_)
    return {
        "listed": name in [each.name for each in every.root],
        "names": [named.name, one.name, deleted.deleted_name],
        "info": changed.info,
    }


def overview(call):
    """See the horde as anybody may."""
    documents = (
        sdk.AIHordeGetPrivacyPolicyRequest,
        sdk.AIHordeGetSponsorsRequest,
        sdk.AIHordeGetTermsRequest,
    )
    counted = (
        sdk.ImageStatsModelsRequest,
        sdk.ImageStatsModelsTotalRequest,
        sdk.TextStatsModelsRequest,
        sdk.TextStatsModelsTotalRequest,
    )
    call(sdk.AIHordeHeartbeatRequest)
    call(sdk.NewsRequest)
    models = call(sdk.HordeStatusModelsAllRequest)
    one = call(sdk.HordeStatusModelsSingleRequest, model_name=models.root[0].name)
    return {
        "documents": [bool(call(each).html) for each in documents],
        "stats": [set(dict(call(each))) >= PERIODS for each in counted],
        "models": len(one.root),
        "workers": call(sdk.HordePerformanceRequest).worker_count,
    }
