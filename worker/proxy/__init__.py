"""Has other programs of this machine make the pictures and texts, through their APIs.

To the rest of the worker they are models: a renderer in an engine process of its own, without
torch, hands orders on. So offers, the watchdog, progress and uploads are the same as ever.
"""
