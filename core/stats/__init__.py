"""Roll-ups counted from attempts: what was made, by whom, how fast. Never written in a request."""
