"""Alchemy: forms about a picture, each a job of its own, through the machinery of pictures."""

import itertools
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy import func, select

import factories
import pictures
from core.db import now
from core.images import webp
from core.queue.tables import AttemptRow, Outcome
from core.upkeep import steps
from core.workers import fleet

pytestmark = pytest.mark.asyncio(loop_scope="module")

NUMBERS = itertools.count()
PICTURE = pictures.encoded(pictures.picture((64, 48)))
UPLOAD = pictures.picture((32, 32), form="WEBP")


class Alchemist:
    """A worker of forms that nobody else's worker offers: each test's own queue."""

    def __init__(self, server, owner, name):
        self.server, self.owner, self.name = server, owner, name

    async def ask(self, *forms, key=None, **body):
        wanted = {"forms": [{"name": form} for form in forms], "source_image": PICTURE, **body}
        # Accepted by its owner, whose forms go first: tests of a module share the queue.
        return await self.server.post("/interrogate/async", wanted, key=key or self.owner.key)

    async def asked(self, *forms, **body):
        answer = await self.ask(*forms, **body)
        assert answer.status_code == 202, answer.text
        assert answer.json().keys() == {"id"}
        return answer.json()["id"]

    async def pop(self, *forms, **body):
        offered = {"name": self.name, "forms": list(forms), **body}
        answer = await self.server.post("/interrogate/pop", offered, key=self.owner.key)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def submit(self, job_id, result, **body):
        said = {"id": job_id, "result": result, **body}
        return self.server.post("/interrogate/submit", said, key=self.owner.key)

    async def status(self, request_id):
        answer = await self.server.get(f"/interrogate/status/{request_id}")
        assert answer.status_code == 200
        return answer.json()


@pytest_asyncio.fixture(loop_scope="module")
async def alchemist(shared):
    name = f"alchemist {next(NUMBERS)}"
    return Alchemist(shared, await shared.user(name, kudos=1000), name)


async def test_a_form_travels_from_picture_to_result(alchemist):
    request_id = await alchemist.asked("caption")
    assert await alchemist.status(request_id) == {
        "state": "waiting",
        "forms": [{"form": "caption", "state": "waiting"}],
    }
    (form,) = (await alchemist.pop("caption"))["forms"]
    assert form["form"] == "caption"
    assert "r2_upload" not in form
    assert (await alchemist.status(request_id))["state"] == "processing"
    source = await alchemist.server.http.get(form["source_image"])
    assert webp.size_of(source.content) == (64, 48)
    told = await alchemist.submit(form["id"], {"caption": "a fox"})
    assert told.json() == {"reward": 1.0}
    assert await alchemist.status(request_id) == {
        "state": "done",
        "forms": [{"form": "caption", "state": "done", "result": {"caption": "a fox"}}],
    }


async def test_forms_that_make_a_picture_are_uploaded_and_handed_out_by_link(alchemist):
    request_id = await alchemist.asked("GFPGAN")
    (form,) = (await alchemist.pop("GFPGAN"))["forms"]
    early = await alchemist.submit(form["id"], {"GFPGAN": "R2"})
    assert (early.status_code, early.json()["rc"]) == (400, "BadRequest")
    put = await alchemist.server.http.put(form["r2_upload"], content=UPLOAD)
    assert put.status_code == 200
    assert (await alchemist.submit(form["id"], {"GFPGAN": "R2"})).json() == {"reward": 3.0}
    (result,) = (await alchemist.status(request_id))["forms"]
    made = await alchemist.server.http.get(result["result"]["GFPGAN"])
    assert webp.size_of(made.content) == (32, 32)


async def test_an_alchemist_gets_the_forms_it_offers_up_to_its_amount(alchemist):
    first = await alchemist.asked("caption", "nsfw", "interrogation")
    second = await alchemist.asked("nsfw")
    assert (await alchemist.pop("vectorize"))["forms"] is None
    found = (await alchemist.pop("nsfw", "interrogation", amount=3))["forms"]
    assert sorted(form["form"] for form in found) == ["interrogation", "nsfw", "nsfw"]
    states = [form["state"] for form in (await alchemist.status(first))["forms"]]
    assert states == ["waiting", "processing", "processing"]
    assert (await alchemist.status(second))["state"] == "processing"
    assert len((await alchemist.pop("caption", amount=5))["forms"]) == 1


