"""Messages to other servers: webhooks, kept as rows until they are delivered or too old.

Knows nothing of requests or kudos: a letter has an address and a body. `core.upkeep.courier` sends.
"""
