"""A disk that is full while the server runs: a 503, one line in the log, nothing half done."""

import pytest
from sqlalchemy import text

import serving
from core.failures import of_storage

ASKED = {"prompt": "a red fox", "models": [], "params": serving.SMALL}

FULL = {
    True: ["PRAGMA max_page_count = 1"],  # as few as it has now
    False: [
        """CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$""",
        "CREATE TRIGGER full_disk BEFORE INSERT ON jobs EXECUTE FUNCTION full_disk()",
    ],
}
ROOM = {
    True: ["PRAGMA max_page_count = 1073741823"],
    False: ["DROP TRIGGER full_disk ON jobs", "DROP FUNCTION full_disk"],
}


async def execute(server, statements):
    async with server.database.writing() as session:
        for statement in statements[server.database.is_sqlite]:
            await session.execute(text(statement))


async def until_refused(server):
    """What is answered once there is no room left, and how many were accepted before."""
    for accepted in range(200):
        wanted = {**ASKED, "prompt": "a red fox " * 500}
        answer = await server.post("/generate/async", wanted, key=serving.ANONYMOUS)
        if answer.status_code != 202:
            return answer, accepted
    pytest.fail("there was always room")


async def stored(server):
    """How many requests and how many jobs there are."""
    async with server.database.reading() as session:
        counts = "SELECT (SELECT count(*) FROM requests), (SELECT count(*) FROM jobs)"
        return tuple((await session.execute(text(counts))).one())


async def test_a_full_disk_is_told_and_nothing_is_half_done(server, caplog):
    await execute(server, FULL)
    refused, accepted = await until_refused(server)
    assert refused.status_code == 503
    assert refused.json()["rc"] == "StorageUnavailable"
    (told,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert told.msg["reason"] == "the database's disk is full"
    assert told.exc_info is None
    assert await stored(server) == (accepted, accepted)
    await execute(server, ROOM)
    await server.ask()
    assert await stored(server) == (accepted + 1, accepted + 1)
    assert (await server.get("/kudos/audit")).json()["balanced"]


@pytest.mark.parametrize(
    ("error", "is_known"),
    [
        (OSError(28, "No space left on device"), True),
        (ConnectionRefusedError(111, "Connection refused"), True),
        (FileNotFoundError(2, "No such file"), False),
        (ValueError("a defect"), False),
    ],
)
def test_a_defect_is_not_taken_for_a_full_disk(error, is_known):
    assert (of_storage(error) is not None) is is_known
