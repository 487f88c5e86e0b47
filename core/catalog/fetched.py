"""The model reference of a URL: what was fetched is stored, and every process uses it."""

import hashlib
from datetime import datetime

from sqlalchemy import String, bindparam, insert, select, update

from core.catalog import models, reference
from core.catalog.reference import BadReference
from core.catalog.tables import FetchedReference
from core.db import Reading, Writing, table

_references = table(FetchedReference)


async def keep(session: Writing, content: bytes, *, url: str, at: datetime) -> bool:
    """Store a reference in place of the one before. Returns whether it differs.

    Raises BadReference, so that a bad one never replaces a good one.
    """
    reference.parse(content)
    digest = hashlib.sha256(content).hexdigest()
    row = {"url": url, "digest": digest, "content": content.decode(), "fetched_at": at}
    kept = (await session.execute(_KEPT)).first()
    if kept is None:
        await session.execute(insert(_references).values(id=1, **row))
    else:
        await session.execute(update(_references).where(_references.c.id == 1).values(**row))
    return kept is None or (kept.url, kept.digest) != (url, digest)


async def take_over(session: Reading, *, url: str, digest: str | None) -> str | None:
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
_KEPT = select(_references.c.url, _references.c.digest).where(_references.c.id == 1)
_DIGEST = select(_references.c.digest).where(_references.c.url == _url)
_CONTENT = select(_references.c.digest, _references.c.content).where(_references.c.url == _url)
