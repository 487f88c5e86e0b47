"""`/api/v2/collections`: styles of one kind, of which a request gets a random one."""

from typing import Annotated, Literal

from pydantic import Field

from core.wire.limits import MAX_NAMES, Name
from core.wire.model import Answer, Request
from core.wire.scalars import Boolean, Known, Maybe, String

CollectionType = Literal["image", "text"]


class InputModelCollection(Request):
    """`POST collections` (`name` and `styles` are required), `PATCH collections/{id}`."""

    name: Maybe[Annotated[String, Field(min_length=1, max_length=100)]] = None
    info: Maybe[Annotated[String, Field(min_length=1, max_length=1000)]] = None
    public: Boolean = True
    """Whether it is listed."""
    styles: Annotated[list[Annotated[Name, Field(min_length=1)]], Field(max_length=MAX_NAMES)] = (
        Field(default_factory=list)
    )
    """Their ids or names."""


class ResponseModelStylesShort(Answer):
    """A style in a collection."""

    name: str
    """`user#id::style::name`."""
    id: str


class ResponseModelCollection(Answer):
    """Styles of which a request gets a random one."""

    id: str
    name: str
    type: Annotated[str, Known(CollectionType)]
    info: str | None = None
    public: bool = True
    styles: list[ResponseModelStylesShort] = Field(default_factory=list)
    use_count: int
