"""Texts: asked for, written by a worker, paid for by their length."""

import itertools

import pytest
import pytest_asyncio

import serving
from core.features import OURS, version_of
from core.ledger import accounts
from core.users import directory

pytestmark = pytest.mark.asyncio(loop_scope="module")

NUMBERS = itertools.count()
VALIDATED = "KoboldCppEmbedWorker:1:none"
POSTED = {"max_length": 80, "max_context_length": 1024}


@pytest_asyncio.fixture(loop_scope="module")
async def writer(shared):
    """A worker that writes with a model of its own."""
    name = f"writer {next(NUMBERS)}"
    return Writer(shared, await shared.user(name, kudos=1000), name)


class Writer:
    def __init__(self, server, owner, name):
        self.server, self.owner, self.name = server, owner, name

    async def ask(self, *, key=serving.ANONYMOUS, **body):
        wanted = {"prompt": "once upon a time", "models": [self.name], "params": POSTED, **body}
        return await self.server.post("/generate/text/async", wanted, key=key)

    async def asked(self, **body):
        answer = await self.ask(**body)
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]

    async def pop(self, **body):
        self.server.horde.counts.read_at = float("-inf")  # what waits is counted anew
        offered = {"name": self.name, "models": [self.name], "bridge_agent": VALIDATED, **body}
        answer = await self.server.post("/generate/text/pop", offered, key=self.owner.key)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def submit(self, job_id, **body):
        said = {"id": job_id, "generation": "there was a fox", **body}
        return self.server.post("/generate/text/submit", said, key=self.owner.key)

    async def status(self, request_id):
        answer = await self.server.get(f"/generate/text/status/{request_id}")
        assert answer.status_code == 200
        return answer.json()


async def test_a_text_travels_from_prompt_to_status(writer):
    params = {**POSTED, "temperature": 0.7, "stop_sequence": ["\n"], "sampler_order": [*range(7)]}
    answer = await writer.ask(params=params, softprompt="a voice")
    assert answer.json()["kudos"] == 0.0
    request_id = answer.json()["id"]
    assert (await writer.pop())["skipped"]["matching_softprompt"] == 1
    popped = await writer.pop(softprompts=["a voice"])
    assert popped["payload"] == {
        "prompt": "once upon a time",
        "n": 1,
        **params,
        "min_p": 0.0,
        "smoothing_factor": 0.0,
        "dynatemp_range": 0.0,
        "dynatemp_exponent": 1.0,
    }
    assert popped["softprompt"] == "a voice"
    assert (popped["model"], popped["ttl"], popped["skipped"]) == (writer.name, 150, {})
    assert popped["ids"] == [popped["id"]]
    assert (await writer.status(request_id))["processing"] == 1
    told = await writer.submit(popped["id"], seed=7)
    assert told.status_code == 200
    status = await writer.status(request_id)
    assert (status["done"], status["finished"], status["waiting"]) == (True, 1, 0)
    (text,) = status["generations"]
    assert text["text"] == "there was a fox"
    assert (text["seed"], text["state"], text["gen_metadata"]) == (7, "ok", [])
    assert (text["worker_name"], text["model"]) == (writer.name, writer.name)


async def test_no_job_leaves_a_payload_with_defaults(writer):
    popped = await writer.pop()
    assert (popped["id"], popped["ids"], popped["model"]) == (None, [], None)
    assert popped["payload"]["max_length"] == 80


@pytest.mark.parametrize(
    ("letters", "tokens"),
    [(4, 20), (200, 50), (2500, 80)],  # at least 20, four letters each, at most max_length
)
async def test_a_text_is_paid_by_its_length(writer, letters, tokens):
    # An unknown model of an owner who is not trusted: the context's factor alone, which is
    # 1.2 + 2.2 ^ log2(20 / 1024) = 1.2 + 2.2 ^ -5.678 = 1.2114 kudos, however long it is.
    await writer.asked()
    popped = await writer.pop()
    told = (await writer.submit(popped["id"], generation="x" * letters)).json()
    assert told["reward"] == pytest.approx(1.21)
    async with writer.server.database.reading() as session:
        owner = await directory.by_id(session, writer.owner.id)
        escrow = await accounts.balance(session, owner.escrow_id)
    assert escrow == 60  # half of 121, rounded down
    assert tokens


