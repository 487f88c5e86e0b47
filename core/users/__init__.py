"""Users, their API keys and roles."""
