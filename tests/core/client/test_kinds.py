"""Text and alchemy: their own paths, the same manners as for pictures."""

import json

import pytest

from core.client import TimedOut
from core.wire.alchemy import (
    InterrogationPopInput,
    InterrogationSubmitInput,
    ModelInterrogationInputStable,
)
from core.wire.events import EndEvent, ProgressEvent, StatusEvent, encode
from core.wire.text import GenerationInputKobold, PopInputKobold, SubmitInputKobold

ID = "0f3c2a1e-1111-2222-3333-444455556666"
TEXT = {
    "finished": 0,
    "processing": 0,
    "restarted": 0,
    "waiting": 1,
    "done": False,
    "wait_time": 1,
    "queue_position": 1,
    "kudos": 0.0,
    "generations": [],
}
WRITTEN = {"text": " x", "worker_id": ID, "worker_name": "w", "model": "m", "state": "ok"}
DONE = TEXT | {"finished": 1, "waiting": 0, "done": True, "generations": [WRITTEN]}
DRY = GenerationInputKobold(prompt="x", dry_run=True)


def targets(server):
    return [(asked.method, asked.target) for asked in server.asked]


async def test_a_text_is_asked_for_priced_and_cancelled_on_its_own_path(server, client):
    server.will(server.answer(202, {"id": ID, "kudos": 0.0}), server.answer(200, {"kudos": 2.5}))
    assert (await client.text.generate(GenerationInputKobold(prompt="x"))).id == ID
    assert await client.text.price(GenerationInputKobold(prompt="x")) == 2.5
    assert json.loads(server.asked[1].body) == {"prompt": "x", "dry_run": True}
    server.will(server.answer(200, TEXT))
    assert (await client.text.cancel(ID)).waiting == 1
    post, status = "/api/v2/generate/text/async", f"/api/v2/generate/text/status/{ID}"
    assert targets(server) == [("POST", post), ("POST", post), ("DELETE", status)]


async def test_a_dry_run_of_a_text_is_not_a_request(server, client):
    with pytest.raises(ValueError, match="price"):
        await client.text.generate(DRY)
    assert server.asked == []


async def test_waiting_for_a_text_follows_its_events(server, client):
    """What is written so far comes with them."""
    check = {name: value for name, value in DONE.items() if name != "generations"}
    said = [ProgressEvent(index=0, step=1, steps=9, text=" x"), EndEvent(**check)]
    server.will(server.stream(*map(encode, said)), server.answer(200, DONE))
    seen = []
    status = await client.text.wait_for(ID, 30, seen.append)
    assert seen == said
    assert [one.text for one in status.generations] == [" x"]
    assert [target.split("/")[4] for _, target in targets(server)] == ["events", "text"]


async def test_waiting_for_a_text_looks_until_it_is_done_where_there_are_no_events(server, client):
    """Hordes of other software have no `check` of texts, either."""
    looks = [server.answer(200, body) for body in (TEXT, TEXT, DONE)]
    server.will(server.answer(404, {"message": "no such path"}), *looks)
    seen = []
    status = await client.text.wait_for(ID, 30, seen.append)
    assert [(type(one), one.finished) for one in seen] == [
        (StatusEvent, 0),
        (StatusEvent, 1),
        (EndEvent, 1),
    ]
    assert [one.text for one in status.generations] == [" x"]
    text = ("GET", f"/api/v2/generate/text/status/{ID}")
    assert targets(server)[1:] == [text] * 4


async def test_waiting_ends_in_time(server, client):
    server.will(server.answer(404, {"message": "no such path"}), server.answer(200, TEXT))
    with pytest.raises(TimedOut):
        await client.text.wait_for(ID, 0.05)
    waiting = {"state": "waiting", "forms": [{"form": "palette", "state": "waiting"}]}
    server.will(server.answer(404, {"message": "no such path"}), server.answer(200, waiting))
    with pytest.raises(TimedOut):
        await client.alchemy.wait_for(ID, 0.05)


async def test_a_worker_of_text_pops_and_submits(server, client):
    answer = {"id": ID, "ids": [ID], "model": "m", "ttl": 150, "payload": {"prompt": "x"}}
    server.will(server.answer(200, answer))
    popped = await client.text.pop(PopInputKobold(name="w", models=["mmm"]))
    assert (popped.ids, popped.payload.prompt, popped.payload.max_length) == ([ID], "x", 80)
    # The first answer gets lost; the server's "already submitted" is then as good as it.
    duplicate = {"message": "already", "rc": "DuplicateGen"}
    server.will(server.drop, server.answer(400, duplicate))
    submit = SubmitInputKobold(id=ID, generation=" x", seed=7)
    assert await client.text.submit(submit) is None
    assert targets(server)[-1] == ("POST", "/api/v2/generate/text/submit")


async def test_forms_are_asked_for_followed_and_answered(server, client):
    form = {"form": "palette", "state": "done", "result": {"palette": ["#fff"]}}
    server.will(
        server.answer(202, {"id": ID}),
        server.answer(404, {"message": "no such path"}),
        server.answer(200, {"state": "processing", "forms": [form | {"state": "processing"}]}),
        *[server.answer(200, {"state": "done", "forms": [form]})] * 3,
        server.answer(200, {"forms": None, "skipped": {}}),
        server.answer(200, {"reward": 1.0}),
    )
    ask = {"source_image": "https://x.example/y.webp", "forms": [{"name": "palette"}]}
    asked = await client.alchemy.ask(ModelInterrogationInputStable.model_validate(ask))
    (ended,) = (await client.alchemy.wait_for(asked.id, 30)).forms
    await client.alchemy.cancel(asked.id)
    nothing = await client.alchemy.pop(InterrogationPopInput(name="w", forms=["palette"]))
    answer = InterrogationSubmitInput(id=ID, result={"palette": []})
    earned = await client.alchemy.submit(answer)
    assert ended.result == {"palette": ["#fff"]}
    assert not nothing.forms
    assert earned.reward == 1.0
    status = f"/api/v2/interrogate/status/{ID}"
    assert targets(server) == [
        ("POST", "/api/v2/interrogate/async"),
        ("GET", f"/api/v2/generate/events/{ID}"),
        *[("GET", status)] * 3,
        ("DELETE", status),
        ("POST", "/api/v2/interrogate/pop"),
        ("POST", "/api/v2/interrogate/submit"),
    ]


async def test_a_text_is_watched_without_asking_for_pictures(server, client):
    server.will(server.answer(404, {"message": "no such path"}), server.answer(200, DONE))
    events = [event async for event in client.text.events(ID)]
    assert [type(event) for event in events] == [StatusEvent, EndEvent]
    assert [target.split("/")[4] for _, target in targets(server)] == ["events", "text"]
