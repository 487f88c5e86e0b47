"""What a kind says to every layer: its speeds, its limits, and who may ask for it.

Handling a request of the kind, which needs prices and the queue, is defined one layer higher, by
`core.generation.protocol.Kind`. Both have defaults that hold for most kinds; a kind overrides only
what differs.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar

from core.kinds.params import Advice, Params


class Rules(ABC):
    """The rules of one kind. Each kind subclasses it once."""

    name: ClassVar[str]
    """At most eight characters, which is what the queue stores."""

    usual_speed: ClassVar[float] = 1.0
    """Things a second of a worker that has delivered nothing yet."""
    usual_pace: ClassVar[tuple[float, float]] = (0.0, 1.0)
    """Seconds that any job costs such a worker, and seconds for each thing, in forecasts."""
    max_models: ClassVar[int] = 0
    """How many models a worker may offer; 0 if the kind needs none."""
    max_drops: ClassVar[int | None] = None
    """How many jobs a worker may drop within an hour; None: the usual number."""
    jobs_for_one: ClassVar[int] = 1
    """How many jobs a user may have under way for each that concurrency counts.

    If it is more than one, jobs count until they are done, and not only while they wait.
    """
    needs_prompt: ClassVar[bool] = True
    needs_named_client: ClassVar[bool] = False
    """Whether clients are refused whose name was copied from a published example."""
    safe_addresses_in_raid: ClassVar[bool] = True
    """Whether only trusted users may ask from hidden addresses while the horde is raided."""
    takes_shared_keys: ClassVar[bool] = True
    mixes_requests: ClassVar[bool] = False
    """Whether one pop is filled with jobs of several requests."""
    uptime_is_spendable: ClassVar[bool] = False
    """Whether owners who are not trusted may spend their workers' rewards for uptime."""
    has_username_code: ClassVar[bool] = True
    """Whether the contract has a code of its own for malformed priority_usernames."""

    request_only: ClassVar[frozenset[str]] = frozenset({"n"})
    """Parameters that styles of the kind cannot have, so that the request's values hold."""
    has_negative_prompt: ClassVar[bool] = False
    """Whether the part of a prompt after the first ### is a negative prompt."""

    @abstractmethod
    def params_from(self, document: dict[str, Any]) -> Params:
        """The parameters that `to_json` wrote."""

    def models_of(self, features: AbstractSet[str]) -> frozenset[str]:  # noqa: ARG002
        """What makes jobs with these features, if that is not a model that a request names."""
        return frozenset()

    def least_speed(self, models: Sequence[str]) -> float:  # noqa: ARG002 - for kinds that differ
        """Things a second below which a worker with these models is slow."""
        return 0.0

    def fastest(self, model: str) -> float:  # noqa: ARG002
        """Things a second that no honest worker exceeds."""
        return float("inf")

    @property
    def type(self) -> str:
        """The API's word for workers of the kind."""
        return self.name

    def performance(self, speed: float) -> str:
        """A worker's speed in words, for people. speed: things a second."""
        return f"{speed:.1f} things per second"

    def knows(self, model: str) -> bool:  # noqa: ARG002
        """Whether anybody may offer this model; customizers may offer any."""
        return True

    def offered(self, program: frozenset[str], forms: Iterable[str]) -> frozenset[str]:  # noqa: ARG002
        """The features that a worker offers. program: what its program can do."""
        return program

    def model_of(self, feature: str) -> str:
        """The stand-in for the model of a job that asks for a feature of its own."""
        return feature

    def is_screened(self, *, watched: bool) -> bool:  # noqa: ARG002
        """Whether prompts are screened. watched: the user or the model gives reason to."""
        return True

    def shows_nudity(self, models: Iterable[str]) -> bool:  # noqa: ARG002
        """Whether one of these models is made for nudity."""
        return False

    def sizes(self, params: Any) -> Mapping[str, int]:  # noqa: ANN401, ARG002 - the kind's own
        """The sizes that a shared key limits, by the names of `shared_keys.check_size`."""
        return {}

    def for_education(self, params: Any) -> Any:  # noqa: ANN401
        """The parameters, made suitable for a classroom."""
        return params

    def may_be_shared(self, params: Any) -> bool:  # noqa: ANN401, ARG002
        """Whether a result may be given to the public data set."""
        return False

    def check_style(
        self,
        prompt: str,  # noqa: ARG002
        params: Mapping[str, Any],  # noqa: ARG002
        models: Sequence[str],  # noqa: ARG002
    ) -> list[Advice]:
        """Raise the first rule that a style breaks by itself; advice on the rest."""
        return []
