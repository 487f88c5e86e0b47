"""`/api/v2/status`: the state of the horde."""

from typing import Annotated, Literal

from core.wire.model import Answer
from core.wire.scalars import Known

Health = Literal["OK", "DOWN", "OVERLOADED"]

ActiveModelType = Literal["image", "text"]


class HordeHeartbeat(Answer):
    """Whether this server answers and reaches its database; the status code is always 200."""

    message: Annotated[str, Known(Health)]
    version: str
    queue: int = 0
    """Calls that wait for a thread."""
    threads: int = 0
    active_count: int = 0
    """Calls being answered."""
    db_connection: bool = True


class HordePerformance(Answer):
    """The queues, and who works on them. Megapixelsteps are millions of pixels times steps."""

    queued_requests: int
    """Pictures that wait or are being made."""
    queued_text_requests: int
    worker_count: int
    """Workers that make pictures and were seen in the last 300 seconds."""
    text_worker_count: int
    thread_count: int
    text_thread_count: int
    queued_megapixelsteps: float
    past_minute_megapixelsteps: float
    queued_forms: float
    interrogator_count: int
    interrogator_thread_count: int
    queued_tokens: float
    past_minute_tokens: float


class ActiveModel(Answer):
    """A model that is offered or asked for."""

    performance: float
    """Pixelsteps (or tokens) a second."""
    queued: float
    """Pixelsteps (or tokens)."""
    jobs: float
    eta: int
    """Seconds; 10000 if it is asked for and nobody offers it."""
    type: Annotated[str, Known(ActiveModelType)]
    name: str
    count: int
    """How many threads offer it."""