async def test_the_requester_pays_the_text_and_the_taxes(writer, shared):
    rich = await shared.user(f"rich {next(NUMBERS)}", kudos=100)
    before = (await shared.get("/find_user", key=rich.key)).json()["kudos"]
    await writer.asked(key=rich.key)
    popped = await writer.pop()
    reward = (await writer.submit(popped["id"])).json()["reward"]
    after = (await shared.get("/find_user", key=rich.key)).json()["kudos"]
    assert before - after == pytest.approx(1 + reward + 1)


async def test_a_dry_run_says_the_most_it_can_cost(writer):
    answer = await writer.ask(dry_run=True, params={**POSTED, "n": 2})
    # 80 tokens by a model that nobody knows: 80 * 0.027 * 1.2114 = 2.62, and 1 of tax; twice, and
    # 1 of tax on the request.
    assert answer.status_code == 200
    assert answer.json() == {"kudos": 8.0, "kudos_exact": pytest.approx(2 * 3.62 + 1)}
    answer = await writer.ask(dry_run=True, params={**POSTED, "n": 2}, models=[])
    # By any model, taken for one of 13 thousand million parameters: 80 * 13 / 125 * 1.2114 = 10.08.
    assert answer.json() == {"kudos": 23.0, "kudos_exact": pytest.approx(2 * 11.08 + 1)}


async def test_the_cost_of_texts_is_told_in_whole_kudos_and_exactly_beside(writer):
    request_id = await writer.asked()
    await writer.submit((await writer.pop())["id"])
    status = await writer.status(request_id)
    assert status["kudos"] == round(status["kudos"])
    assert abs(status["kudos"] - status["kudos_exact"]) <= 0.5
    assert status["kudos_exact"] % 1


async def test_what_is_said_to_a_model_goes_to_workers_whose_models_are_said_things(writer):
    request_id = await writer.asked(params={**POSTED, "chat": True})
    ours = f"Stable Horde Worker:{version_of(OURS)}:x"
    assert (await writer.pop())["id"] is None
    assert (await writer.pop(bridge_agent=ours, allow_chat=False))["id"] is None
    assert (await writer.pop(bridge_agent=ours))["payload"]["chat"] is True
    assert (await writer.status(request_id))["processing"] == 1


async def test_several_texts_may_be_popped_at_once(writer):
    request_id = await writer.asked(params={**POSTED, "n": 3})
    popped = await writer.pop(amount=3)
    assert len(set(popped["ids"])) == 3
    for number, job_id in enumerate(popped["ids"]):
        await writer.submit(job_id, generation=f"text {number}")
    texts = [one["text"] for one in (await writer.status(request_id))["generations"]]
    assert texts == ["text 0", "text 1", "text 2"]


@pytest.mark.parametrize("why", [{}, {"reason": "no room in memory"}])
async def test_a_fault_lets_the_text_wait_again(writer, why):
    request_id = await writer.asked()
    popped = await writer.pop()
    given_back = {"state": "faulted", "generation": "", **why}
    assert (await writer.submit(popped["id"], **given_back)).json() == {"reward": 0.0}
    status = await writer.status(request_id)
    assert status["faults"] == [{"index": 0, "tries": 1, **why}]
    assert (status["waiting"], status["restarted"], status["done"]) == (1, 1, False)


@pytest.mark.parametrize("state", ["censored", "csam"])
async def test_a_censored_text_says_so(writer, state):
    request_id = await writer.asked()
    popped = await writer.pop()
    await writer.submit(popped["id"], state=state)
    (text,) = (await writer.status(request_id))["generations"]
    assert text["state"] == state


