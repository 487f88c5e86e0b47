"""Shows messages and forms about as Discord's own program does, from what the bot sent."""

import base64
import html
import re
import time

from fake_discord.world import EPHEMERAL, World

STYLES = {1: "#5865f2", 2: "#4e5058", 3: "#248046", 4: "#da373c", 5: "#4e5058"}
SQUARES = {"🟩": "#78b159", "🟨": "#fdcb58", "⬜": "#e6e7e8"}
"""Drawn here, as not every machine has a font with these."""
CSS = """
.square { display: inline-block; width: 15px; height: 15px; border-radius: 3px; margin-right: 3px; }
body { background: #313338; color: #dbdee1; font: 16px/1.375 "Noto Sans", "DejaVu Sans", sans-serif;
  margin: 0; padding: 16px; width: 640px; }
.message { display: flex; gap: 16px; margin-bottom: 20px; }
.avatar { flex: none; width: 40px; height: 40px; border-radius: 50%; background: #5865f2;
  text-align: center; line-height: 40px; font-size: 20px; }
.who { color: #f2f3f5; font-weight: 600; }
.who span { background: #5865f2; border-radius: 4px; font-size: 10px; padding: 1px 5px;
  margin: 0 6px; }
.used, .quiet, .footer { color: #949ba4; font-size: 12px; }
.embed { background: #2b2d31; border-left: 4px solid; border-radius: 4px;
  padding: 10px 16px 12px 12px; margin: 6px 0; max-width: 500px; overflow-wrap: anywhere; }
.embed .title { color: #f2f3f5; font-weight: 600; margin-bottom: 4px; }
.embed .body { font-size: 14px; white-space: pre-line; }
.fields { display: grid; grid-template-columns: repeat(3, 1fr); gap: 8px; margin-top: 8px; }
.fields b { display: block; font-size: 13px; color: #f2f3f5; } .fields div { font-size: 13px; }
.footer { margin-top: 8px; } .row { display: flex; gap: 8px; margin: 6px 0; flex-wrap: wrap; }
.button { border-radius: 4px; padding: 6px 14px; font-size: 14px; color: #fff; }
.select { background: #1e1f22; border-radius: 4px; padding: 9px 12px; font-size: 14px; width: 376px;
  display: flex; justify-content: space-between; }
.gallery { display: grid; grid-template-columns: repeat(2, 1fr); gap: 4px; width: 440px; }
.gallery.one { grid-template-columns: 1fr; width: 300px; }
.gallery img { width: 100%; border-radius: 8px; display: block; }
.modal { background: #313338; border-radius: 8px; box-shadow: 0 0 30px #111;
  padding: 20px; width: 440px; }
.modal h2 { color: #f2f3f5; font-size: 20px; margin: 0 0 16px; }
.modal label { display: block; font-size: 12px; font-weight: 700; text-transform: uppercase;
  color: #b5bac1; margin-top: 14px; }
.modal .input { background: #1e1f22; border-radius: 4px; padding: 10px; min-height: 20px;
  margin-top: 8px; color: #87898c; }
.embed { display: flow-root; }
.row { flex-wrap: nowrap; }
.corner { float: right; margin-left: 12px; }
.corner img { width: 64px; height: 64px; object-fit: cover; border-radius: 4px; }
.hidden { position: relative; overflow: hidden; border-radius: 8px; }
.hidden img { filter: blur(24px); }
.hidden::after { content: "SPOILER"; position: absolute; inset: 0; margin: auto; width: 76px;
  height: 26px; line-height: 26px; text-align: center; border-radius: 13px; font-weight: 700;
  font-size: 13px; background: #000a; color: #fff; }
.mention { background: #3c4270; color: #c9cdfb; border-radius: 3px; padding: 0 2px; }
"""


def page(*parts: str) -> str:
    return f"<!doctype html><meta charset=utf-8><style>{CSS}</style>{''.join(parts)}"


