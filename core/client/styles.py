"""Styles: prompt templates with models and parameters, under a name; and collections of them."""

from typing import Literal

from core.client.api import at
from core.client.running import Part, R, operation
from core.wire.collections import InputModelCollection, ResponseModelCollection
from core.wire.styles import (
    InputStyleExamplePatch,
    InputStyleExamplePost,
    ModelStyleInputKobold,
    ModelStyleInputStable,
    ModelStylePatchKobold,
    ModelStylePatchStable,
    StyleKobold,
    StyleModify,
    StyleStable,
)

Sort = Literal["popular", "age"]


class Styles(Part[R]):
    """Styles for pictures."""

    @operation
    async def all(
        self,
        page: int = 1,
        sort: Sort = "popular",
        tag: str | None = None,
        model: str | None = None,
    ) -> list[StyleStable]:
        """Get 25 public styles, those that are used most or the oldest first."""
        return await self._api.get(
            list[StyleStable],
            at("styles", "image"),
            {"page": page, "sort": sort, "tag": tag, "model": model},
        )

    @operation
    async def get(self, style_id: str) -> StyleStable:
        """Get a style."""
        return await self._api.get(StyleStable, at("styles", "image", style_id))

    @operation
    async def named(self, name: str) -> StyleStable:
        """Get the style of this name (`user#id::style::name`, or its last part)."""
        return await self._api.get(StyleStable, at("styles", "image_by_name", name))

    @operation
    async def create(self, style: ModelStyleInputStable) -> StyleModify:
        """Make a style. Never asked twice."""
        return await self._api.post(StyleModify, at("styles", "image"), style)

    @operation
    async def edit(self, style_id: str, changes: ModelStylePatchStable) -> StyleModify:
        """Change a style; what is not given stays."""
        return await self._api.patch(StyleModify, at("styles", "image", style_id), changes)

    @operation
    async def delete(self, style_id: str) -> None:
        """Delete a style."""
        await self._api.delete(at("styles", "image", style_id))

    @operation
    async def add_example(self, style_id: str, example: InputStyleExamplePost) -> StyleModify:
        """Add a picture on the web that shows what the style does. Never asked twice."""
        path = at("styles", "image", style_id, "example")
        return await self._api.post(StyleModify, path, example)

    @operation
    async def edit_example(
        self, style_id: str, example_id: str, changes: InputStyleExamplePatch
    ) -> StyleModify:
        """Change an example."""
        path = at("styles", "image", style_id, "example", example_id)
        return await self._api.patch(StyleModify, path, changes)

    @operation
    async def delete_example(self, style_id: str, example_id: str) -> None:
        """Delete an example."""
        await self._api.delete(at("styles", "image", style_id, "example", example_id))


class TextStyles(Part[R]):
    """Styles for texts."""

    @operation
    async def all(
        self,
        page: int = 1,
        sort: Sort = "popular",
        tag: str | None = None,
        model: str | None = None,
    ) -> list[StyleKobold]:
        """Get 25 public styles, those that are used most or the oldest first."""
        return await self._api.get(
            list[StyleKobold],
            at("styles", "text"),
            {"page": page, "sort": sort, "tag": tag, "model": model},
        )

    @operation
    async def get(self, style_id: str) -> StyleKobold:
        """Get a style."""
        return await self._api.get(StyleKobold, at("styles", "text", style_id))

    @operation
    async def named(self, name: str) -> StyleKobold:
        """Get the style of this name (`user#id::style::name`, or its last part)."""
        return await self._api.get(StyleKobold, at("styles", "text_by_name", name))

    @operation
    async def create(self, style: ModelStyleInputKobold) -> StyleModify:
        """Make a style. Never asked twice."""
        return await self._api.post(StyleModify, at("styles", "text"), style)

    @operation
    async def edit(self, style_id: str, changes: ModelStylePatchKobold) -> StyleModify:
        """Change a style; what is not given stays."""
        return await self._api.patch(StyleModify, at("styles", "text", style_id), changes)

    @operation
    async def delete(self, style_id: str) -> None:
        """Delete a style."""
        await self._api.delete(at("styles", "text", style_id))


class Collections(Part[R]):
    """Collections of styles: a request that names one gets a random style of it."""

    @operation
    async def all(
        self,
        page: int = 1,
        sort: Sort = "popular",
        kind: Literal["all", "image", "text"] = "all",
    ) -> list[ResponseModelCollection]:
        """Get 25 public collections, those that are used most or the oldest first."""
        return await self._api.get(
            list[ResponseModelCollection],
            at("collections"),
            {"page": page, "sort": sort, "type": kind},
        )

    @operation
    async def get(self, collection_id: str) -> ResponseModelCollection:
        """Get a collection."""
        return await self._api.get(ResponseModelCollection, at("collections", collection_id))

    @operation
    async def named(self, name: str) -> ResponseModelCollection:
        """Get the collection of this name."""
        return await self._api.get(ResponseModelCollection, at("collection_by_name", name))

    @operation
    async def create(self, collection: InputModelCollection) -> StyleModify:
        """Make a collection. Never asked twice."""
        return await self._api.post(StyleModify, at("collections"), collection)

    @operation
    async def edit(self, collection_id: str, changes: InputModelCollection) -> StyleModify:
        """Change a collection; what is not given stays."""
        return await self._api.patch(StyleModify, at("collections", collection_id), changes)

    @operation
    async def delete(self, collection_id: str) -> None:
        """Delete a collection; its styles stay."""
        await self._api.delete(at("collections", collection_id))
