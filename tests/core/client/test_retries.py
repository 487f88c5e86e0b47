"""What is repeated, when, and what never is."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from core.client import (
    AlreadySubmitted,
    HordeClient,
    HordeError,
    InMaintenance,
    Invalid,
    JobGone,
    NotFound,
    Retries,
    TooMany,
    Unavailable,
    Unreachable,
)
from core.client.errors import from_answer
from core.wire.generate import GenerationInputStable, PopInputStable, SubmitInputStable
from core.wire.sharedkeys import SharedKeyInput
from core.wire.teams import CreateTeamInput
from core.wire.users import ModifyUserInput

HEARTBEAT = {"message": "OK", "version": "1"}
DUPLICATE = {"message": "already submitted", "rc": "DuplicateGen"}
ABORTED = {"message": "Please check your worker speed", "rc": "AbortedGen"}
RESULT = SubmitInputStable(id="1", generation="R2", seed=1)
FAULT = SubmitInputStable(id="1", generation="faulted", seed=1, state="faulted")


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
async def test_what_passes_is_tried_again(server, client, status):
    server.will(server.answer(status, b"<html>"), server.answer(200, HEARTBEAT))
    assert (await client.heartbeat()).message == "OK"
    assert len(server.asked) == 2


async def test_a_broken_connection_is_made_again(server, client):
    server.will(server.drop, server.drop, server.drop, server.answer(200, HEARTBEAT))
    assert (await client.heartbeat()).message == "OK"


async def test_attempts_are_bounded(server, client):
    server.will(server.answer(503, {"message": "maintenance"}))
    with pytest.raises(Unavailable, match="maintenance"):
        await client.heartbeat()
    assert len(server.asked) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 418, 500, 501])
async def test_what_stays_wrong_is_not_repeated(server, client, status):
    server.will(server.answer(status, {"message": "no", "rc": "Code"}))
    with pytest.raises(HordeError, match="no") as caught:
        await client.heartbeat()
    assert (caught.value.status, caught.value.rc, len(server.asked)) == (status, "Code", 1)


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.generate(GenerationInputStable(prompt="x")),
        lambda client: client.price(GenerationInputStable(prompt="x")),
        lambda client: client.pop(PopInputStable(name="w")),
        lambda client: client.users.register("somebody"),
        lambda client: client.teams.create(CreateTeamInput(name="team")),
        lambda client: client.shared_keys.create(SharedKeyInput()),
        lambda client: client.users.edit(1, ModifyUserInput(kudos=5)),
    ],
)
async def test_what_would_happen_twice_is_never_repeated(server, client, call):
    many = server.answer(429, {"message": "too many waiting", "rc": "TooManyPrompts"})
    for step in (server.drop, server.answer(503), many):
        server.will(step)
        server.asked.clear()
        with pytest.raises(HordeError):
            await call(client)
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.cancel("1"),
        lambda client: client.submit(RESULT),
        lambda client: client.upload(f"{client.site}/pictures/1.webp", b"x"),
        lambda client: client.download(f"{client.site}/pictures/1.webp"),
        lambda client: client.models.active(),
    ],
)
async def test_what_may_be_repeated_is(server, client, call):
    client.site = server.url
    server.will(server.drop)
    with pytest.raises(Unreachable):
        await call(client)
    assert len(server.asked) == 4


async def test_what_came_too_soon_was_not_done_and_is_asked_again(server, client):
    soon = server.answer(429, {"message": "2 per 1 second"}, Retry_After=0)
    server.will(soon, server.answer(200, {"id": "1", "name": "team"}))
    assert (await client.teams.create(CreateTeamInput(name="team"))).id == "1"
    server.will(soon)
    with pytest.raises(TooMany):
        await client.pop(PopInputStable(name="w"))
    assert len(server.asked) == 3


async def test_a_transfer_is_one_however_often_it_is_asked_for(server, client):
    server.will(server.drop, server.answer(503), server.answer(200, {"transferred": 5.0}))
    assert (await client.kudos.transfer("somebody#1", 5)).transferred == 5.0
    assert len({asked.headers["idempotency-key"] for asked in server.asked}) == 1
    await client.kudos.transfer("somebody#1", 5, key="mine")
    assert server.asked[-1].headers["idempotency-key"] == "mine"
    assert len({asked.headers["idempotency-key"] for asked in server.asked}) == 2


async def test_what_a_lost_attempt_has_deleted_is_deleted(server, client):
    gone = server.answer(404, {"message": "no", "rc": "TeamNotFound"})
    server.will(server.drop, gone)
    await client.teams.delete("1")
    server.will(server.answer(429), gone)
    with pytest.raises(NotFound):
        await client.teams.delete("1")


async def test_a_result_is_too_dear_to_be_lost_over_a_servers_slip(server, client):
    slip = server.answer(500, {"message": "Internal Server Error"})
    server.will(slip, slip, server.answer(200, {"reward": 12.5}))
    assert (await client.submit(RESULT)).reward == 12.5
    server.will(slip, server.answer(200))
    await client.upload(f"{server.url}/pictures/1.webp", b"x")
    assert len(server.asked) == 5


async def test_what_was_kept_before_a_slip_is_submitted(server, client):
    server.will(server.answer(500), server.answer(400, DUPLICATE))
    assert await client.submit(RESULT) is None


async def test_a_lost_reward_is_unknown(server, client):
    server.will(server.drop, server.answer(400, DUPLICATE))
    assert await client.submit(RESULT) is None


async def test_a_reward_that_comes_late_is_known(server, client):
    server.will(server.drop, server.answer(503), server.answer(200, {"reward": 12.5}))
    assert (await client.submit(RESULT)).reward == 12.5


@pytest.mark.parametrize("before", [[], [429]])
async def test_another_submission_is_an_error(server, client, before):
    server.will(*(server.answer(status) for status in before), server.answer(400, DUPLICATE))
    with pytest.raises(AlreadySubmitted, match="already"):
        await client.submit(RESULT)


async def test_a_fault_is_given_back_once(server, client):
    server.will(server.drop, server.answer(400, ABORTED))
    assert (await client.submit(FAULT)).reward == 0.0
    with pytest.raises(JobGone, match="speed"):
        await client.submit(FAULT)


async def test_a_job_may_be_gone(server, client):
    server.will(server.drop, server.answer(400, ABORTED))
    with pytest.raises(JobGone):
        await client.submit(RESULT)
    server.will(server.answer(404, {"message": "Processing Job with ID", "rc": "InvalidJobID"}))
    with pytest.raises(JobGone):
        await client.submit(RESULT)


async def test_the_server_says_how_long_to_wait(server, client, monkeypatch):
    pauses = []

    async def pause(seconds):
        pauses.append(seconds)

    monkeypatch.setattr("core.client.retries.asyncio.sleep", pause)
    server.will(server.answer(429, {}, Retry_After=3), server.answer(200, HEARTBEAT))
    await client.heartbeat()
    assert pauses == [3.0]


async def test_patience_is_bounded(server, client):
    server.will(server.answer(429, {"message": "2 per 1 day"}, Retry_After=6))
    with pytest.raises(TooMany, match="2 per 1 day") as caught:
        await client.heartbeat()
    assert caught.value.retry_after_seconds == 6.0
    assert len(server.asked) == 1


def test_pauses_double_are_bounded_and_differ():
    retries = Retries(attempts=6, first_seconds=1.0, longest_seconds=5.0)
    error = Unreachable("x")
    for attempt, longest in enumerate([1.0, 2.0, 4.0, 5.0, 5.0], 1):
        pauses = {retries.pause(attempt, error) for _ in range(20)}
        assert len(pauses) > 1
        assert all(longest / 2 <= pause <= longest for pause in pauses)
    assert retries.pause(6, error) is None


@pytest.mark.parametrize(("header", "least", "most"), [("7", 7, 7), ("0", 0, 0), ("soon", None, 0)])
def test_retry_after_is_read(header, least, most):
    error = from_answer(503, {"Retry-After": header}, b"")
    if least is None:
        assert error.retry_after_seconds is None
    else:
        assert least <= error.retry_after_seconds <= most


@pytest.mark.parametrize(("hours", "least", "most"), [(1, 3590, 3601), (-1, 0, 0)])
def test_retry_after_may_be_a_date(hours, least, most):
    date = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
    error = from_answer(503, {"Retry-After": date}, b"")
    assert least <= error.retry_after_seconds <= most


def test_errors_say_which_field_is_wrong():
    body = b'{"message": "Input payload validation failed", "errors": {"prompt": "too short"}}'
    error = from_answer(400, {}, body)
    assert isinstance(error, Invalid)
    assert error.errors == {"prompt": "too short"}
    assert error.rc is None
    assert "prompt: too short" in str(error)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"message": 1, "rc": 2, "errors": 3}'])
def test_an_error_body_may_be_anything(body):
    error = from_answer(404, {}, body)
    assert isinstance(error, NotFound)
    assert (error.message, error.rc, error.errors) == (
        "The server answered 404 Not Found.",
        None,
        {},
    )


def test_each_code_of_the_contract_has_its_error():
    contract = json.loads((Path(__file__).parents[2] / "contract" / "returncodes.json").read_text())
    special = {}
    for code in contract["codes"]:
        error = from_answer(code["http"], {}, json.dumps({"rc": code["rc"]}).encode())
        assert (error.status, error.rc) == (code["http"], code["rc"])
        if type(error) is not type(from_answer(code["http"], {}, b"")):
            special[code["rc"]] = type(error)
    assert special == {
        "DuplicateGen": AlreadySubmitted,
        "AbortedGen": JobGone,
        "InvalidJobID": JobGone,
        "WorkerMaintenance": InMaintenance,
        "WorkerFlaggedMaintenance": InMaintenance,
    }


def test_the_default_is_four_attempts():
    client = HordeClient("http://127.0.0.1")
    assert client._api.retries == Retries(attempts=4)
