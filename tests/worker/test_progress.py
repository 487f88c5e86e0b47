import io

from rich.console import Console

from worker.kind import Batch
from worker.progress import Bar, Lines, display

BATCH = Batch(
    ids=("12345678-90ab", "2"),
    model="[tiny]",
    work="64x32 x2 9 steps",
    steps=9,
)
LINE = "12345678 [tiny] 64x32 x2 9 steps: 1.0 s, +3.00 kudos\n"


def test_one_line_a_job(capsys):
    lines = display("lines")
    assert isinstance(lines, Lines)
    lines.begin(BATCH)
    lines.step(BATCH, 1, 9)
    lines.end(BATCH, "1.0 s, +3.00 kudos")
    lines.close()
    assert capsys.readouterr().out == LINE


def test_without_a_terminal_there_is_no_bar():
    assert isinstance(display("auto"), Lines)


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
    bar = Bar(console)
    bar.begin(BATCH)
    bar.step(BATCH, 4, 9)
    bar._bars.refresh()
    assert "4/9" in out.getvalue()
    assert "[tiny]" in out.getvalue()
    bar.end(BATCH, "1.0 s, +3.00 kudos")
    bar.end(BATCH, "faulted twice")  # a job that never had a bar is no error
    bar.close()
    assert LINE.strip() in out.getvalue()
    assert not bar._bars.tasks
