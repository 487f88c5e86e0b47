"""Brings models to this machine: from a hub, from CivitAI, from any address, file or folder."""
