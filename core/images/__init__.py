"""Pictures: storing them, links to them, and checking what was sent.

Knows nothing of requests or workers: a picture has a name, and that is all.
"""
