"""What users can do at Discord: commands, clicks, modals, menus, reactions."""

from collections.abc import Iterator
from typing import Any

from fake_discord.gateway import Gateway
from fake_discord.limits import (
    ATTACHMENT,
    BOOLEAN,
    BUTTON,
    CHANNEL,
    CHAT_INPUT,
    GROUP,
    INTEGER,
    MESSAGE_COMMAND,
    NUMBER,
    ROLE,
    SUBCOMMAND,
    USER,
    USER_COMMAND,
    components,
)
from fake_discord.runs import Run
from fake_discord.world import EPHEMERAL, EVERYTHING, LOADING, World, snowflake

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 2, 3, 4, 5
CLICKABLE = {2, 3, 5, 6, 7, 8}


class People:
    def __init__(self, world: World, gateway: Gateway) -> None:
        self.world, self.gateway = world, gateway

    async def slash(self, name: str, options: dict[str, Any] | None = None, **how: Any) -> Run:
        """Use a command; "group sub" reaches subcommands.

        options: text, numbers, and the payloads of users, channels, roles and attachments.
        how: user, channel, locale, wait.
        """
        command, nested, specs = self._find(name)
        chosen = options or {}
        missing = [
            one["name"] for one in specs if one.get("required") and one["name"] not in chosen
        ]
        assert not missing, f"/{name}: required options missing: {missing}"
        for key, value in chosen.items():
            _may_send(name, key, value, _spec(name, specs, key))
        channel = how.get("channel") or self.world.general
        if command.get("nsfw"):
            assert channel.get("nsfw"), f"/{name} is age-restricted: Discord hides it here"
        data = self._data(command, nested, specs, name, chosen)
        return await self._send(self._interaction(COMMAND, data, **how), how)

    async def autocomplete(
        self, name: str, focused: str, typed: Any, others: dict | None = None, **how: Any
    ) -> list[dict]:
        command, nested, specs = self._find(name)
        data = self._data(command, nested, specs, name, {**(others or {}), focused: typed}, focused)
        run = await self._send(self._interaction(AUTOCOMPLETE, data, **how), how)
        assert run.choices is not None
        return run.choices

    async def context_menu(self, name: str, target: dict, **how: Any) -> Run:
        kind = MESSAGE_COMMAND if "author" in target else USER_COMMAND
        command = self._named(name, kind)
        if kind == USER_COMMAND:
            resolved = {"users": {target["id"]: target}}
            if target["id"] in self.world.roles:
                resolved["members"] = {target["id"]: self._lean(target)}
        else:
            resolved = {"messages": {target["id"]: target}}
        data = {"id": command["id"], "name": name, "type": kind}
        data |= {"target_id": target["id"], "resolved": resolved}
        return await self._send(self._interaction(COMMAND, data, **how), how)

    async def click(
        self, message: dict, what: str, *, values: list[str] | None = None, **how: Any
    ) -> Run:
        """Press a button or choose in a select. what: a label, placeholder, or start of an id."""
        for one in components(message.get("components") or []):
            named = {one.get("label"), one.get("placeholder")}
            if one["type"] in CLICKABLE and (
                what in named or one.get("custom_id", "").startswith(what)
            ):
                break
        else:
            there = [
                one.get("label") or one.get("custom_id")
                for one in components(message["components"])
            ]
            raise AssertionError(f"no {what!r} on that message, only {there}")
        assert not one.get("disabled"), f"{what!r} is disabled"
        data: dict[str, Any] = {"custom_id": one["custom_id"], "component_type": one["type"]}
        if one["type"] != BUTTON:
            data["values"] = values or []
        how.setdefault("channel", self.world.channels[message["channel_id"]])
        return await self._send(self._interaction(COMPONENT, data, message=message, **how), how)

    async def submit(self, run: Run, values: dict[str, Any], **how: Any) -> Run:
        """Fill in the modal that `run` opened. values: by label or id."""
        assert run.modal, "that interaction opened no modal"
        filled = []
        for row in run.modal["components"]:
            inner = row.get("components") or [row["component"]]
            said = [_filled(one, row, values) for one in inner]
            shape = {"components": said} if "components" in row else {"component": said[0]}
            filled.append({"type": row["type"], **shape})
        data = {"custom_id": run.modal["custom_id"], "components": filled}
        how.setdefault("user", run.who)
        how.setdefault("channel", self.world.channels[run.payload["channel_id"]])
        message = run.payload.get("message")
        return await self._send(self._interaction(MODAL_SUBMIT, data, message=message, **how), how)

    async def react(self, message: dict, emoji: str, *, user: dict | None = None) -> None:
        """React; a custom emoji is name:id."""
        user = user or self.world.alice
        name, _, number = emoji.partition(":")
        await self.gateway.dispatch(
            "MESSAGE_REACTION_ADD",
            {
                "user_id": user["id"], "channel_id": message["channel_id"],
                "message_id": message["id"], "guild_id": self.world.guild["id"],
                "member": self.world.member(user), "emoji": {"name": name, "id": number or None},
                "message_author_id": message["author"]["id"], "burst": False, "type": 0,
            },
        )  # fmt: skip

    def every_command(self, given: dict[int, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """All slash commands, with what they need. given: what stands for users and the like."""
        for command in self.world.commands[None]:
            if command.get("type", CHAT_INPUT) == CHAT_INPUT:
                yield from _leaves(command["name"], command.get("options") or [], given)

    def every_menu(self, user: dict, message: dict) -> Iterator[tuple[str, dict]]:
        """All commands of menus, with what they are opened at."""
        targets = {USER_COMMAND: user, MESSAGE_COMMAND: message}
        for command in self.world.commands[None]:
            if (target := targets.get(command.get("type", CHAT_INPUT))) is not None:
                yield command["name"], target

    # How Discord puts it

    def _named(self, name: str, kind: int = CHAT_INPUT) -> dict:
        for commands in self.world.commands.values():
            for command in commands:
                if command["name"] == name and command.get("type", CHAT_INPUT) == kind:
                    return command
        known = sorted(one["name"] for many in self.world.commands.values() for one in many)
        raise AssertionError(f"the bot registered no command {name!r}; it has {known}")

    def _find(self, name: str) -> tuple[dict, list[dict], list[dict]]:
        first, *rest = name.split()
        command = self._named(first)
        specs, nested = command.get("options") or [], []
        for part in rest:
            found = [
                one for one in specs if one["name"] == part and one["type"] in {SUBCOMMAND, GROUP}
            ]
            assert found, f"no subcommand {part!r} in /{first}"
            nested.append(found[0])
            specs = found[0].get("options") or []
        return command, nested, specs

    def _data(self, command, nested, specs, name, chosen, focused=None) -> dict:
        resolved: dict[str, dict] = {}
        leaf = []
        for key, value in chosen.items():
            spec = _spec(name, specs, key)
            entry = {
                "name": key,
                "type": spec["type"],
                "value": self._resolve(spec, value, resolved),
            }
            leaf.append({**entry, "focused": True} if key == focused else entry)
        for spec in reversed(nested):
            leaf = [{"name": spec["name"], "type": spec["type"], "options": leaf}]
        data = {"id": command["id"], "name": command["name"], "type": CHAT_INPUT, "options": leaf}
        return {**data, "resolved": resolved} if resolved else data

    def _resolve(self, spec: dict, value: Any, resolved: dict[str, dict]) -> Any:
        tables = {ATTACHMENT: "attachments", USER: "users", ROLE: "roles", CHANNEL: "channels"}
        if spec["type"] not in tables:
            return value
        resolved.setdefault(tables[spec["type"]], {})[value["id"]] = value
        if spec["type"] == USER:
            resolved.setdefault("members", {})[value["id"]] = self._lean(value)
        if spec["type"] == CHANNEL:
            resolved["channels"][value["id"]] = {**value, "permissions": str(EVERYTHING)}
        return value["id"]

    def _lean(self, user: dict) -> dict:
        left_out = ("user", "deaf", "mute")
        return {key: value for key, value in self.world.member(user).items() if key not in left_out}

    def _interaction(
        self, kind: int, data: dict, *, user=None, channel=None, message=None, locale="en-US",
        permissions: int = EVERYTHING, installed_by_user: bool = False, **_how,
    ) -> Run:  # fmt: skip
        user, channel = user or self.world.alice, channel or self.world.general
        payload = {
            "id": snowflake(), "application_id": self.world.application_id, "type": kind,
            "data": data, "token": f"tok-{snowflake()}", "version": 1,
            "channel_id": channel["id"], "channel": channel, "locale": locale,
            "app_permissions": str(EVERYTHING), "entitlements": [],
            "attachment_size_limit": self.world.size_limit,
        }  # fmt: skip
        guild = channel.get("guild_id")
        if guild:
            owners = {"1": user["id"]} if installed_by_user else {"0": guild}
            payload |= {"guild_id": guild, "guild_locale": "en-US", "context": 0}
            payload |= {"guild": {"id": guild, "locale": "en-US", "features": []}}
            payload |= {"member": self.world.member(user, permissions)}
        else:
            owners = {"1": user["id"]}
            payload |= {"user": user, "context": 1}
        payload["authorizing_integration_owners"] = owners
        if message is not None:
            payload["message"] = message
        run = Run(payload)
        self.world.runs[run.token] = run
        return run

    async def _send(self, run: Run, how: dict) -> Run:
        await self.gateway.dispatch("INTERACTION_CREATE", run.payload)
        if how.get("wait", True):
            await self.world.until(
                lambda: run.is_answered, self.world.response_deadline, "an answer in time"
            )
            if run.original is not None and run.original["flags"] & EPHEMERAL:
                await self.world.until(lambda: _is_said(run), 30, "what was deferred")
        return run


def _leaves(name: str, specs: list[dict], given: dict[int, Any]):
    nested = [one for one in specs if one["type"] in {SUBCOMMAND, GROUP}]
    for one in nested:
        yield from _leaves(f"{name} {one['name']}", one.get("options") or [], given)
    if not nested:
        yield name, {one["name"]: _value(one, given) for one in specs if one.get("required")}


def _value(spec: dict, given: dict[int, Any]) -> Any:
    if spec["type"] in given:
        return given[spec["type"]]
    if spec.get("choices"):
        return spec["choices"][0]["value"]
    if spec["type"] in {INTEGER, NUMBER}:
        return spec.get("min_value", 1)
    return True if spec["type"] == BOOLEAN else "x" * max(1, spec.get("min_length", 1))


def _is_said(run: Run) -> bool:
    return not run.said["flags"] & LOADING or run.original.get("deleted", False)


def _spec(name: str, specs: list[dict], key: str) -> dict:
    found = [one for one in specs if one["name"] == key]
    assert found, f"/{name} has no option {key!r}, only {[one['name'] for one in specs]}"
    return found[0]


def _may_send(name: str, key: str, value: Any, spec: dict) -> None:
    """Discord's own programs let nobody send anything else."""
    if spec.get("choices"):
        assert value in [one["value"] for one in spec["choices"]], (
            f"{value!r} is no choice of {key}"
        )
    if spec["type"] in {INTEGER, NUMBER}:
        low, high = spec.get("min_value"), spec.get("max_value")
        assert low is None or value >= low, f"/{name} {key}={value}, at least {low}"
        assert high is None or value <= high, f"/{name} {key}={value}, at most {high}"
    if isinstance(value, str):
        assert len(value) <= (spec.get("max_length") or 6000), f"/{name} {key} is too long"


def _filled(one: dict, row: dict, values: dict[str, Any]) -> dict:
    label = one.get("label") or row.get("label")
    value = values.get(one["custom_id"], values.get(label, one.get("value") or ""))
    if one["type"] == 4:
        assert value or not one.get("required", True), f"{label} is required"
        assert len(value) <= (one.get("max_length") or 4000), f"{label} is too long"
        return {"type": 4, "custom_id": one["custom_id"], "value": value}
    return {"type": one["type"], "custom_id": one["custom_id"], "values": value or []}
