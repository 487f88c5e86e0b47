"""`/api/v2/reports`: reports of abuse (ours, not in the contract)."""

from typing import Annotated, Literal

from pydantic import Field

from core.wire.model import Answer, Request
from core.wire.scalars import Boolean, Known, Maybe, Rfc822Date, String

ReportKind = Literal["picture", "style", "collection", "user", "worker", "team"]


class ReportInput(Request):
    """`POST reports`: a report that something shared is abuse."""

    kind: ReportKind
    """What is reported; a name is reported with its bearer."""
    id: Annotated[String, Field(min_length=1, max_length=36)]
    """Its id: a picture's is that of its generation."""
    reason: Annotated[String, Field(min_length=3, max_length=1000)]


class ModifyReport(Request):
    """`PATCH reports/{id}`: what a moderator decided."""

    closed: Boolean
    comment: Maybe[Annotated[String, Field(max_length=1000)]] = None


class ReportMade(Answer):
    """The report is with the moderators."""

    id: int
    message: str = "OK"


class ReportDetails(Answer):
    """A report, for moderators."""

    id: int
    kind: Annotated[str, Known(ReportKind)]
    subject: str
    """The id of what is reported."""
    reason: str
    reporter: str
    """The alias of who reported it."""
    created: Rfc822Date
    closed: Rfc822Date | None = None
    closed_by: str | None = None
    """The moderator's alias."""
    comment: str | None = None
