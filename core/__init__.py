"""The server: users, kudos ledger and queue behind a REST API; and the wire its clients speak."""
