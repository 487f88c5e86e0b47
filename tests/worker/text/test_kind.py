"""The loop with texts, over a real socket."""

from dataclasses import replace

import pytest

from core.wire.text import GenerationPayloadKobold
from fake_renderers import STORY, TINY
from worker.offers import AGENT, text_offer
from worker.renderer import CannotRender
from worker.settings import Settings
from worker.text import kind
from worker.text.kind import Texts
from worker.text.order import Format, Sampling


@pytest.fixture
def write(serve, horde):
    """Serve texts for `async with`."""
    settings = Settings(url=horde.url, name="tester", wait_seconds=0.05)
    return lambda **models: serve(
        kind=lambda client: Texts(client, text_offer(settings)),
        models=models or {"story": STORY},
    )


async def test_a_job_becomes_a_text_and_a_submit(horde, write):
    job = horde.add_text("Once upon a time")
    async with write() as serving:
        submit = await serving.submitted(job)
    seed = submit["seed"]
    assert 0 <= seed < 2**32
    assert submit == {
        "id": job,
        "generation": f" {seed} after Once upon a time",
        "state": "ok",
        "seed": seed,
    }
    assert serving.display.steps[-1] == (16, 16)
    assert "+10.00 kudos" in serving.display.ended[0]


async def test_the_pop_says_what_is_served(horde, write):
    async with write() as serving:
        await serving.until(lambda: len(horde.pops) > 1)
    pop = horde.pops[0]
    assert (pop["name"], pop["bridge_agent"], pop["models"]) == ("tester text", AGENT, ["story"])
    assert (pop["amount"], pop["max_length"], pop["max_context_length"]) == (4, 512, 2048)


async def test_texts_of_one_request_are_written_together(horde, write):
    jobs = ["one", "two", "three"]
    horde.add_text("Once", id="one", ids=jobs)
    async with write() as serving:
        submits = [await serving.submitted(job) for job in jobs]
    assert [one["generation"] for one in submits] == [
        f" {one['seed']} after Once" for one in submits
    ]
    assert len({one["seed"] for one in submits}) == 3


async def test_a_text_that_cannot_be_written_is_given_back(horde, write):
    job = horde.add_text(softprompt="of somebody else")
    async with write() as serving:
        submit = await serving.submitted(job)
    assert "soft prompt" in submit.pop("reason")
    assert submit == {"id": job, "generation": "faulted", "state": "faulted"}


def ordered(payload=None, **answer):
    popped = {"ids": ["job"], "model": "story", "payload": {"prompt": "x", **(payload or {})}}
    return kind.order(
        kind.batch(GenerationPayloadKobold.model_validate({**popped, **answer})),
        {"story": STORY, "tiny": TINY},
    )


def test_everything_asked_for_is_in_the_order():
    sampling = {
        "temperature": 0.7,
        "top_k": 40,
        "top_p": 0.9,
        "top_a": 0.1,
        "typical": 0.8,
        "tfs": 0.95,
        "min_p": 0.05,
        "rep_pen": 1.1,
        "rep_pen_range": 320,
        "rep_pen_slope": 0.7,
        "smoothing_factor": 0.3,
        "dynatemp_range": 0.2,
        "dynatemp_exponent": 2.0,
    }
    order = ordered(
        {
            **sampling,
            "sampler_order": [6, 0, 1, 3, 4, 2, 5],
            "max_length": 100,
            "max_context_length": 500,
            "stop_sequence": ["\nYou:", ""],
            "singleline": True,
            "use_default_badwordsids": True,
            "frmttriminc": True,
            "frmtrmblln": True,
        }
    )
    assert order.sampling == Sampling(**sampling, order=(6, 0, 1, 3, 4, 2, 5))
    assert order.format == Format(whole=True, no_blank_lines=True)
    assert (order.length, order.context, order.stops) == (100, 500, ("\nYou:",))
    assert (order.single_line, order.endless) == (True, True)


def test_what_is_not_said_is_as_usual():
    order = ordered()
    assert order.sampling == Sampling(**kind.USUAL)
    assert ordered({"top_k": 0, "temperature": 0}).sampling == Sampling(
        **kind.USUAL | {"top_k": 0, "temperature": 0}
    )
    assert order.format == Format()
    assert order.context == STORY.context  # the request's default is more than the model has


def test_a_model_without_a_template_is_said_nothing():
    with pytest.raises(CannotRender, match="no chat template"):
        ordered({"chat": True})
    assert ordered().chat is False


async def test_that_all_models_have_templates_is_offered(horde, write):
    async with write() as serving:
        await serving.until(lambda: horde.pops)
    assert horde.pops[0]["allow_chat"] is False
    horde.pops.clear()
    async with write(story=replace(STORY, chats=True)) as serving:
        await serving.until(lambda: horde.pops)
    assert horde.pops[0]["allow_chat"] is True


@pytest.mark.parametrize("model", ["other", "tiny"])
def test_a_model_that_writes_no_text_is_refused(model):
    with pytest.raises(CannotRender, match="not served"):
        ordered(model=model)
