import pytest

from core.moderation import scores
from core.moderation.scores import OutsideScorer, Verdict
from core.outside import TookTooLong


class Service:
    """Answers as it is told, and counts how often it is asked."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    async def get(self, url, *, max_bytes, seconds, caller=""):
        self.asked.append(url)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (b"0", Verdict.SAFE),
        (b"0.929\n", Verdict.SAFE),
        (b"0.93", Verdict.UNSAFE),
        (b"1", Verdict.UNSAFE),
        (b"-1", Verdict.UNKNOWN),
        (b"2", Verdict.UNKNOWN),
        (b"true", Verdict.UNKNOWN),
        (b'"no"', Verdict.UNKNOWN),
        (b"\xff<html>", Verdict.UNKNOWN),
        (TookTooLong("it took too long"), Verdict.UNKNOWN),
    ],
)
async def test_what_the_answer_says(answer, verdict):
    service = Service(answer)
    scorer = OutsideScorer("https://scores.test/?ip={address}", service)
    assert await scorer.judge("192.0.2.7") is verdict
    assert service.asked == ["https://scores.test/?ip=192.0.2.7"]


async def test_an_answer_is_kept_and_no_answer_is_not(monkeypatch):
    service = Service(b"1")
    scorer = OutsideScorer("https://scores.test/{address}", service)
    for _ in range(3):
        await scorer.judge("192.0.2.7")
    assert len(service.asked) == 1
    service.answer = b"nothing"
    for _ in range(3):
        await scorer.judge("192.0.2.8")
    assert len(service.asked) == 4
    monkeypatch.setattr(scores, "KEPT_SECONDS", -1.0)
    service.answer = b"0"
    for _ in range(2):
        await scorer.judge("192.0.2.9")
    assert len(service.asked) == 6


async def test_no_more_answers_are_kept_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(scores, "MAX_KEPT", 2)
    service = Service(b"0")
    scorer = OutsideScorer("https://scores.test/{address}", service)
    for last in (1, 2, 3, 3, 2, 1):
        await scorer.judge(f"192.0.2.{last}")
    assert len(service.asked) == 4