async def test_what_another_network_stands_in_for_is_asked_for_too_and_its_notes_arrive(alchemist):
    request_id = await alchemist.asked("RealESRGAN_x2plus")
    assert not (await alchemist.pop("caption"))["forms"]
    (form,) = (await alchemist.pop("caption", also=["RealESRGAN_x2plus", "caption"]))["forms"]
    await alchemist.server.http.put(form["r2_upload"], content=UPLOAD)
    notes = [{"type": "information", "value": "see_ref", "ref": "by another"}]
    await alchemist.submit(form["id"], {"RealESRGAN_x2plus": "R2", "gen_metadata": notes})
    result = (await alchemist.status(request_id))["forms"][0]["result"]
    assert result["RealESRGAN_x2plus"].startswith("http")
    assert result["gen_metadata"] == notes


async def test_payloads_reach_the_form_they_belong_to(alchemist):
    forms = [{"name": "caption", "payload": {"length": "short"}}, {"name": "palette"}]
    await alchemist.asked(forms=forms)
    (caption,) = (await alchemist.pop("caption"))["forms"]
    assert caption["payload"] == {"length": "short"}
    (palette,) = (await alchemist.pop("palette"))["forms"]
    assert "payload" not in palette


async def test_a_picture_elsewhere_is_passed_on_as_it_is(alchemist):
    await alchemist.asked("caption", source_image="https://example.com/a.png")
    (form,) = (await alchemist.pop("caption"))["forms"]
    assert form["source_image"] == "https://example.com/a.png"


async def test_tiles_count_for_what_is_post_processed_and_not_for_what_is_looked_at(alchemist):
    large = pictures.encoded(pictures.picture((1025, 64)))  # three tiles
    forms = ("palette", "caption", "RealESRGAN_x2plus", "strip_background")
    await alchemist.asked(*forms, source_image=large)
    taken = await alchemist.pop(*forms, amount=4, max_tiles=2)
    assert [form["form"] for form in taken["forms"]] == ["palette", "caption"]
    assert (await alchemist.pop(*forms, max_tiles=2))["forms"] is None
    rest = await alchemist.pop(*forms, amount=4, max_tiles=3)
    assert [form["form"] for form in rest["forms"]] == ["RealESRGAN_x2plus", "strip_background"]


async def test_what_forms_cost(alchemist, shared):
    rich = await shared.user(f"rich {next(NUMBERS)}", kudos=100)
    large = pictures.encoded(pictures.picture((513, 512)))  # two tiles
    request_id = await alchemist.asked(
        "interrogation", "RealESRGAN_x2plus", source_image=large, key=rich.key
    )
    for form in (await alchemist.pop("interrogation", "RealESRGAN_x2plus", amount=2))["forms"]:
        result = {form["form"]: "R2" if "r2_upload" in form else {}}
        if "r2_upload" in form:
            await shared.http.put(form["r2_upload"], content=UPLOAD)
        assert (await alchemist.submit(form["id"], result)).status_code == 200
    assert (await alchemist.status(request_id))["state"] == "done"
    left = (await shared.get("/find_user", key=rich.key)).json()["kudos"]
    assert left == pytest.approx(100 + 25 - (3 + 2) - (6 + 2))  # 25: the floor of an account


@pytest.mark.parametrize(
    ("size", "form", "status"),
    [
        ((4100, 16), "RealESRGAN_x4plus", 400),
        ((4100, 16), "RealESRGAN_x2plus", 202),
        ((8192, 16), "2xModernSpanimationV1", 400),
        ((4095, 16), "4xNomos8kSC", 202),
        ((2049, 2048), "NMKD_Siax", 400),
        ((2048, 2048), "NMKD_Siax", 202),
        ((4100, 16), "caption", 202),
        ((4100, 16), "GFPGAN", 202),
    ],
)
async def test_a_picture_is_refused_that_enlarged_nobody_would_take_back(
    alchemist, size, form, status
):
    large = pictures.encoded(pictures.picture(size))
    answer = await alchemist.ask("palette", form, source_image=large)
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["rc"] == "SourceImageResolutionExceeded"
        assert form in answer.json()["message"]
    else:  # the queue is shared by the module's tests
        await alchemist.server.call("DELETE", f"/interrogate/status/{answer.json()['id']}")