def message(world: World, one: dict, used: str = "") -> str:
    """A message of the bot. used: the command that it answers."""
    quiet = "<div class=quiet>Only you can see this</div>" if one["flags"] & EPHEMERAL else ""
    told = f"<div class=used>↱ {html.escape(used)}</div>" if used else ""
    named = {(embed.get("thumbnail") or {}).get("url") for embed in one["embeds"]}
    corners = [file for file in one["attachments"] if f"attachment://{file['filename']}" in named]
    body = "".join(
        [
            f"<div>{_text(one['content'])}</div>" if one["content"] else "",
            _gallery(world, [file for file in one["attachments"] if file not in corners]),
            *(_embed(world, embed, corners) for embed in one["embeds"]),
            *(_row(row) for row in one["components"]),
        ]
    )
    return (
        f"<div class=message><div class=avatar>H</div><div>{told}"
        f"<div class=who>Horde<span>APP</span></div>{body}{quiet}</div></div>"
    )


def form(modal: dict) -> str:
    fields = []
    for row in modal["components"]:
        for one in row.get("components") or [row["component"]]:
            shown = one.get("value") or one.get("placeholder") or ""
            label = html.escape(one.get("label") or row.get("label") or "")
            fields.append(f"<label>{label}</label><div class=input>{html.escape(shown)}</div>")
    return f"<div class=modal><h2>{html.escape(modal['title'])}</h2>{''.join(fields)}</div>"


def _gallery(world: World, files: list[dict]) -> str:
    pictures = [one for one in files if one["filename"].endswith((".webp", ".png", ".jpg"))]
    if not pictures:
        return ""
    tags = []
    for one in pictures:
        hidden = one["filename"].startswith("SPOILER_")
        tags.append(f"<div class=hidden>{_img(world, one)}</div>" if hidden else _img(world, one))
    return f"<div class='gallery{' one' if len(tags) == 1 else ''}'>{''.join(tags)}</div>"


def _img(world: World, file: dict) -> str:
    data = base64.b64encode(world.blobs[file["id"]]).decode()
    return f'<img src="data:image/*;base64,{data}">'


def _embed(world: World, embed: dict, corners: list[dict]) -> str:
    colour = f"#{embed.get('color') or 0x1E1F22:06x}"
    fields = "".join(
        f"<div><b>{_text(field['name'])}</b>{_text(field['value'])}</div>"
        for field in embed.get("fields") or []
    )
    parts = [
        *(f"<div class=corner>{_img(world, file)}</div>" for file in corners),
        f"<div class=title>{_text(embed['title'])}</div>" if embed.get("title") else "",
        f"<div class=body>{_text(embed['description'])}</div>" if embed.get("description") else "",
        f"<div class=fields>{fields}</div>" if fields else "",
        f"<div class=footer>{_text(embed['footer']['text'])}</div>" if embed.get("footer") else "",
    ]
    return f"<div class=embed style='border-color:{colour}'>{''.join(parts)}</div>"


def _row(row: dict) -> str:
    return f"<div class=row>{''.join(_component(one) for one in row['components'])}</div>"


def _component(one: dict) -> str:
    if one["type"] == 2:
        label = html.escape(one.get("label") or "")
        return f"<div class=button style='background:{STYLES[one['style']]}'>{label}</div>"
    chosen = [option["label"] for option in one["options"] if option.get("default")]
    shown = html.escape(", ".join(chosen) or one.get("placeholder") or "")
    return f"<div class=select><span>{shown}</span><span>▾</span></div>"


def _text(text: str) -> str:
    """The part of Discord's markup that the bot uses."""
    text = html.escape(text)
    text = re.sub(r"&lt;t:(\d+):R&gt;", _when, text)
    text = re.sub(r"&lt;@&amp;?\d+&gt;", "<span class=mention>@somebody</span>", text)
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text, flags=re.DOTALL)
    text = re.sub(r"`(.+?)`", r"<code>\1</code>", text)
    for square, colour in SQUARES.items():
        text = text.replace(square, f"<i class=square style='background:{colour}'></i>")
    return re.sub(r"\\([*_~`|&])", r"\1", text)


def _when(match: re.Match[str]) -> str:
    return f"<span class=mention>in {max(0, int(match[1]) - int(time.time()))} seconds</span>"
