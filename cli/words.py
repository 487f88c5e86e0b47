"""Amounts, times and counts in words."""

from typing import Final

_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"))


def amount(number: float) -> str:
    """An amount, such as one of kudos, in figures, however large it is: 6.5, 1234567."""
    return f"{number:.2f}".rstrip("0").rstrip(".")


def count(number: float, one: str, many: str | None = None) -> str:
    """Such as "1 worker" and "3 workers"."""
    return f"{amount(number)} {one if number == 1 else many or f'{one}s'}"


def duration(seconds: float) -> str:
    """The two largest units of a time: 3 d 4 h, 25 min, 40 s."""
    left, parts = round(seconds), list[str]()
    for length, unit in _UNITS:
        if left >= length:
            parts.append(f"{left // length} {unit}")
            left %= length
    if not parts or (left and len(parts) == 1 and seconds < 3600):  # noqa: PLR2004 - an hour
        parts.append(f"{left} s")
    return " ".join(parts[:2])


def yes(fact: object) -> str:
    """Such a cell of a table: yes, or nothing."""
    return "yes" if fact else ""
