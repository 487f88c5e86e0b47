"""Makes `old_state.json`: a horde of revision 0001 in use, for `tests/core/test_upgrade.py`.

Run once, by the code of commit affc0f4 and with that code's folder as the current one:

    PYTHONPATH=.:tests python make_old_state.py old_state.json
"""

import asyncio
import base64
import json
import sqlite3
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pictures
import serving
from core import db
from core.users.tables import Role

MODEL = "an old model"
WRITER = "KoboldCppEmbedWorker:1:none"
RICH = {
    "sampler_name": "k_dpmpp_sde",
    "karras": True,
    "clip_skip": 2,
    "width": 576,
    "height": 512,
    "steps": 12,
    "cfg_scale": 6.5,
    "denoising_strength": 0.4,
    "hires_fix": True,
    "post_processing": ["GFPGAN", "RealESRGAN_x2plus"],
    "loras": [{"name": "red", "model": 0.5}],
    "tis": [{"name": "12345", "inject_ti": "prompt"}],
}
PLAIN = {"width": 512, "height": 512, "steps": 20}
TEXT = {"max_length": 80, "max_context_length": 1024, "temperature": 0.7}


async def make():
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        path = data_dir / "horde.sqlite"
        url = f"sqlite+aiosqlite:///{path}"
        await asyncio.to_thread(db.migrate, url)
        facts = {}
        async with serving.in_process(url, data_dir) as server:
            people = await live(server, facts)
        async with serving.in_process(url, data_dir, max_lanes=1) as server:
            facts["crowded"] = await server.ask(
                key=people["payer"].key, models=[MODEL], params=PLAIN, extra_slow_workers=True
            )
        facts["people"] = {name: vars(person) for name, person in people.items()}
        return {
            "made_at": datetime.now(UTC).isoformat(),
            "facts": facts,
            "files": files(data_dir),
            "tables": tables(path),
        }


async def live(server, facts):
    """Let a horde have a busy hour; the people in it."""
    people = {
        "payer": await server.user("Payer", kudos=5000),
        "owner": await server.user("Owner", roles=int(Role.CUSTOMIZER)),
        "author": await server.user("Author", roles=int(Role.TRUSTED | Role.CUSTOMIZER), kudos=100),
    }
    payer, owner = people["payer"].key, people["owner"].key
    made = await server.post("/teams", {"name": "Old team"}, key=people["author"].key)
    facts["team"] = made.json()["id"]
    facts["pictures"] = await server.ask(
        key=payer, models=[MODEL], params=PLAIN | {"n": 3}, shared=True
    )
    popped = await server.pop(owner, models=[MODEL])
    facts["rewards"] = await server.deliver(owner, popped)
    popped = await server.pop(owner, models=[MODEL])
    facts["picture_made"] = popped["id"]
    brought = pictures.picture((512, 512), form="WEBP")
    put = await server.http.put(popped["r2_uploads"][0], content=brought)
    assert put.status_code == 200, put.text
    await of_alchemy(server, facts, payer, owner)
    await of_text(server, facts, payer, owner)
    facts["faulted"] = await server.ask(models=[MODEL + " that fails"], params=PLAIN)
    popped = await server.pop(owner, models=[MODEL + " that fails"])
    await server.submit(owner, popped["id"], state="faulted", generation="faulted")
    facts["rich"] = await server.ask(
        key=payer,
        models=[MODEL],
        params=RICH,
        source_image=pictures.encoded(pictures.picture((64, 48))),
        source_processing="img2img",
        r2=False,
        nsfw=True,
    )
    key = (await server.call("PUT", "/sharedkeys", {"kudos": 500}, key=payer)).json()["id"]
    facts["shared_key"] = key
    facts["by_key"] = await server.ask(key=key, models=[MODEL], params=PLAIN)
    style = {"name": "Old style", "models": [MODEL], "params": {"steps": 8, "width": 512}}
    made = await server.post("/styles/image", style, key=people["author"].key)
    assert made.status_code == 200, made.text
    facts["style"] = made.json()["id"]
    facts["styled"] = await server.ask(key=payer, style=facts["style"], params={})
    facts["abandoned"] = await server.ask(key=payer, models=["nobody's model"], params=PLAIN)
    return people


async def of_alchemy(server, facts, payer, owner):
    forms = ["caption", "nsfw", "GFPGAN"]
    asked = await server.post(
        "/interrogate/async",
        {
            "forms": [{"name": form} for form in forms],
            "source_image": pictures.encoded(pictures.picture((64, 48))),
        },
        key=payer,
    )
    facts["alchemy"] = asked.json()["id"]

    async def pop(form):
        offered = {"name": "an alchemist", "forms": [form]}
        return (await server.post("/interrogate/pop", offered, key=owner)).json()["forms"][0]["id"]

    said = {"id": await pop("caption"), "result": {"caption": "a fox"}}
    told = await server.post("/interrogate/submit", said, key=owner)
    assert told.status_code == 200, told.text
    facts["form_made"] = await pop("nsfw")


async def of_text(server, facts, payer, owner):
    async def ask(key, **body):
        wanted = {"prompt": "once upon a time", "models": [MODEL], "params": TEXT, **body}
        answer = await server.post("/generate/text/async", wanted, key=key)
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]

    facts["text"] = await ask(payer)
    offered = {"name": "a writer", "models": [MODEL], "bridge_agent": WRITER}
    answer = await server.post("/generate/text/pop", offered, key=owner)
    facts["text_made"] = answer.json()["id"]
    facts["texts"] = await ask(serving.ANONYMOUS, prompt="a second ÄPFEL")


def files(folder):
    """All pictures in base64, by their paths."""
    return {
        str(file.relative_to(folder)): base64.b64encode(file.read_bytes()).decode()
        for file in sorted(folder.rglob("*.webp"))
    }


def tables(path):
    """All rows, as columns and lists of values."""
    with sqlite3.connect(path) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        found = {}
        for (name,) in names.fetchall():
            cursor = connection.execute(f"SELECT * FROM {name}")  # noqa: S608
            if rows := cursor.fetchall():
                found[name] = {"columns": [c[0] for c in cursor.description], "rows": rows}
        return found


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(asyncio.run(make()), indent=1) + "\n")
