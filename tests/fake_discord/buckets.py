"""Rate limits as Discord has them: so many calls of a route in so many seconds, told in headers."""

import time
from collections import defaultdict, deque

CALLS, SECONDS = 5, 5.0


class Buckets:
    """calls: how many of one bucket may come in `SECONDS`. refused: buckets that were overrun."""

    def __init__(self) -> None:
        self.calls = CALLS
        self.refused: list[str] = []
        self._seen: dict[str, deque[float]] = defaultdict(deque)

    def hit(self, bucket: str) -> tuple[dict[str, str], float | None]:
        """Count a call; the headers, and for how long the caller has to wait if it is refused."""
        now, seen = time.monotonic(), self._seen[bucket]
        while seen and now - seen[0] >= SECONDS:
            seen.popleft()
        wait = None
        if len(seen) >= self.calls:
            wait = SECONDS - (now - seen[0])
            self.refused.append(bucket)
        else:
            seen.append(now)
        reset = SECONDS - (now - seen[0])
        headers = {
            "X-RateLimit-Limit": str(self.calls),
            "X-RateLimit-Remaining": str(max(0, self.calls - len(seen))),
            "X-RateLimit-Reset-After": f"{reset:.3f}",
            "X-RateLimit-Reset": f"{time.time() + reset:.3f}",
            "X-RateLimit-Bucket": bucket.split("/", maxsplit=1)[0],
        }
        return headers, wait
