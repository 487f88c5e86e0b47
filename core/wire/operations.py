"""`/api/v2/operations`: addresses that are kept out."""

from typing import Annotated

from pydantic import Field, StrictInt

from core.wire.model import Answer, Request
from core.wire.scalars import WHOLE, String

AddressText = Annotated[String, Field(min_length=7, max_length=40)]
"""An IP address, or a network in CIDR form."""


class AddTimeoutIPInput(Request):
    """An address or network to be kept out."""

    ipaddr: AddressText
    hours: Annotated[StrictInt, Field(ge=1, le=720), WHOLE]


class DeleteTimeoutIPInput(Request):
    """An address or network to be let in again."""

    ipaddr: AddressText


class AddWorkerTimeout(Request):
    """For how long a worker's address is kept out."""

    days: Annotated[StrictInt, Field(ge=1, le=30), WHOLE]


class IPTimeout(Answer):
    """An address or network that is kept out."""

    ipaddr: str
    seconds: int
    """For how much longer."""
