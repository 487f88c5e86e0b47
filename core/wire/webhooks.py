"""`GET /api/v2/webhooks/key`, ours: the key that signs webhooks."""

from core.wire.model import Answer


class WebhookKey(Answer):
    """The key that signs the caller's webhooks."""

    key: str
    """64 hexadecimal digits: the HMAC-SHA256 key is this text."""
