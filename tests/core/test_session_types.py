"""What mypy lets a session do: whoever only reads cannot write by mistake."""

import re
import subprocess
import sys

from processes import ROOT

PROGRAM = """
from sqlalchemy import delete, insert, select, union_all, update

from core.db import Database, Reading, Writing, table
from core.users.tables import UserRow

users = table(UserRow)
name = select(users.c.username)


async def reads(session: Reading) -> None:
    await session.execute(name)
    await session.execute(union_all(name, name), {})
    await session.scalar(name)
    await session.scalars(select(UserRow.id))
    await session.execute(insert(users))  # refused
    await session.execute(insert(users).returning(users.c.id), [{}])  # refused
    await session.execute(update(users))  # refused
    await session.scalar(update(users).returning(users.c.id))  # refused
    await session.scalars(delete(users).returning(users.c.id))  # refused
    await writes(session)  # refused


async def writes(session: Writing) -> None:
    await session.execute(insert(users), [{}])
    await session.scalar(update(users).returning(users.c.id))
    await session.scalars(delete(users).returning(users.c.id))
    await session.execute(union_all(name, name))
    await reads(session)


async def opens(database: Database) -> None:
    async with database.reading() as session:
        await writes(session)  # refused
    async with database.writing() as session:
        await writes(session)
        await session.rollback()  # refused
"""


def test_a_reading_session_takes_no_write(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = {int(line) for line in re.findall(r"program\.py:(\d+): error:", done.stdout)}
    lines = PROGRAM.splitlines()
    refused = {number for number, line in enumerate(lines, 1) if line.endswith("# refused")}
    assert found == refused, done.stdout + done.stderr
