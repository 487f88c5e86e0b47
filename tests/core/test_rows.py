"""What is read of a table is a frozen dataclass with the table's columns, in their order."""

import dataclasses

import pytest

from core.db import table
from core.queue.rows import Attempt, Request
from core.queue.tables import AttemptRow, RequestRow
from core.users.tables import SharedKey, SharedKeyRow, User, UserRow
from core.workers.tables import Message, MessageRow, Team, TeamRow, Worker, WorkerRow

READ = [
    (User, UserRow),
    (SharedKey, SharedKeyRow),
    (Worker, WorkerRow),
    (Team, TeamRow),
    (Message, MessageRow),
    (Request, RequestRow),
]


@pytest.mark.parametrize(("kind", "stored"), READ, ids=lambda one: one.__name__)
def test_its_fields_are_the_columns(kind, stored):
    fields = [field.name for field in dataclasses.fields(kind)]
    assert fields == [column.name for column in table(stored).c]


def test_an_attempt_begins_with_its_own_columns():
    fields = [field.name for field in dataclasses.fields(Attempt)]
    columns = [column.name for column in table(AttemptRow).c]
    assert fields[: len(columns)] == columns
