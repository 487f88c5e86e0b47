"""Asking for pictures: the answer's shape, prices, defaults, downgrades."""

import json

import pytest
from sqlalchemy import func, select

import pictures
import serving
from core.generation import admission
from core.queue.tables import RequestRow

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMALL = serving.SMALL
LARGE = {"width": 2048, "height": 2048, "steps": 100}


def ask(server, key=serving.ANONYMOUS, **body):
    return server.post("/generate/async", {"prompt": "a red fox", **body}, key=key)


async def test_an_accepted_request_has_an_id_and_a_price(shop):
    await shop.pop()
    shop.server.horde.online.forget()
    answer = await ask(shop.server, models=[shop.name], params=SMALL, nsfw=False)
    assert answer.status_code == 202
    assert answer.json().keys() == {"id", "kudos", "kudos_exact"}
    assert isinstance(answer.json()["kudos"], float)
    assert len(answer.json()["id"]) == 36


async def test_a_request_that_nobody_can_serve_is_accepted_with_a_warning(shared):
    answer = await ask(shared, models=["nobody serves it"])
    assert answer.status_code == 202
    (warning,) = answer.json()["warnings"]
    assert warning["code"] == "NoAvailableWorker"
    assert "warning" in answer.json()["message"].lower()
    assert answer.json()["message"] == warning["message"]


async def test_what_does_not_suit_the_model_is_warned_of(shared):
    params = {"steps": 2, "karras": True, "cfg_scale": 7}
    answer = await ask(shared, models=["DreamShaper XL"], params=params)
    codes = {warning["code"] for warning in answer.json()["warnings"]}
    assert codes == {"NoAvailableWorker", "StepsTooFew", "CfgScaleTooLarge"}


async def test_a_dry_run_says_the_price_of_all_and_keeps_nothing(shop):
    async def rows():
        async with shop.server.database.reading() as session:
            return await session.scalar(select(func.count()).select_from(RequestRow))

    before, kudos = await rows(), (await shop.server.get("/find_user", key=shop.owner.key)).json()
    one = await ask(shop.server, shop.owner.key, dry_run=True, params=SMALL)
    three = await ask(shop.server, shop.owner.key, dry_run=True, params={**SMALL, "n": 3})
    assert one.status_code == three.status_code == 200
    assert one.json().keys() == {"kudos", "kudos_exact"}
    assert isinstance(one.json()["kudos"], float)
    assert three.json()["kudos_exact"] == pytest.approx(3 * (one.json()["kudos_exact"] - 1) + 1)
    assert await rows() == before
    after = (await shop.server.get("/find_user", key=shop.owner.key)).json()
    assert after["kudos"] == kudos["kudos"]


async def test_prices_and_costs_are_told_in_whole_kudos_and_exactly_beside(shop):
    """Clients of 2023 read them as whole numbers; the ledger and our own clients do not round."""
    body = {"params": {"width": 512, "height": 512, "steps": 20}, "models": [shop.name]}
    priced = (await ask(shop.server, shop.owner.key, **body, dry_run=True)).json()
    asked = (await ask(shop.server, shop.owner.key, **body)).json()
    early = (await shop.server.get(f"/generate/check/{asked['id']}")).json()
    await shop.deliver(await shop.pop())
    stream = await shop.server.get(f"/generate/events/{asked['id']}")
    events = [json.loads(line[6:]) for line in stream.text.splitlines() if line[:5] == "data:"]
    told = [priced, asked, early, await shop.status(asked["id"]), events[-1], *events]
    costs = [one for one in told if "img" not in one]
    assert len(costs) >= 7
    for cost in costs:
        assert cost["kudos"] == int(cost["kudos_exact"] + 0.5)
    assert [priced["kudos"], asked["kudos"], early["kudos"]] == [9.0, 7.0, 1.0]
    assert [priced["kudos_exact"], asked["kudos_exact"]] == [8.61, 6.61]
    (picture,) = [event for event in events if "img" in event]
    assert picture["kudos"] % 1  # a field of ours alone


async def test_what_is_charged_is_what_the_dry_run_said(shop):
    payer = await shop.server.user(f"payer{next(serving.NUMBERS)}", kudos=1000)
    body = {"params": {**SMALL, "n": 2}, "models": [shop.name], "nsfw": False}
    said = (await ask(shop.server, payer.key, **body, dry_run=True)).json()["kudos_exact"]
    request_id = (await ask(shop.server, payer.key, **body)).json()["id"]
    await shop.deliver(await shop.pop(amount=2))
    assert (await shop.status(request_id))["kudos_exact"] == pytest.approx(said)


