"""Statements that are compiled once for each engine and then run by its driver.

SQLAlchemy writes their SQL and converts their values, as it does for all others. What it does anew
around each execution is left out: for a small statement that is most of its time
(`docs/decisions/0024-prepared-statements.md`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar, cast

from sqlalchemy import Dialect, Executable
from sqlalchemy.engine import IteratorResult, Result
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import ReturnsRows

from core.driver import Driver
from core.remembered import WATCHED

NUMERIC: Final = 1700
"""PostgreSQL's number for the type of exact numbers, such as the sum of integers."""

MAX_FORMS: Final = 32

_kept: set[Executable] = set()
_S = TypeVar("_S", bound=Executable)
_Convert = Callable[[Any], Any]


def prepared(statement: _S) -> _S:
    """Let this statement, which a module keeps for good, be compiled once for each engine.

    All that varies in it is a `bindparam`. How many rows it changed is not told.
    """
    _kept.add(statement)
    return statement


class _Form(NamedTuple):
    """The statement's text, and what it takes in turn.

    values: the name of a parameter and how it is converted, or None and a value that never varies.
    """

    sql: str
    values: list[tuple[str | None, Any]]


class Prepared:
    """A statement as the driver of one engine runs it."""

    def __init__(self, statement: ReturnsRows, dialect: Dialect) -> None:
        """Raises ValueError for what needs SQLAlchemy at each execution."""
        self._compiled: Any = statement.compile(dialect=dialect)
        self._dialect = dialect
        _check(statement, self._compiled)
        self._literals = sorted(
            bind.key for bind in self._compiled.literal_execute_params if bind.required
        )
        self._forms: dict[tuple[Any, ...], _Form] = {}
        columns = statement.exported_columns
        self._names = SimpleResultMetaData(columns.keys())
        self._converts: list[tuple[int, _Convert]] = [
            (at, convert)
            for at, column in enumerate(columns)
            if (convert := column.type.dialect_impl(dialect).result_processor(dialect, NUMERIC))
        ]

    async def run(self, driver: Driver, parameters: Mapping[str, Any]) -> Result[*tuple[Any, ...]]:
        """Run it. Raises DBAPIError, as SQLAlchemy would, and Unstorable."""
        literals = tuple(parameters[name] for name in self._literals)
        form = self._forms.get(literals) or self._written_with(literals)
        values = [
            value if name is None else _converted(parameters[name], value)
            for name, value in form.values
        ]
        rows = await driver.fetch(form.sql, values)
        return IteratorResult(self._names, map(self._row if self._converts else tuple, rows))

    def _written_with(self, literals: tuple[Any, ...]) -> _Form:
        """The statement with these values written into it; few ever are, as they are constants."""
        given = dict(zip(self._literals, literals, strict=True))
        binds = self._compiled.binds
        varying = {name for name, bind in binds.items() if bind.required} - given.keys()
        state = self._compiled.construct_expanded_state(dict.fromkeys(varying) | given)
        written_out = {
            one: name for name, several in state.parameter_expansion.items() for one in several
        }
        values: list[tuple[str | None, Any]] = []
        for name in state.positiontup:
            kind = binds[written_out.get(name, name)].type.dialect_impl(self._dialect)
            convert = kind.bind_processor(self._dialect)
            if name in varying:
                values.append((name, convert))
            else:
                values.append((None, _converted(state.parameters[name], convert)))
        if len(self._forms) >= MAX_FORMS:
            self._forms.clear()
        form = self._forms[literals] = _Form(state.statement, values)
        return form

    def _row(self, row: Sequence[Any]) -> tuple[Any, ...]:
        values = list(row)
        for at, convert in self._converts:
            values[at] = convert(values[at])
        return tuple(values)


class Compiled:
    """The prepared statements of one engine."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._known: dict[Executable, Prepared] = {}

    def get(self, statement: Executable) -> Prepared | None:
        """The statement as the driver runs it; None where it is not to be prepared."""
        found = self._known.get(statement)
        if found is None and statement in _kept:
            found = self._known[statement] = Prepared(cast("ReturnsRows", statement), self._dialect)
        return found


def _converted(value: Any, convert: _Convert | None) -> Any:  # noqa: ANN401
    return value if convert is None else convert(value)


def _check(statement: ReturnsRows, compiled: Any) -> None:  # noqa: ANN401
    if any(bind.expanding and bind.required for bind in compiled.binds.values()):
        raise ValueError(f"a list of varying length can't be prepared: {compiled}")
    if isinstance(statement, UpdateBase):
        if getattr(statement.table, "name", None) in WATCHED:
            raise ValueError(f"a change of a watched table can't be prepared: {compiled}")
        if compiled.insert_prefetch or compiled.update_prefetch:
            raise ValueError(f"defaults that Python makes can't be prepared: {compiled}")
