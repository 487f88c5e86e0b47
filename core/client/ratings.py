"""Ratings: of one's own pictures and of others', and the shared pictures that they are about."""

from core.client.api import at, filled
from core.client.running import Part, R, operation
from core.wire.ratings import (
    AestheticsPayload,
    ArtifactsName,
    Dataset,
    DatasetImage,
    RatePostInput,
    RatePostResponse,
    SharedPictureDetails,
)
from core.wire.submit import GenerationSubmitted


class Ratings(Part[R]):
    """Ratings."""

    @operation
    async def rate_request(
        self, request_id: str, ratings: AestheticsPayload
    ) -> GenerationSubmitted:
        """Rate the pictures of one's own request, which shared them. Never asked twice."""
        return await self._api.post(
            GenerationSubmitted, at("generate", "rate", request_id), ratings
        )

    @operation
    async def next(self, dataset_id: str | None = None, model: str | None = None) -> DatasetImage:
        """Get a picture to rate. Raises NotFound if none is left. model: needs `dataset_id`."""
        given = [part for part in (dataset_id, model) if part is not None]
        return await self._api.get(DatasetImage, at("rating", "new", *given, version=1))

    @operation
    async def rate(
        self, picture_id: str, rating: int, artifacts: ArtifactsName | int | None = None
    ) -> RatePostResponse:
        """Rate somebody else's picture, 1 to 10. Never asked twice."""
        vote = filled(RatePostInput, rating=rating, artifacts=artifacts)
        return await self._api.post(RatePostResponse, at("rating", picture_id, version=1), vote)

    @operation
    async def datasets(self) -> list[Dataset]:
        """Get the data sets whose pictures can be rated."""
        return await self._api.get(list[Dataset], at("datasets", version=1))


class SharedPictures(Part[R]):
    """Pictures that were given to the data set (`shared` in a request)."""

    @operation
    async def all(self, page: int = 1) -> list[SharedPictureDetails]:
        """Get 25 of one's own, newest first."""
        return await self._api.get(
            list[SharedPictureDetails], at("shared", "pictures"), {"page": page}
        )

    @operation
    async def get(self, picture_id: str) -> SharedPictureDetails:
        """Get a shared picture and how it was made."""
        return await self._api.get(SharedPictureDetails, at("shared", "pictures", picture_id))

    @operation
    async def delete(self, picture_id: str) -> None:
        """Remove a picture from the data set; its requester and moderators may."""
        await self._api.delete(at("shared", "pictures", picture_id))
