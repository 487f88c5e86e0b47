"""The model reference of a URL: what was fetched is stored, and every process uses it."""

import hashlib
from datetime import datetime

from sqlalchemy import String, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.catalog import models, reference
from core.catalog.reference import BadReference
from core.catalog.tables import FetchedReference


async def keep(session: AsyncSession, content: bytes, *, url: str, at: datetime) -> bool:
    """Store a reference in place of the one before. Returns whether it differs.

    Raises BadReference, so that a bad one never replaces a good one.
    """
    reference.parse(content)
    digest = hashlib.sha256(content).hexdigest()
    kept = await session.get(FetchedReference, 1)
    is_new = kept is None or (kept.url, kept.digest) != (url, digest)
    row = kept or FetchedReference(id=1)
    row.url, row.digest, row.content, row.fetched_at = url, digest, content.decode(), at
    session.add(row)
    return is_new


async def take_over(session: AsyncSession, *, url: str, digest: str | None) -> str | None:
    """Use the stored reference of this URL, if its digest differs from `digest`.

    Returns the digest of the reference in use now; None for the shipped one.
    """
    kept = await session.scalar(_DIGEST, {"url": url})
    if kept == digest:
        return digest
    row = (await session.execute(_CONTENT, {"url": url})).first()
    if row is None:
        models.use(None)
        return None
    try:
        models.use(reference.over_shipped(reference.parse(row.content)))
    except BadReference:  # stored by another version of this program; it will be fetched again
        models.use(None)
    return str(row.digest)


_url = bindparam("url", type_=String)
_DIGEST = select(FetchedReference.digest).where(FetchedReference.url == _url)
_CONTENT = select(FetchedReference.digest, FetchedReference.content).where(
    FetchedReference.url == _url
)
