"""Counting what is asked of the database."""

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from unittest import mock

import sqlalchemy

from core.prepared import Prepared


@dataclass(frozen=True)
class Statements:
    """What was sent to a database, in order, by the kind of session."""

    reading: list[str] = field(default_factory=list)
    writing: list[str] = field(default_factory=list)
    all: list[str] = field(default_factory=list)


@contextmanager
def counted(database):
    """The statements that are run within the block; they come in as it goes."""
    seen = Statements()
    with ExitStack() as listening:
        for engine, sent in ((database._reader, seen.reading), (database._writer, seen.writing)):

            def see(_connection, _cursor, statement, *_, sent=sent):
                sent.append(statement)
                seen.all.append(statement)

            target = (engine.sync_engine, "before_cursor_execute", see)
            sqlalchemy.event.listen(*target)
            listening.callback(sqlalchemy.event.remove, *target)

        run = Prepared.run

        async def see_prepared(prepared, driver, parameters):
            engine = driver.connection.engine
            if engine in (database._reader, database._writer):
                is_reading = engine is database._reader
                (seen.reading if is_reading else seen.writing).append(str(prepared._compiled))
                seen.all.append(str(prepared._compiled))
            return await run(prepared, driver, parameters)

        listening.enter_context(mock.patch.object(Prepared, "run", see_prepared))
        yield seen
