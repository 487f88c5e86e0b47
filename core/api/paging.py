"""Numbers in a query: pages and ids."""

from quart import request

from core.errors import Invalid

LARGEST = 2**31 - 1
"""No id, and no page with anything on it, is beyond this."""


def page() -> int:
    """The number of the wanted page, from 1. Raises Invalid."""
    wanted = number("page")
    if wanted is None:
        return 1
    if not 1 <= wanted <= LARGEST:
        raise Invalid(f"There is no page {wanted}.")
    return wanted


def number(name: str) -> int | None:
    """A whole number of the query, or None if it is absent. Raises Invalid."""
    text = request.args.get(name, "")
    if not text:
        return None
    digits = text.removeprefix("-")
    is_number = digits.isascii() and digits.isdecimal() and len(digits) <= len(str(LARGEST))
    if not is_number or int(digits) > LARGEST:
        raise Invalid(f"{name} has to be a whole number up to {LARGEST}, not '{text[:20]}'.")
    return int(text)
