"""Double-entry kudos: accounts, events of entries that sum to zero, and holds. Knows no users."""
