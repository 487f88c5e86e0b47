"""What a server knows of migrations without Alembic, and what it leaves unloaded."""

import sqlite3
import subprocess
import sys

from alembic.script import ScriptDirectory

from core import schema
from core.schema import alembic_config, migrate


def test_the_migrations_are_those_that_alembic_knows():
    script = ScriptDirectory.from_config(alembic_config(""))
    known = {one.revision for one in script.walk_revisions()}
    assert schema.revisions() == (known, set(script.get_heads()))


def test_a_database_of_this_version_needs_no_migration(tmp_path):
    path = tmp_path / "a horde #1.sqlite"
    url = f"sqlite+aiosqlite:///{path}"
    assert not schema.is_current_file(url)
    assert not path.exists()
    migrate(url)
    connection = sqlite3.connect(path)
    assert schema.is_current_file(url)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    assert not schema.is_current_file(url)
    connection.close()
    path.write_bytes(b"something else" * 1000)
    assert not schema.is_current_file(url)


def test_a_server_loads_nothing_that_only_few_need():
    """Together they would take more than 40 MB: Redis, migrations, other engines, pictures."""
    few = {"redis", "alembic", "mako", "sqlalchemy.dialects.oracle", "PIL.Image", "numpy", "httpx2"}
    loads = "import sys, core.__main__, core.serving, core.app; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "quart" in loaded
    assert not few & loaded
