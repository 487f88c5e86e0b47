"""Registering, logins, sessions and one-time codes: everything that needs more than users."""