async def test_a_request_without_rights_is_nsfw_so_careful_workers_do_not_get_it(shop):
    await ask(shop.server, models=[shop.name], params=SMALL)
    assert (await shop.pop(nsfw=False))["id"] is None
    popped = await shop.pop()
    assert popped["id"]
    assert "use_nsfw_censor" not in popped["payload"]


@pytest.mark.parametrize(
    ("setting", "body", "served"),
    [
        (["stable_diffusion"], {}, False),
        (["stable_diffusion"], {"models": []}, True),
        ([], {}, True),
        ([], {"models": ["stable_diffusion"]}, False),
    ],
)
async def test_what_no_model_means_is_a_setting(databases, tmp_path, setting, body, served):
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, default_models=setting) as server:
            await ask(server, params=SMALL, **body)
            owner = await server.user()
            popped = await server.pop(owner.key, models=["Deliberate"])
    assert bool(popped["id"]) == served


async def test_who_cannot_pay_may_get_less(shop):
    refused = await ask(shop.server, models=[shop.name], params=LARGE, nsfw=False)
    assert refused.json()["rc"] == "KudosUpfront"
    less = await ask(
        shop.server, models=[shop.name], params=LARGE, nsfw=False, allow_downgrade=True
    )
    assert less.status_code == 202
    payload = (await shop.pop(max_pixels=2**22))["payload"]
    assert payload["width"] == payload["height"] <= 1024
    assert payload["ddim_steps"] <= 40


async def test_who_can_pay_gets_it_all(shop):
    asked = await ask(shop.server, shop.owner.key, models=[shop.name], params=LARGE)
    assert asked.status_code == 202
    payload = (await shop.pop(max_pixels=2**22))["payload"]
    assert (payload["width"], payload["ddim_steps"]) == (2048, 100)


async def test_source_pictures_are_kept_smaller_and_their_steps_with_control_are_fewer(shop):
    params = {"width": 64, "height": 64, "control_type": "canny"}
    await ask(
        shop.server,
        models=[shop.name],
        source_image=pictures.encoded(pictures.picture(size=(256, 256))),
        params=params,
        nsfw=False,
    )
    regen = "AI Horde Worker reGen:13:x"
    popped = await shop.pop(bridge_agent=regen, allow_controlnet=True)
    assert popped["payload"]["ddim_steps"] == 20
    assert (await shop.server.http.get(popped["source_image"])).content[8:12] == b"WEBP"


async def test_bridges_that_cannot_fetch_get_source_pictures_as_base64(shop):
    await ask(
        shop.server,
        models=[shop.name],
        source_image=pictures.SOURCE,
        params=SMALL,
        nsfw=False,
    )
    popped = await shop.pop(bridge_agent="HordeAutoWebBridge:1:x")
    assert popped["source_image"].startswith("UklGR")


async def test_popped_jobs_leave_room_for_more(shop):
    payer = await shop.server.user(f"payer{next(serving.NUMBERS)}", concurrency=2)
    body = {"models": [shop.name], "params": {**SMALL, "n": 2}}
    assert (await ask(shop.server, payer.key, **body)).status_code == 202
    full = await ask(shop.server, payer.key, **body)
    assert (full.status_code, full.json()["rc"]) == (429, "TooManyPrompts")
    await shop.pop(amount=2)
    assert (await ask(shop.server, payer.key, **body)).status_code == 202


async def test_a_seed_is_text_and_any_text_is_a_seed(shop):
    for seed in ("fox", "", "9" * 1000, "狐", "x" * 1000):
        await ask(shop.server, models=[shop.name], params={**SMALL, "seed": seed})
        got = (await shop.pop())["payload"]["seed"]
        assert 0 <= int(got) < 2**32


async def test_a_program_that_calls_itself_as_an_example_does_is_refused(shared):
    wanted = {"prompt": "a red fox", "models": []}
    agent = {"Client_Agent": "My-Project:v0.0.1:My-Contact"}
    refused = await shared.post("/generate/async", wanted, key=serving.ANONYMOUS, **agent)
    assert (refused.status_code, refused.json()["rc"]) == (403, "BannedClientAgent")


async def test_a_request_with_a_picture_is_admitted_once(shop, monkeypatch):
    calls, real = [], admission.admit

    async def counted(*given):
        calls.append(given)
        return await real(*given)

    monkeypatch.setattr(admission, "admit", counted)
    await shop.ask(source_image=pictures.SOURCE)
    assert len(calls) == 1
