"""Why kudos move: prices, settlements, grants. Rules over the ledger."""
