"""Messages of the fake: made, edited and refused as Discord does."""

from fake_discord.limits import Refused, check_message
from fake_discord.runs import Run
from fake_discord.world import DM, EPHEMERAL, LOADING, World, now_iso, snowflake

KEYS = ("content", "embeds", "components", "flags")


class Messages:
    def __init__(self, world: World) -> None:
        self.world = world

    def make(
        self, channel_id: str, body: dict, files: list[dict], *, run: Run | None = None
    ) -> dict:
        check_message(body, files, self.world.size_limit)
        if not (body.get("content") or body.get("embeds") or files or body.get("components")):
            raise Refused(400, 50006, "Cannot send an empty message")
        message = self.blank(channel_id, run)
        message |= {key: body.get(key) or message[key] for key in KEYS}
        message["attachments"] = self._store(files, body)
        message["allowed_mentions"] = body.get("allowed_mentions")
        if body.get("message_reference"):
            message["message_reference"] = body["message_reference"]
        self.world.messages[message["id"]] = message
        return message

    def blank(self, channel_id: str, run: Run | None = None) -> dict:
        message = {
            "id": snowflake(), "channel_id": channel_id, "author": self.world.bot, "content": "",
            "timestamp": now_iso(), "edited_timestamp": None, "tts": False,
            "mention_everyone": False, "mentions": [], "mention_roles": [], "attachments": [],
            "embeds": [], "pinned": False, "type": 0, "flags": 0, "components": [],
        }  # fmt: skip
        if run is not None:
            message["type"] = 20
            message["webhook_id"] = self.world.application_id
            message["interaction_metadata"] = {
                "id": run.id, "type": run.payload["type"], "user": run.who,
                "authorizing_integration_owners": run.payload["authorizing_integration_owners"],
            }  # fmt: skip
        return message

    def edit(self, message: dict, body: dict, files: list[dict]) -> dict:
        kept = list(message["attachments"])
        if "attachments" in body:
            staying = {str(one["id"]) for one in body["attachments"] or []}
            kept = [one for one in kept if one["id"] in staying]
        merged = {**{key: message[key] for key in KEYS}, **body}
        check_message(merged, files, self.world.size_limit, len(kept))
        for key in KEYS:
            if key in body:
                message[key] = body[key] or (
                    "" if key == "content" else 0 if key == "flags" else []
                )
        message["flags"] &= ~LOADING
        message["attachments"] = kept + self._store(files, body)
        if "allowed_mentions" in body:
            message["allowed_mentions"] = body["allowed_mentions"]
        message["edited_timestamp"] = now_iso()
        for run in self.world.runs.values():
            if run.original is message:
                run.note(message)
        return message

    def delete(self, message: dict) -> None:
        self.world.messages.pop(message["id"], None)
        message["deleted"] = True

    def find(self, message_id: str) -> dict:
        message = self.world.messages.get(message_id)
        if message is None or message["flags"] & EPHEMERAL:
            raise Refused(404, 10008, "Unknown Message")
        return message

    def channel(self, channel_id: str, *, to_write: bool = False) -> dict:
        channel = self.world.channels.get(channel_id)
        if channel is None:
            raise Refused(404, 10003, "Unknown Channel")
        if channel["type"] == DM:
            if channel["recipients"][0]["id"] in self.world.closed_dms:
                raise Refused(403, 50007, "Cannot send messages to this user")
        elif channel["guild_id"] not in self.world.guilds:
            raise Refused(403, 50001, "Missing Access")
        elif to_write and channel_id in self.world.mute_channels:
            raise Refused(403, 50013, "Missing Permissions")
        return channel

    def _store(self, files: list[dict], body: dict) -> list[dict]:
        described = {str(one.get("id")): one for one in body.get("attachments") or []}
        return [
            self.world.attachment(
                file["filename"],
                file["data"],
                file["content_type"],
                **{
                    key: described.get(str(file["index"]), {})[key]
                    for key in ("description",)
                    if key in described.get(str(file["index"]), {})
                },
            )
            for file in files
        ]
