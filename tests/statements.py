"""Counting what is asked of the database."""

from contextlib import contextmanager

import sqlalchemy


@contextmanager
def counted(database):
    """The statements that are run within the block, as a list of texts that grows."""
    engines = {engine.sync_engine for engine in (database._reader, database._writer)}
    seen = []

    def see(_connection, _cursor, statement, *_):
        seen.append(statement)

    for engine in engines:
        sqlalchemy.event.listen(engine, "before_cursor_execute", see)
    try:
        yield seen
    finally:
        for engine in engines:
            sqlalchemy.event.remove(engine, "before_cursor_execute", see)
