"""Reads prompts: files of text, CSV or JSON lines, standard input, and {a|b} in each of them."""

import csv
import itertools
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from cli import parameters
from cli.exits import Exit, Failure

MAX_PROMPTS: Final = 100_000
MAX_LINE_CHARS: Final = 1024 * 1024
CHOICE: Final = re.compile(r"\{([^{}]*\|[^{}]*)\}")
"""`{a|b}`: each of these in turn."""


@dataclass(frozen=True)
class Wanted:
    """One prompt of many.

    given: its own parameters, by the names of `cli.parameters`.
    name: what its files are called; empty: by its number.
    row: what else its line says, for the manifest.
    """

    prompt: str
    given: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    row: Mapping[str, Any] = field(default_factory=dict)


def combinations(prompt: str) -> Iterator[str]:
    """Each of the prompts that {a|b} stands for, in the order in which they are written."""
    parts = CHOICE.split(prompt)
    choices = [part.split("|") if odd else [part] for odd, part in _numbered(parts)]
    for chosen in itertools.product(*choices):
        yield "".join(chosen)


def _numbered(parts: list[str]) -> Iterator[tuple[int, str]]:
    """The parts, each with whether it is a choice: `re.split` puts these at odd places."""
    return ((index % 2, part) for index, part in enumerate(parts))


def given(argument: str | None, option: str | None, file: str | None) -> list[Wanted]:
    """The prompts of a command: from its argument or option, a file, or standard input.

    Raises Failure if there is more than one of these.
    """
    ways = [way for way in (argument, option, file) if way is not None]
    if len(ways) > 1:
        raise Failure(Exit.USAGE, "Give one prompt, or --prompts FILE, not both.")
    if file is not None:
        return read(file)
    if not ways:
        return []
    text = sys.stdin.read(MAX_LINE_CHARS) if ways == ["-"] else ways[0]
    return [Wanted(text.strip())] if text.strip() else []


def read(place: str) -> list[Wanted]:
    """The prompts of a file (.csv, .jsonl, else one a line), or of standard input for `-`.

    Raises Failure, with the line, for what cannot be read.
    """
    if place == "-":
        return _limited("standard input", _lines("standard input", sys.stdin))
    suffix = Path(place).suffix.lower()
    readers = {".csv": _csv, ".jsonl": _json_lines, ".ndjson": _json_lines}
    try:
        # utf-8-sig: spreadsheets begin their files with a mark that is no part of the first name.
        with Path(place).open(
            encoding="utf-8-sig", newline="" if suffix == ".csv" else None
        ) as file:
            return _limited(place, readers.get(suffix, _lines)(place, file))
    except OSError as error:
        raise Failure(Exit.USAGE, f"{place} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Failure(Exit.USAGE, f"{place} is not UTF-8 text.") from None


def _limited(place: str, found: Iterator[Wanted]) -> list[Wanted]:
    read = list(itertools.islice(found, MAX_PROMPTS + 1))
    if len(read) > MAX_PROMPTS:
        raise Failure(Exit.USAGE, f"{place} has more than {MAX_PROMPTS} prompts: please split it.")
    if not read:
        raise Failure(Exit.USAGE, f"{place} has no prompts.")
    return read


def _lines(place: str, file: IO[str]) -> Iterator[Wanted]:
    for _, line in _numbered_lines(place, file):
        if not line.startswith("#"):
            yield Wanted(line)


def _json_lines(place: str, file: IO[str]) -> Iterator[Wanted]:
    for number, line in _numbered_lines(place, file):
        where = f"{place}, line {number}"
        try:
            found = json.loads(line)
        except ValueError as error:
            raise Failure(Exit.USAGE, f"{where} is not JSON: {error}.") from None
        if isinstance(found, str):
            yield Wanted(found)
        elif isinstance(found, dict):
            yield _of_row(where, found)
        else:
            raise Failure(Exit.USAGE, f"{where} is neither a prompt nor an object with one.")


def _csv(place: str, file: IO[str]) -> Iterator[Wanted]:
    rows = csv.DictReader(file, restkey="", strict=True)
    try:
        if "prompt" not in (rows.fieldnames or ()):
            raise Failure(Exit.USAGE, f"{place}: its first line must name a column `prompt`.")
        for row in rows:
            if "" in row:
                raise Failure(Exit.USAGE, f"{place}, line {rows.line_num} has too many cells.")
            yield _of_row(f"{place}, line {rows.line_num}", row)
    except csv.Error as error:
        raise Failure(Exit.USAGE, f"{place}, line {rows.line_num}: {error}.") from None


def _of_row(where: str, row: Mapping[str, Any]) -> Wanted:
    prompt = row.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise Failure(Exit.USAGE, f"{where} has no prompt.")
    given, rest = {}, {}
    for name, value in row.items():
        if name in parameters.PARAMETERS:
            try:
                read = parameters.of_text(name, value) if isinstance(value, str) else value
            except Failure as failure:
                raise Failure(Exit.USAGE, f"{where}: {failure}.") from None
            if read is not None:
                given[name] = read
        elif name not in {"prompt", "name"} and value not in (None, ""):
            rest[name] = value
    return Wanted(prompt.strip(), given, str(row.get("name") or ""), rest)


def _numbered_lines(place: str, file: IO[str]) -> Iterator[tuple[int, str]]:
    """Lines that say something, with their numbers; one that does not end is not read."""
    number = 0
    while line := file.readline(MAX_LINE_CHARS + 1):
        number += 1
        if len(line) > MAX_LINE_CHARS:
            raise Failure(Exit.USAGE, f"{place}, line {number} is longer than {MAX_LINE_CHARS}.")
        if line.strip():
            yield number, line.strip()
