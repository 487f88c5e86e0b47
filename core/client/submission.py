"""Submits a job until the server has it, even if its answers get lost."""

from collections.abc import Awaitable, Callable

from core.client.errors import AlreadySubmitted, HordeError, JobGone, TooMany
from core.client.retries import Retries
from core.wire.submit import GenerationSubmitted


async def run(
    submit: Callable[[], Awaitable[GenerationSubmitted]], retries: Retries, *, fault: bool
) -> GenerationSubmitted | None:
    """Returns the server's answer; None if it got lost but the job is submitted.

    After an attempt without an answer, the server may have the job. Then it refuses the next
    attempt as a repetition, and that refusal is the missing answer.

    submit: makes one attempt.
    fault: whether the job is given back; that earns nothing, so no answer is needed.
    """
    maybe_done = False
    retries = retries.for_results()

    async def attempt() -> GenerationSubmitted | None:
        nonlocal maybe_done
        try:
            return await submit()
        except AlreadySubmitted:
            if not maybe_done:
                raise
            return None
        except JobGone as error:
            if maybe_done and fault and error.rc == "AbortedGen":
                return GenerationSubmitted(reward=0.0)
            raise
        except HordeError as error:
            maybe_done = maybe_done or (retries.passing(error) and not isinstance(error, TooMany))
            raise

    return await retries.run(attempt)