@pytest.mark.usefixtures("no_pause")
async def test_a_form_that_fails_three_times_is_faulted_and_the_others_go_on(alchemist):
    request_id = await alchemist.asked("caption", "nsfw")
    for _ in range(3):
        (form,) = (await alchemist.pop("caption"))["forms"]
        told = await alchemist.submit(form["id"], {}, state="faulted", reason="no room")
        assert told.json() == {"reward": 0.0}
    assert (await alchemist.pop("caption"))["forms"] is None
    status = await alchemist.status(request_id)
    why = {"faults": 3, "reason": "no room"}
    assert status["forms"] == [
        {"form": "caption", "state": "faulted", **why},
        {"form": "nsfw", "state": "waiting"},
    ]
    async with alchemist.server.client() as client:
        check = await client.alchemy._check(request_id)
    assert [fault.model_dump() for fault in check.faults] == [
        {"index": 0, "tries": 3, "reason": "no room"}
    ]
    (form,) = (await alchemist.pop("nsfw"))["forms"]
    await alchemist.submit(form["id"], {"nsfw": False})
    assert (await alchemist.status(request_id))["state"] == "partial"


async def test_cancelled_forms_wait_no_more(alchemist):
    request_id = await alchemist.asked("caption", "nsfw")
    (form,) = (await alchemist.pop("nsfw"))["forms"]
    after = (await alchemist.server.call("DELETE", f"/interrogate/status/{request_id}")).json()
    assert [one["state"] for one in after["forms"]] == ["cancelled", "processing"]
    await alchemist.submit(form["id"], {"nsfw": True})
    states = [one["state"] for one in (await alchemist.status(request_id))["forms"]]
    assert states == ["cancelled", "done"]


async def test_a_form_is_given_up_after_180_seconds(alchemist):
    request_id = await alchemist.asked("caption")
    await alchemist.pop("caption")
    horde = alchemist.server.app.extensions["horde"].horde
    for seconds, state in ((170, "processing"), (190, "waiting")):
        async with alchemist.server.database.writing() as session:
            await steps.abort_stale(session, horde, now() + timedelta(seconds=seconds))
        assert (await alchemist.status(request_id))["state"] == state


async def test_a_paused_alchemist_gets_decoys(alchemist, shared):
    await alchemist.pop("describe")
    async with shared.database.writing() as session:
        worker = await fleet.by_name(session, alchemist.name)
        await factories.change_worker(session, worker.id, paused=True)
    other = await shared.user(f"other {next(NUMBERS)}")
    request_id = await alchemist.asked("describe", key=other.key)
    (form,) = (await alchemist.pop("describe"))["forms"]
    assert form["form"] == "describe"
    assert (await alchemist.submit(form["id"], {"describe": "x"})).json() == {"reward": 1.0}
    assert (await alchemist.status(request_id))["state"] == "waiting"
    async with shared.database.reading() as session:
        alive = select(func.count()).where(
            AttemptRow.outcome == Outcome.DONE,
            AttemptRow.reward > 0,
            AttemptRow.model == "describe",
        )
        assert not await session.scalar(alive)


REFUSED = {
    "BadRequest webhook": (400, {"webhook": "http://example.com/x"}),
    "BadRequest no forms": (400, {"forms": []}),
    "ImageValidationFailed": (400, {"source_image": "bm8gcGljdHVyZQ=="}),
    "TooManyPrompts": (429, {"forms": [{"name": "caption"}, {"name": "nsfw"}]}),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_refusal_says_why(shared, case):
    status, body = REFUSED[case]
    concurrency = 0 if case == "TooManyPrompts" else 10
    user = await shared.user(f"poor {next(NUMBERS)}", concurrency=concurrency)
    wanted = {"forms": [{"name": "caption"}], "source_image": PICTURE, **body}
    answer = await shared.post("/interrogate/async", wanted, key=user.key)
    assert (answer.status_code, answer.json()["rc"]) == (status, case.split()[0])


async def test_who_knows_no_such_form(alchemist):
    answer = await alchemist.ask("levitate")
    assert answer.status_code == 400
    assert "forms.0.name" in answer.json()["errors"]


async def test_a_form_is_delivered_once(alchemist):
    await alchemist.asked("caption")
    (form,) = (await alchemist.pop("caption"))["forms"]
    await alchemist.submit(form["id"], {"caption": "a"})
    again = await alchemist.submit(form["id"], {"caption": "b"})
    assert (again.status_code, again.json()["rc"]) == (400, "DuplicateGen")


async def test_nothing_is_decoded_for_who_may_not_ask(alchemist):
    answer = await alchemist.ask("caption", source_image=pictures.NO_PICTURE, key="nobody's")
    assert (answer.status_code, answer.json()["rc"]) == (401, "InvalidAPIKey")
