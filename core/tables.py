"""All tables of the server, in one place for migrations."""

from core.db import Base

__all__ = ["metadata"]

metadata = Base.metadata
