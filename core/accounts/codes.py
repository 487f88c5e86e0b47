"""One-time codes: the page shows one, and typing it into a program logs that program in.

A code is three groups of four letters, without vowels, so that it spells nothing, and without
letters that look alike. The first group only identifies it; the other two are the secret (34 bits),
at which MAX_TRIES guesses are allowed. A user has one code at most; a new one replaces it.
"""

import hmac
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, update

from core import dialects
from core.accounts.tables import LoginCode
from core.db import Writing, table
from core.users.keys import Keyring

PURPOSE = "login-code"
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
GROUP = 4
GROUPS = 3
LIFE = timedelta(minutes=10)
MAX_TRIES = 5

_codes = table(LoginCode)


async def issue(session: Writing, keyring: Keyring, user_id: int, *, at: datetime) -> str:
    """Returns a new code for the user, valid for LIFE: `BCDF-GHJK-LMNP`."""
    replaced = (_codes.c.user_id == user_id) | (_codes.c.expires_at <= at)
    await session.execute(delete(_codes).where(replaced))
    while True:
        code = "".join(secrets.choice(ALPHABET) for _ in range(GROUP * GROUPS))
        added = await session.execute(
            dialects.insert(session, _codes)
            .values(
                name=code[:GROUP],
                code_hash=keyring.keyed(PURPOSE, code),
                user_id=user_id,
                tries=0,
                expires_at=at + LIFE,
            )
            .on_conflict_do_nothing(index_elements=[_codes.c.name])
            .returning(_codes.c.name)
        )
        if added.first() is not None:
            return "-".join(code[i : i + GROUP] for i in range(0, len(code), GROUP))


async def redeem(session: Writing, keyring: Keyring, code: str, *, at: datetime) -> int | None:
    """Use up the code. Returns the id of the user who was shown it, or None if it is wrong.

    A wrong guess is counted, so the caller must commit even if None is returned.
    """
    typed = "".join(character for character in code.upper() if character in ALPHABET)
    if len(typed) != GROUP * GROUPS:
        return None
    tried = await session.execute(
        update(_codes)
        .where(_codes.c.name == typed[:GROUP], _codes.c.expires_at > at, _codes.c.tries < MAX_TRIES)
        .values(tries=_codes.c.tries + 1)
        .returning(_codes.c.code_hash, _codes.c.user_id)
    )
    row = tried.first()
    if row is None or not hmac.compare_digest(row.code_hash, keyring.keyed(PURPOSE, typed)):
        return None
    used = await session.execute(
        delete(_codes).where(_codes.c.name == typed[:GROUP]).returning(_codes.c.user_id)
    )
    return int(used.scalar_one())
