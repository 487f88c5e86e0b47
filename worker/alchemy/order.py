"""Orders for forms of existing pictures, and their results; see `worker.renderer`."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from worker.renderer import Model, Order, Picture


@dataclass(frozen=True)
class Description(Model):
    """A form that needs no weights and so is always available; it has the form's name."""

    folder: Path = Path()


@dataclass(frozen=True)
class Answered:
    """The result of a form: an answer, or a picture.

    note: what whoever asked for it should know.
    """

    result: JsonValue | Picture
    note: str = ""


@dataclass(frozen=True)
class FormOrder(Order[Answered]):
    """One form. picture: encoded (WebP, PNG, …), as downloaded."""

    form: Model
    picture: bytes

    @property
    def model(self) -> Model:
        """The model that answers it."""
        return self.form
