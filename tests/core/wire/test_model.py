import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from core.wire.generate import (
    GenerationInputStable,
    GenerationPayloadStable,
    GenerationStable,
    ModelGenerationInputStable,
    ModelPayloadLorasStable,
    ModelPayloadStable,
    NoValidRequestFoundStable,
    ReportedMetadata,
    RequestAsync,
    RequestStatusCheck,
)
from core.wire.messages import ResponseModelMessagePop
from core.wire.model import request_json, to_data, to_json
from core.wire.users import MonthlyKudos, UserDetails
from core.wire.validation import parse

MOMENT = datetime(2026, 11, 24, 16, 47, 31, tzinfo=UTC)

USER = UserDetails(
    username="fox#1",
    id=1,
    kudos=25,
    concurrency=30,
    worker_invited=0,
    moderator=False,
    worker_count=0,
    trusted=False,
    flagged=False,
    service=False,
    education=False,
    customizer=False,
    deleted=False,
    pseudonymous=True,
    account_age=60,
)


def written(answer, *, omit_nulls):
    data = json.loads(to_json(answer, omit_nulls=omit_nulls))
    assert data == to_data(answer, omit_nulls=omit_nulls)
    return data


def test_floats_are_floats_and_integers_integers():
    check = RequestStatusCheck(
        finished=1,
        processing=0,
        restarted=0,
        waiting=0,
        done=True,
        wait_time=0,
        queue_position=0,
        kudos=10,
    )
    assert b'"finished":1,' in to_json(check, omit_nulls=False)
    assert b'"kudos":10.0,' in to_json(check, omit_nulls=False)


def test_the_endpoint_decides_on_nulls():
    queued = RequestAsync(id="1", kudos=7.5)
    assert written(queued, omit_nulls=True) == {"id": "1", "kudos": 7.5}
    assert written([queued], omit_nulls=True) == [{"id": "1", "kudos": 7.5}]
    sent = {"id": "1", "kudos": 7.5, "message": None, "warnings": None}
    assert written(queued, omit_nulls=False) == sent
    assert written([queued], omit_nulls=False) == [sent]


def test_nulls_inside_stay_where_only_the_outer_ones_are_left_out():
    data = written(USER, omit_nulls=True)
    assert "contact" not in data
    assert data["usage"] == {"megapixelsteps": None, "requests": None}
    assert written(USER, omit_nulls=False)["contact"] is None


def test_an_empty_pop_has_what_clients_rely_on():
    data = written(
        GenerationPayloadStable(skipped=NoValidRequestFoundStable(models=2, post_processing=0)),
        omit_nulls=False,
    )
    assert (data["id"], data["ids"], data["model"], data["r2_uploads"]) == (None, [], None, None)
    assert data["skipped"] == {"models": 2, "post-processing": 0}
    assert data["payload"]["ddim_steps"] == 30
    assert "prompt" not in data["payload"]
    assert data["source_processing"] == "img2img"


def test_a_pop_omits_nulls_inside_and_sends_them_outside():
    answer = GenerationPayloadStable(
        id="1",
        ids=["1"],
        payload=ModelPayloadStable(prompt="x", seed="1", loras=[ModelPayloadLorasStable(name="a")]),
        messages=[ResponseModelMessagePop(id="2", message="hello", expiry=MOMENT)],
    )
    data = written(answer, omit_nulls=False)
    assert data["source_image"] is None
    assert data["payload"]["loras"] == [
        {"name": "a", "model": 1.0, "clip": 1.0, "is_version": False}
    ]
    assert data["messages"] == [
        {"id": "2", "message": "hello", "expiry": "Tue, 24 Nov 2026 16:47:31 -0000"}
    ]


def test_dates_are_rfc_822_with_a_literal_minus_and_zeros():
    for moment in (MOMENT, MOMENT.astimezone(timezone(timedelta(hours=9)))):
        data = written(MonthlyKudos(last_received=moment), omit_nulls=False)
        assert data == {"last_received": "Tue, 24 Nov 2026 16:47:31 -0000"}
    read = MonthlyKudos.model_validate_json(json.dumps(data))
    assert read.last_received == MOMENT
    with pytest.raises(ValueError, match="datetime"):
        MonthlyKudos.model_validate_json('{"last_received": "yesterday"}')


def test_an_answer_reads_nulls_and_values_that_are_new():
    text = """{"img": "x", "seed": "1", "id": "1", "censored": false, "worker_id": "w",
        "worker_name": "w", "model": "m", "state": "new", "more": 1,
        "gen_metadata": [{"type": "new", "value": "newer", "ref": null}]}"""
    read = GenerationStable.model_validate_json(text)
    assert read.state == "new"
    assert read.gen_metadata == [ReportedMetadata(type="new", value="newer")]
    assert "ref" not in written(read, omit_nulls=False)["gen_metadata"][0]


def test_hyphens_are_read_and_written():
    read = NoValidRequestFoundStable.model_validate_json('{"post-processing": 3}')
    assert read.post_processing == 3
    assert written(read, omit_nulls=False) == {"post-processing": 3}


def test_a_request_says_only_what_was_set():
    ask = GenerationInputStable(
        prompt="x", source_image=None, params=ModelGenerationInputStable(n=2)
    )
    assert request_json(ask) == b'{"prompt":"x","params":{"n":2}}'
    assert parse(GenerationInputStable, request_json(ask)).params.n == 2
