"""How far an order is, in steps of all its passes."""

from worker.renderer import OnStep


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

    def skip(self, steps: int) -> None:
        """Some steps need not be made."""
        self.finished += steps
        self.on_step(min(max(self.finished + self.steps, 1), self.total), self.total)

    def done(self, evaluations: int, of: int) -> None:
        """Some evaluations of this pass are done (second-order samplers need two a step)."""
        step = self.finished + self.steps * evaluations // of
        self.on_step(min(max(step, 1), self.total), self.total)
