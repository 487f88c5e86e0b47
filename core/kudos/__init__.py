"""Reasons for which kudos move: prices, settlements, grants. Rules over the ledger."""
