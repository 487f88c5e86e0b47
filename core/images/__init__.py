"""Pictures: where they are kept, the links to them, and whether what was sent is one.

Knows nothing of requests or workers: a picture has a name, and that is all.
"""
