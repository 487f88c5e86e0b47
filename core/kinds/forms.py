"""The rules of forms for every layer."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar

from core.kinds import alchemy
from core.kinds.alchemy import AlchemyParams
from core.kinds.kind import Rules


class FormRules(Rules):
    """Forms: things are forms, and each is a job of its own."""

    name: ClassVar[str] = "alchemy"
    max_drops: ClassVar[int | None] = 100
    jobs_for_one: ClassVar[int] = 10
    needs_prompt: ClassVar[bool] = False
    takes_shared_keys: ClassVar[bool] = False
    mixes_requests: ClassVar[bool] = True
    uptime_is_spendable: ClassVar[bool] = True  # forms earn little otherwise
    has_username_code: ClassVar[bool] = False

    def params_from(self, document: dict[str, Any]) -> AlchemyParams:
        """The parameters that `to_json` wrote."""
        return AlchemyParams.from_json(document)

    def models_of(self, features: AbstractSet[str]) -> frozenset[str]:
        """The forms."""
        return frozenset(map(alchemy.form_of, features))

    def least_speed(self, _models: Sequence[str]) -> float:
        """A form in ten seconds."""
        return 0.1

    @property
    def type(self) -> str:
        """The older word of the API."""
        return "interrogation"

    def performance(self, speed: float) -> str:
        """How long a form takes."""
        return f"{1 / max(speed, 0.001):.1f} seconds per form"

    def offered(self, _program: frozenset[str], forms: Iterable[str]) -> frozenset[str]:
        """Workers name the forms that they serve in each pop, whatever their program."""
        return frozenset(map(alchemy.feature_of, forms))

    def model_of(self, feature: str) -> str:
        """The form itself."""
        return alchemy.form_of(feature)

    def is_screened(self, *, watched: bool) -> bool:  # noqa: ARG002 - there is nothing to screen
        """Forms have no prompt."""
        return False
