"""What is ordered of a picture that is there, and how it comes back; see `worker.renderer`."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from worker.renderer import Model, Order, Picture


@dataclass(frozen=True)
class Description(Model):
    """A form that is answered without weights, so it is always here; named as the form is."""

    folder: Path = Path()


@dataclass(frozen=True)
class Answered:
    """What came of a form: something to say, or a picture."""

    result: JsonValue | Picture


@dataclass(frozen=True)
class FormOrder(Order[Answered]):
    """One form. picture: encoded (WebP, PNG, …), as downloaded."""

    form: Model
    picture: bytes

    @property
    def model(self) -> Model:
        """Who answers it."""
        return self.form
