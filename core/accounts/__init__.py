"""Registering, logins, sessions and one-time codes: what needs users and more."""
