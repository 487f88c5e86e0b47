"""What Discord refuses of commands, messages and modals, by its own documentation's numbers."""

import re
from collections.abc import Iterator
from typing import Any

CHAT_INPUT, USER_COMMAND, MESSAGE_COMMAND = 1, 2, 3
SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER = 1, 2, 3, 4, 5, 6
ROLE, NUMBER, ATTACHMENT = 8, 10, 11
CHANNEL = 7
BUTTON, SELECT, TEXT_INPUT = 2, 3, 4
COMPONENTS_V2 = 1 << 15
MAX_OPTIONS = 25
MAX_COMMAND_CHARS = 8000
NAME = re.compile(r"^[-_\w]{1,32}$")


class Refused(Exception):
    """Becomes Discord's JSON for an error."""

    def __init__(self, status: int, code: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.more = status, code, message, more


def invalid(errors: list[str]) -> None:
    if errors:
        raise Refused(400, 50035, "Invalid Form Body: " + "; ".join(errors))


def check_commands(commands: list[dict]) -> None:
    errors: list[str] = []
    kinds = [command.get("type", CHAT_INPUT) for command in commands]
    for command in commands:
        errors += _command(command)
    if kinds.count(CHAT_INPUT) > 100:
        errors.append("more than 100 slash commands")
    if max(kinds.count(USER_COMMAND), kinds.count(MESSAGE_COMMAND)) > 15:
        errors.append("more than 15 context menu commands of a type")
    named = [(kind, command["name"]) for kind, command in zip(kinds, commands, strict=True)]
    if len(set(named)) != len(named):
        errors.append("two commands of one name")
    invalid(errors)


def _command(command: dict) -> list[str]:
    name = command["name"]
    if command.get("type", CHAT_INPUT) != CHAT_INPUT:
        errors = [] if 1 <= len(name) <= 32 else [f"{name}: context menu names are 1-32 characters"]
        if command.get("description") or command.get("options"):
            errors.append(f"{name}: context menus take neither description nor options")
        return errors
    errors = _named(command, name)
    _options(command.get("options") or [], errors, name)
    if (size := _size(command)) > MAX_COMMAND_CHARS:
        errors.append(f"{name}: {size} characters over all, {MAX_COMMAND_CHARS} is the limit")
    return errors


def _size(part: dict) -> int:
    own = len(part.get("name", "")) + len(part.get("description", ""))
    own += sum(len(one["name"]) + len(str(one["value"])) for one in part.get("choices") or [])
    return own + sum(_size(option) for option in part.get("options") or [])


def _named(part: dict, where: str) -> list[str]:
    errors = []
    if not NAME.match(part["name"]) or part["name"] != part["name"].lower():
        errors.append(f"{where}: bad name")
    if not 1 <= len(part.get("description", "")) <= 100:
        errors.append(f"{where}: description must be 1-100 characters")
    texts = part.get("description_localizations") or {}
    errors += [f"{where}: {locale} over 100" for locale, text in texts.items() if len(text) > 100]
    return errors


def _options(options: list[dict], errors: list[str], where: str) -> None:
    if len(options) > MAX_OPTIONS:
        errors.append(f"{where}: {len(options)} options, {MAX_OPTIONS} is the limit")
    names = [option["name"] for option in options]
    if len(set(names)) != len(names):
        errors.append(f"{where}: an option twice")
    optional = False
    for option in options:
        here = f"{where} {option['name']}"
        if option["type"] not in {SUBCOMMAND, GROUP}:
            if option.get("required") and optional:
                errors.append(f"{here}: required, after an optional one")
            optional = optional or not option.get("required")
        errors += _named(option, here)
        _choices(option, errors, here)
        _options(option.get("options") or [], errors, here)


def _choices(option: dict, errors: list[str], where: str) -> None:
    choices = option.get("choices") or []
    if len(choices) > MAX_OPTIONS:
        errors.append(f"{where}: more than {MAX_OPTIONS} choices")
    if any(not 1 <= len(choice["name"]) <= 100 for choice in choices):
        errors.append(f"{where}: a choice's name must be 1-100 characters")
    if choices and option.get("autocomplete"):
        errors.append(f"{where}: choices and autocomplete together")


def components(rows: list[dict]) -> Iterator[dict]:
    """All components of a message or a modal, however deep."""
    for row in rows:
        yield row
        yield from components(row.get("components") or [])
        yield from components([row[one] for one in ("accessory", "component") if row.get(one)])


def check_message(body: dict, files: list[dict], size_limit: int, kept: int = 0) -> None:
    """kept: how many attachments of the message stay."""
    errors: list[str] = []
    if len(body.get("content") or "") > 2000:
        errors.append("content: must be 2000 or fewer in length")
    _embeds(body.get("embeds") or [], errors)
    rows = body.get("components") or []
    if not (body.get("flags") or 0) & COMPONENTS_V2:
        if len(rows) > 5:
            errors.append("components: more than 5 rows")
        if any(row["type"] == 1 and not 1 <= len(row["components"]) <= 5 for row in rows):
            errors.append("components: a row has 1-5")
    ids = [one["custom_id"] for one in components(rows) if "custom_id" in one]
    if len(set(ids)) != len(ids):
        errors.append(f"components: a custom_id twice: {ids}")
    for one in components(rows):
        _component(one, errors)
    if len(files) + kept > 10:
        errors.append("files: more than 10")
    invalid(errors)
    if sum(len(file["data"]) for file in files) > size_limit:
        raise Refused(413, 40005, "Request entity too large")


def _embeds(embeds: list[dict], errors: list[str]) -> None:
    if len(embeds) > 10:
        errors.append("embeds: more than 10")
    total = 0
    for embed in embeds:
        fields = embed.get("fields") or []
        if len(fields) > MAX_OPTIONS:
            errors.append("embeds: more than 25 fields")
        texts = [
            (embed.get("title") or "", 256),
            (embed.get("description") or "", 4096),
            ((embed.get("footer") or {}).get("text") or "", 2048),
            ((embed.get("author") or {}).get("name") or "", 256),
            *((field["name"], 256) for field in fields),
            *((field["value"], 1024) for field in fields),
        ]
        errors += [
            f"embeds: {len(text)} characters, limit {n}" for text, n in texts if len(text) > n
        ]
        if any(not field["name"] or not field["value"] for field in fields):
            errors.append("embeds: an empty field")
        total += sum(len(text) for text, _ in texts)
    if total > 6000:
        errors.append(f"embeds: {total} characters over all, limit 6000")


def _component(one: dict, errors: list[str]) -> None:
    if "custom_id" in one and not 1 <= len(one["custom_id"]) <= 100:
        errors.append(f"components: custom_id of {len(one['custom_id'])} characters")
    if one["type"] == BUTTON and len(one.get("label") or "") > 80:
        errors.append("components: button label over 80 characters")
    if one["type"] == SELECT:
        options = one.get("options") or []
        if not 1 <= len(options) <= MAX_OPTIONS:
            errors.append("components: a select has 1-25 options")
        values = [option["value"] for option in options]
        if len(set(values)) != len(values):
            errors.append("components: an option's value twice")
        for option in options:
            texts = [option["label"], option["value"], option.get("description") or "x"]
            if any(not 1 <= len(text) <= 100 for text in texts):
                errors.append("components: an option's texts have 1-100 characters")
        if len(one.get("placeholder") or "") > 150:
            errors.append("components: a placeholder over 150 characters")


def check_modal(modal: dict) -> None:
    errors: list[str] = []
    if not 1 <= len(modal.get("title", "")) <= 45:
        errors.append("a modal's title has 1-45 characters")
    if not 1 <= len(modal.get("components", [])) <= 5:
        errors.append("a modal has 1-5 components")
    for one in components(modal.get("components", [])):
        if one["type"] == TEXT_INPUT:
            if one.get("label") is not None and not 1 <= len(one["label"]) <= 45:
                errors.append("a text input's label has 1-45 characters")
            if len(one.get("placeholder") or "") > 100:
                errors.append("a text input's placeholder has at most 100 characters")
            if len(one.get("value") or "") > (one.get("max_length") or 4000):
                errors.append("a text input's value is longer than it may be")
        elif "label" in one and one.get("type") == 18 and len(one["label"]) > 45:
            errors.append("a label has at most 45 characters")
        else:
            _component(one, errors)
    invalid(errors)


def check_choices(choices: list[dict]) -> None:
    errors = []
    if len(choices) > MAX_OPTIONS:
        errors.append("more than 25 choices")
    for one in choices:
        texts = [one["name"], *([one["value"]] if isinstance(one["value"], str) else [])]
        if any(not 1 <= len(text) <= 100 for text in texts):
            errors.append(f"choice {one!r} has a bad length")
    invalid(errors)
