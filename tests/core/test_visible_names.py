"""Names that were stored before what cannot be seen was left out of them."""

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import insert, select, update

import factories
from core.db import now, table
from core.schema import alembic_config
from core.users.tables import Role, UserRow
from core.workers import fleet
from core.workers.tables import TeamRow, WorkerRow

WORKERS, TEAMS, USERS = table(WorkerRow), table(TeamRow), table(UserRow)


@pytest.fixture
def migrated(database_url):
    """Does what the migration does, in a session."""
    script = ScriptDirectory.from_config(alembic_config(database_url)).get_revision("visible_names")

    def run(connection):
        with Operations.context(MigrationContext.configure(connection)):
            script.module.upgrade()

    async def migrate(session):
        await (await session.connection()).run_sync(run)

    return migrate


def called(session, owner, name):
    return fleet.check_in(session, owner, factories.declared(name=name), at=now())


async def named(session, worker_id, name):
    await session.execute(
        update(WORKERS).where(WORKERS.c.id == worker_id).values(name=name, name_key=name.casefold())
    )


async def test_names_are_cleaned_and_stay_unique(session, migrated):
    owner, _ = await factories.user(session, roles=int(Role.TRUSTED))
    odd = ["Fox\u200d worker", "\u202eFox worker", "\u200b", "Füchse 🦊", "Fox worker"]
    ids = []
    for name in odd:
        made = await called(session, owner, f"worker {len(ids)}")
        await named(session, made.id, name)
        ids.append(made.id)
    await session.execute(
        insert(TEAMS).values(
            id=ids[0], name="T\x1b[2J", name_key="t\x1b[2j", info="a\x07\nb", user_id=owner.id,
            created_at=now(),
        )
    )  # fmt: skip
    await session.execute(update(USERS).where(USERS.c.id == owner.id).values(contact="me\x9b"))
    await migrated(session)
    rows = (await session.execute(select(WORKERS))).all()
    names = {row.id: row.name for row in rows}
    assert sorted(names[one] for one in ids[:3]) == ["Fox worker 2", "Fox worker 3", "nameless"]
    assert [names[one] for one in ids[3:]] == ["Füchse 🦊", "Fox worker"]
    assert all(row.name_key == row.name.casefold() for row in rows)
    team = (await session.execute(select(TEAMS))).one()
    assert (team.name, team.name_key, team.info) == ("T[2J", "t[2j", "a\nb")
    assert await session.scalar(select(USERS.c.contact).where(USERS.c.id == owner.id)) == "me"


async def test_a_worker_that_is_called_so_finds_itself_again(session, migrated):
    owner, _ = await factories.user(session)
    made = await called(session, owner, "a worker")
    await named(session, made.id, "a 👩\u200d💻 worker")
    await migrated(session)
    found = await fleet.by_name(session, "a 👩\u200d💻 worker")
    assert found.id == made.id
    assert found.name == "a 👩💻 worker"
