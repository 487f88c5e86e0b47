"""`GET /api/v2/webhooks/key`, ours: what webhooks are signed with."""

from core.wire.model import Answer


class WebhookKey(Answer):
    """What the caller's webhooks are signed with."""

    key: str
    """64 hexadecimal digits: the HMAC-SHA256 key is this text."""
