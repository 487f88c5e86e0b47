import io

import pytest
from rich.console import Console

from worker.commands.run import view_of
from worker.kind import Batch
from worker.live import LiveView, summary
from worker.progress import Lines
from worker.renderer import Held
from worker.tally import Tally

BATCH = Batch(
    ids=("12345678-90ab", "2"),
    model="[tiny]",
    work="64x32 x2 9 steps",
    steps=9,
)
LINE = "12345678 [tiny] 64x32 x2 9 steps: 1.0 s, +3.00 kudos\n"


def test_one_line_a_job(capsys):
    lines = view_of("lines")
    assert isinstance(lines, Lines)
    lines.begin(BATCH)
    lines.step(BATCH, 1, 9)
    lines.end(BATCH, "1.0 s, +3.00 kudos")
    lines.close()
    assert capsys.readouterr().out == LINE


def test_without_a_terminal_there_is_no_bar():
    assert isinstance(view_of("auto"), Lines)


def test_on_a_terminal_a_bar_moves_and_leaves_its_line():
    out = io.StringIO()
    # Whatever the terminal of this test run is: a dumb one has no bars.
    environment = {"TERM": "xterm-256color"}
    console = Console(
        file=out,
        force_terminal=True,
        width=100,
        highlight=False,
        markup=False,
        _environ=environment,
    )
    bar = LiveView(console)
    tally = Tally(bar)
    bar.counts = tally.counts
    tally.begin(BATCH)
    tally.step(BATCH, 4, 9)
    bar._live.refresh()
    assert "4/9" in out.getvalue()
    assert "0 done" in out.getvalue()
    assert "[tiny]" in out.getvalue()
    tally.settled(BATCH, 3.0, 0)
    bar._live.refresh()
    assert "2 done" in out.getvalue()
    tally.end(BATCH, "1.0 s, +3.00 kudos")
    tally.end(BATCH, "faulted twice")  # a job that never had a bar is no error
    bar.close()
    assert LINE.strip() in out.getvalue()
    assert not bar._bars.tasks


@pytest.mark.parametrize("width", [20, 40, 80])
def test_a_narrow_terminal_shows_steps_and_memory_all_the_same(width):
    out = io.StringIO()
    view = LiveView(Console(file=io.StringIO(), width=width, force_terminal=True))
    view.close()
    tally = Tally(view, held=lambda: (Held("horde-tiny", 25 * 2**20),))
    view.counts = tally.counts
    tally.begin(BATCH)
    tally.step(BATCH, 4, 9)
    Console(file=out, width=width).print(view._shown())
    lines = out.getvalue().splitlines()
    assert lines[0].rstrip().endswith("4/9")
    assert max(map(len, lines)) <= width
    assert "in memory: horde-tiny 25 MB" in " ".join(" ".join(lines).split())


def test_what_is_done_is_counted(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("worker.tally.time.monotonic", lambda: clock[0])
    tally = Tally(Lines(), engine=lambda: None)
    tally.begin(BATCH)
    clock[0] += 10
    tally.step(BATCH, 1, 9)
    tally.step(BATCH, 1, 9)  # another program is asked again and again how far it is
    [at_work] = tally.counts().at_work
    assert (at_work.step, at_work.steps) == (1, 9)
    tally.settled(BATCH, 3.0, 1)
    tally.end(BATCH, "done")
    clock[0] += 10
    counts = tally.counts()
    assert (counts.done, counts.lost, counts.steps) == (1, 1, 1)
    assert counts.busy == 0.5
    assert counts.kudos_an_hour == 3.0 * 3600 / 20
    assert counts.jobs_of == {"[tiny]": 1}
    assert counts.memory["control"] > 1_000_000
    clock[0] += 2 * 3600
    assert tally.counts().kudos_an_hour == 0
    assert tally.counts().kudos == 3.0
    assert "1 done, 1 lost · 0 kudos/h" in summary(tally.counts())


def test_two_batches_at_work_are_busy_once(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("worker.tally.time.monotonic", lambda: clock[0])
    tally = Tally(Lines())
    other = Batch(ids=("3",), model="m", work="w", steps=1)
    tally.begin(BATCH)
    clock[0] += 5
    tally.begin(other)
    tally.end(BATCH, "done")
    clock[0] += 5
    tally.end(other, "done")
    assert tally.counts().busy == 1.0
