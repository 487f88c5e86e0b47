"""Counts an order's steps, for those who want to know how far it is."""

from collections.abc import Callable

from worker.renderer import OnStep, Shown


class Steps:
    """Counts the steps of all passes of an order, for `on_step`."""

    def __init__(self, on_step: OnStep, steps: int, passes: int) -> None:
        self.on_step = on_step
        self.steps = steps
        self.total = steps * passes
        self.finished = -steps

    def begin(self) -> None:
        """A pass begins."""
        self.finished += self.steps

    def passes(self, left: int) -> None:
        """The pass that had begun counts for nothing; so many are to come."""
        self.total = self.finished + self.steps * left
        self.finished -= self.steps

    def skip(self, passes: int) -> None:
        """Some passes take no steps."""
        self.finished += self.steps * passes
        self.on_step(min(self.finished + self.steps, self.total), self.total, lambda: None)

    def done(self, evaluations: int, of: int, show: Callable[[], Shown | None]) -> None:
        """Some evaluations of this pass are done (second-order samplers need two a step)."""
        step = self.finished + self.steps * evaluations // of
        self.on_step(min(max(step, 1), self.total), self.total, show)
