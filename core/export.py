"""`python -m core ratings export`: the data set of shared pictures, as JSON Lines."""

import json
from pathlib import Path
from typing import Final

from core.community.ratings import export
from core.db import Database
from core.settings import Settings
from core.users.keys import Keyring

PURPOSE: Final = "ratings"


async def ratings(settings: Settings, to: Path) -> int:
    """Write one line for each shared picture. Returns how many there are.

    to: replaced as a whole, or left unchanged. The pictures are in the folder of shared pictures,
        under the name in each line's `file`.
    """
    database = Database(settings.database)
    secret = Keyring(settings.secret()).subkey(PURPOSE)
    unfinished = to.with_name(f"{to.name}.unfinished")
    count = 0
    try:
        with unfinished.open("w", encoding="utf-8") as file:
            async with database.reading() as session:
                async for record in export.records(session, secret):
                    file.write(json.dumps(record, ensure_ascii=False) + "\n")
                    count += 1
        unfinished.replace(to)
    finally:
        unfinished.unlink(missing_ok=True)
        await database.close()
    return count
