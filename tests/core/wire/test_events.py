import pytest

from core.wire.events import EndEvent, GenerationEvent, JobProgress, StatusEvent, decode, encode

STATUS = {
    "finished": 1,
    "processing": 0,
    "restarted": 0,
    "waiting": 0,
    "done": True,
    "wait_time": 0,
    "queue_position": 0,
    "kudos": 10.0,
}
PICTURE = {
    "img": "a\nb",
    "seed": "1",
    "id": "1",
    "censored": False,
    "worker_id": "w",
    "worker_name": "line\u2028break\r\n",
    "model": "m",
    "index": 0,
    "kudos": 7.5,
}


@pytest.mark.parametrize(
    "event",
    [
        StatusEvent(**STATUS, jobs=[JobProgress(index=0, state="waiting")]),
        GenerationEvent(**PICTURE),
        EndEvent(**STATUS),
    ],
)
def test_an_event_is_one_name_and_one_line_of_data(event):
    name, data, *rest = encode(event).split(b"\n")
    assert rest == [b"", b""]
    assert name == f"event: {event.name}".encode()
    assert decode(event.name, data.removeprefix(b"data: ").decode()) == event


def test_a_job_without_a_worker_says_nothing_of_one():
    event = StatusEvent(**STATUS, jobs=[JobProgress(index=0, state="waiting")])
    assert b'"jobs":[{"index":0,"state":"waiting"}]' in encode(event)


def test_unknown_events_are_none_and_broken_ones_errors():
    assert decode("preview", "{}") is None
    with pytest.raises(ValueError, match="finished"):
        decode("end", "{}")