async def test_a_text_that_its_metadata_call_csam_has_that_state(writer):
    request_id = await writer.asked()
    said = [{"type": "censorship", "value": "csam"}]
    answer = await writer.submit((await writer.pop())["id"], gen_metadata=said)
    assert answer.status_code == 200
    (text,) = (await writer.status(request_id))["generations"]
    assert (text["state"], text["gen_metadata"]) == ("csam", said)


async def test_cancelled_texts_wait_no_more(writer):
    request_id = await writer.asked(params={**POSTED, "n": 2})
    before = await writer.server.call("DELETE", f"/generate/text/status/{request_id}")
    assert before.json()["waiting"] == 2
    after = await writer.status(request_id)
    assert (after["waiting"], after["done"]) == (0, True)


async def test_a_worker_gets_only_what_it_has_room_for(writer):
    await writer.asked(params={"max_length": 200, "max_context_length": 5000})
    skipped = (await writer.pop(max_length=80, max_context_length=2048))["skipped"]
    assert skipped["max_length"] == skipped["max_context_length"] == 1
    assert (await writer.pop(max_length=200, max_context_length=5000))["id"]


async def test_validated_backends_are_programs_that_are_known(writer):
    await writer.asked(validated_backends=True)
    assert (await writer.pop(bridge_agent="mine:1:none"))["skipped"]["bridge_version"] == 1
    assert (await writer.pop())["id"]


async def test_a_text_is_no_picture(writer):
    request_id = await writer.asked()
    popped = await writer.pop()
    assert (await writer.server.get(f"/generate/status/{request_id}")).status_code == 404
    said = {"id": popped["id"], "generation": "R2", "seed": 1}
    answer = await writer.server.post("/generate/submit", said, key=writer.owner.key)
    assert (answer.status_code, answer.json()["rc"]) == (404, "InvalidJobID")


REFUSED = {
    "TokenOverflow": (400, {"params": {"max_length": 81, "max_context_length": 80}}),
    "InvalidExtraSourceImages.": (400, {"extra_source_images": [{"image": "x"}]}),
    "MissingPrompt": (400, {"prompt": " "}),
    "WorkerNotFound": (404, {"workers": ["nobody"]}),
    "RequiresTrust": (400, {"disable_batching": True, "params": {"n": 2}}),
    "TooManyPrompts": (429, {"params": {"n": 20}}),
    "KudosUpfront": (403, {"params": {"max_length": 513}}),
    "KudosUpfront fast": (403, {"slow_workers": False}),
    "BadRequest webhook": (400, {"webhook": "http://example.com/x"}),
    "ExcessiveStopSequence": (400, {"params": {"stop_sequence": ["x" * 2001]}}),
    "TooManyStopSequences": (400, {"params": {"stop_sequence": [f"{n}" for n in range(129)]}}),
    "MissingFullSamplerOrder": (400, {"params": {"sampler_order": [0, 1, 1, 1, 1, 1, 1, 1]}}),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_refusal_says_why(shared, case):
    status, body = REFUSED[case]
    poor = await shared.user(f"poor {next(NUMBERS)}", concurrency=10)
    answer = await shared.post("/generate/text/async", {"prompt": "x", **body}, key=poor.key)
    assert (answer.status_code, answer.json()["rc"]) == (status, case.split()[0])


async def test_a_long_text_may_be_made_shorter(writer):
    params = {"max_length": 4096, "max_context_length": 4096}
    await writer.asked(params=params, allow_downgrade=True)
    popped = await writer.pop(max_length=4096, max_context_length=4096)
    assert 256 <= popped["payload"]["max_length"] <= 512


async def test_a_text_is_watched_without_its_result(writer):
    request_id = await writer.asked()
    await writer.submit((await writer.pop())["id"])
    answer = await writer.server.get(f"/generate/events/{request_id}")
    names = [line[7:] for line in answer.text.splitlines() if line.startswith("event: ")]
    assert names == ["status", "end"]
