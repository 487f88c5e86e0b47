"""All tables of the server, in one place for migrations."""

import core.accounts.tables
import core.catalog.tables
import core.community.ratings.tables
import core.community.tables
import core.kudos.tables
import core.ledger.tables
import core.moderation.tables
import core.outbox.tables
import core.queue.tables
import core.stats.tables
import core.upkeep.tables
import core.users.tables
import core.workers.tables
from core.columns import Base

__all__ = ["metadata"]

metadata = Base.metadata
