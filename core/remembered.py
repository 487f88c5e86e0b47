"""Rows that nearly every call reads, remembered for a second: who calls, which worker it is.

A change by this process is seen at once: while a transaction that changed a watched table is in
progress, nothing of that table is remembered, and its end forgets all of it. Another process's
change is seen within a second.
"""

import time
from collections import Counter, OrderedDict
from collections.abc import Hashable
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.sql.dml import UpdateBase

SECONDS = 1.0
MAX_ROWS = 10_000
WATCHED = frozenset({"users", "workers", "address_timeouts"})

_CHANGED = "changed_tables"
_MISSING = object()


class Remembered:
    """What was read of the watched tables within the last second."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, Hashable], tuple[float, object]] = OrderedDict()
        self._changing: Counter[str] = Counter()
        self._changes = 0

    def get(self, table: str, key: Hashable, missing: Any = None) -> Any:  # noqa: ANN401
        """What was put under the key within the last second; else `missing`."""
        at, value = self._kept.get((table, key), (0.0, _MISSING))
        is_known = value is not _MISSING and time.monotonic() - at < SECONDS
        return value if is_known and not self._changing[table] else missing

    @property
    def moment(self) -> int:
        """Grows with each change, so that rows read before a change are not put after it."""
        return self._changes

    def put(self, table: str, key: Hashable, value: object, *, read_at: int) -> None:
        """Remember what was read, unless somebody has changed the table since, or is about to.

        read_at: `moment` from before it was read.
        """
        if self._changing[table] or read_at != self._changes:
            return
        self._kept[table, key] = (time.monotonic(), value)
        self._kept.move_to_end((table, key))
        if len(self._kept) > MAX_ROWS:
            self._kept.popitem(last=False)

    def watch(self, engine: Engine) -> None:
        """Watch for changes that are made through this engine."""
        event.listen(engine, "after_execute", self._executed)
        for name in ("commit", "rollback"):
            event.listen(engine, name, self._ended)
        for name in ("checkin", "invalidate"):
            event.listen(engine.pool, name, self._given_back)

    def _executed(self, connection: Connection, statement: object, *_: object) -> None:
        name = getattr(getattr(statement, "table", None), "name", None)
        if not isinstance(statement, UpdateBase) or name not in WATCHED:
            return
        changed: set[str] = connection.info.setdefault(_CHANGED, set())
        if name not in changed:
            changed.add(name)
            self._changing[name] += 1

    def _ended(self, connection: Connection) -> None:
        if not connection.invalidated:  # otherwise the pool has reported it
            self._settle(connection.info)

    def _given_back(self, _connection: object, record: Any, *_: object) -> None:  # noqa: ANN401
        self._settle(record.info)

    def _settle(self, info: dict[Any, Any]) -> None:
        changed = info.pop(_CHANGED, None)
        if not changed:
            return
        self._changes += 1
        for name in changed:
            self._changing[name] -= 1
        for key in [key for key in self._kept if key[0] in changed]:
            del self._kept[key]
