"""The horde as a whole: its state, its modes, its news. `HordeClient` has these itself."""

from typing import Literal

from core.client.api import at
from core.client.errors import Forbidden
from core.client.running import Part, R, operation
from core.wire.documents import HordeDocument, Newspiece
from core.wire.modes import HordeModes, HordeModesInput
from core.wire.reference import ImageModelDetails, ModelReference
from core.wire.stats import ImgModelStats, StatsImgTotals, StatsTxtTotals, TxtModelStats
from core.wire.status import ActiveModel, ActiveModelType, HordeHeartbeat, HordePerformance

DocumentForm = Literal["html", "markdown"]
ModelState = Literal["known", "custom", "all"]


class Overview(Part[R]):
    """The horde as a whole."""

    @operation
    async def heartbeat(self) -> HordeHeartbeat:
        """Get the state of the server."""
        return await self._api.get(HordeHeartbeat, at("status", "heartbeat"))

    @operation
    async def performance(self) -> HordePerformance:
        """Get the queues and who works on them."""
        return await self._api.get(HordePerformance, at("status", "performance"))

    @operation
    async def news(self) -> list[Newspiece]:
        """Get the news, latest first."""
        return await self._api.get(list[Newspiece], at("status", "news"))

    @operation
    async def modes(self) -> HordeModes:
        """Get the modes of the horde; moderators see the raid mode too."""
        path = at("status", "modes")
        try:
            return await self._api.get(HordeModes, path)
        except Forbidden:  # by the contract, with a key it is for moderators
            return await self._api.without_key().get(HordeModes, path)

    @operation
    async def set_modes(self, modes: HordeModesInput) -> HordeModes:
        """Switch modes: administrators maintenance, moderators the others. The rest stays."""
        return await self._api.put(HordeModes, at("status", "modes"), modes)

    @operation
    async def terms(self, form: DocumentForm = "markdown") -> HordeDocument:
        """Get the rules of this horde."""
        return await self._api.get(HordeDocument, at("documents", "terms"), {"format": form})

    @operation
    async def privacy(self, form: DocumentForm = "markdown") -> HordeDocument:
        """Get what this horde stores, and for how long."""
        return await self._api.get(HordeDocument, at("documents", "privacy"), {"format": form})

    @operation
    async def sponsors(self, form: DocumentForm = "markdown") -> HordeDocument:
        """Get who helps this horde."""
        return await self._api.get(HordeDocument, at("documents", "sponsors"), {"format": form})


class Models(Part[R]):
    """Models: those that are online, and those that the horde knows."""

    @operation
    async def active(
        self,
        kind: ActiveModelType = "image",
        min_count: int | None = None,
        max_count: int | None = None,
        state: ModelState | None = None,
    ) -> list[ActiveModel]:
        """Get the models that are offered or asked for.

        min_count, max_count: how many threads offer them.
        """
        return await self._api.get(
            list[ActiveModel],
            at("status", "models"),
            {"type": kind, "min_count": min_count, "max_count": max_count, "model_state": state},
        )

    @operation
    async def active_named(self, name: str) -> list[ActiveModel]:
        """Get how the model of this name is offered and asked for, once for each kind."""
        return await self._api.get(list[ActiveModel], at("status", "models", name))

    @operation
    async def known(self) -> ModelReference:
        """Get all models that the horde knows: baselines, requirements, parameters."""
        return await self._api.get(ModelReference, at("catalog", "models"))

    @operation
    async def known_named(self, name: str) -> ImageModelDetails:
        """Get what the horde knows of an image model, its words too if it knows few."""
        return await self._api.get(ImageModelDetails, at("catalog", "models", name))


class Stats(Part[R]):
    """How much was made."""

    @operation
    async def images(self) -> StatsImgTotals:
        """Get how many pictures were made, by period."""
        return await self._api.get(StatsImgTotals, at("stats", "img", "totals"))

    @operation
    async def image_models(self, state: ModelState | None = None) -> ImgModelStats:
        """Get how many pictures each model made."""
        path = at("stats", "img", "models")
        return await self._api.get(ImgModelStats, path, {"model_state": state})

    @operation
    async def texts(self) -> StatsTxtTotals:
        """Get how much text was written, by period."""
        return await self._api.get(StatsTxtTotals, at("stats", "text", "totals"))

    @operation
    async def text_models(self) -> TxtModelStats:
        """Get how many texts each model wrote."""
        return await self._api.get(TxtModelStats, at("stats", "text", "models"))
