"""`horde generate` and `horde status`: what they print, and their exit statuses."""

import json
import signal
from pathlib import Path

import pytest

from cli import alchemy, asking, words
from core.wire.alchemy import InterrogationFormStatus
from core.wire.generate import GenerationInputStable, JobFault, RequestStatusCheck
from core.wire.status import ActiveModel
from horde_command import Horde


@pytest.fixture(scope="module")
def horde(tmp_path_factory):
    """A horde without a worker."""
    horde = Horde(tmp_path_factory.mktemp("horde"), 0, "none")
    up = horde.start("up", "--no-worker")
    url = up.line("page:").split()[-1].rstrip("/")
    horde.set(HORDE_URL=url)
    yield horde
    up.signal(signal.SIGTERM)
    assert up.end() == 0
    horde.close()


def test_a_dry_run_says_the_price_and_queues_nothing(horde):
    status, told = horde.run("generate", "a fox", "-n", "2", "--dry-run", "--json")
    assert status == 0
    assert json.loads(told)["kudos"] > 10
    assert json.loads(told)["kudos"] % 1  # to the hundredth
    status, told = horde.run("status", "--json")
    assert status == 0
    assert json.loads(told)["performance"]["queued_requests"] == 0


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("--size", "512"), 2, "WIDTHxHEIGHT"),
        (("--size", "500x512"), 2, "500 is not a multiple of 64"),
        (("-o", "fox.gif"), 2, ".webp"),
        (("-n", "many"), 2, "Invalid value"),
        (("--api-key", "nobody-has-this-key-22"), 3, "No user matching sent API Key"),
        (("--timeout", "1"), 5, "Not done after 1 s"),
        (("--url", "http://127.0.0.1:9"), 7, "127.0.0.1:9"),
    ],
)
def test_exit_statuses(horde, arguments, status, told):
    ended, said = horde.run("generate", "a fox", *arguments)
    assert ended == status, said
    assert told in said


def test_a_prompt_may_come_by_standard_input(horde):
    assert horde.run("generate", "-", "--dry-run", stdin="a fox")[0] == 0
    assert horde.run("generate", "-", "--dry-run", stdin="")[0] == 2


def test_ctrl_c_cancels_the_request(horde):
    asking = horde.start("generate", "a fox")
    asking.line("waiting for a worker")
    asking.signal(signal.SIGINT)
    assert asking.end() == 6
    told = horde.run("status", "--json")[1]
    assert json.loads(told)["performance"]["queued_requests"] == 0


def test_what_nobody_can_make_is_told_without_a_time(horde):
    asking = horde.start("generate", "a fox", "--model", "nomodel")
    line = asking.line("no worker can make it")
    assert "nobody offers a model named nomodel" in line
    assert "about" not in line
    asking.signal(signal.SIGINT)
    assert asking.end() == 6


FAULT = {"index": 1, "tries": 2, "reason": "its mask cannot be read."}
CHECK = {"finished": 0, "processing": 0, "restarted": 2, "done": False, "kudos": 1.0}


def test_why_workers_failed_is_told():
    waiting = CHECK | {"waiting": 2, "wait_time": 8, "queue_position": 1, "faults": [FAULT]}
    told = asking.standing(RequestStatusCheck.model_validate(waiting))
    why = "Picture 2 failed 2 times: its mask cannot be read."
    assert told == f"next in the queue, about 8 s. {why}"
    answer = asking.Answer(faulted=True, faults=[JobFault.model_validate(FAULT)])
    assert answer.failure == f"Workers could not make all of it. {why}"


async def test_why_a_form_failed_is_told():
    failed = {"form": "caption", "state": "faulted", "faults": 3, "reason": "no room"}
    form = InterrogationFormStatus.model_validate(failed)
    entry = await alchemy._entry(None, "fox.webp", form, Path())
    assert entry == {
        "picture": "fox.webp", "form": "caption", "state": "faulted", "reason": "no room"
    }  # fmt: skip
    assert alchemy._line(entry, several=False) == "caption is faulted: no room"


@pytest.mark.parametrize(
    ("kudos", "figures"), [(6.5, "6.5"), (7.0, "7"), (0.0, "0"), (1234567.5, "1234567.5")]
)
def test_kudos_are_printed_in_figures_however_many_there_are(kudos, figures):
    assert words.amount(kudos) == figures


class Offering:
    """A horde's client, as far as it says which models are online."""

    def __init__(self, *names):
        shared = {"performance": 1, "queued": 0, "jobs": 0, "eta": 0, "type": "image"}
        self._models = [ActiveModel(name=name, count=count, **shared) for name, count in names]

    @property
    def models(self):
        return self

    async def active(self):
        return self._models


@pytest.mark.parametrize(
    ("online", "named", "asked"),
    [
        ([("horde-tiny", 1), ("gone", 0)], [], ["horde-tiny"]),
        ([("horde-tiny", 1), ("other", 1)], [], []),
        ([], [], []),
        ([("horde-tiny", 1)], ["other"], ["other"]),
    ],
)
async def test_the_only_model_online_is_asked_so_that_its_defaults_count(online, named, asked):
    wanted = GenerationInputStable(prompt="a fox", models=named)
    assert (await asking.with_model(Offering(*online), wanted)).models == asked
