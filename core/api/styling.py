"""Applying styles to incoming requests."""

from typing import Any, TypeVar

from core.api import context
from core.community import styles
from core.generation.specs import Styling
from core.wire.generate import GenerationInputStable
from core.wire.text import GenerationInputKobold

B = TypeVar("B", GenerationInputStable, GenerationInputKobold)


async def styled(body: B, kind: str) -> tuple[B, Styling | None]:
    """The request as its style shapes it, and the style, if it names one.

    Raises StyleNotFound and StyleMismatch.
    """
    if body.style is None:
        return body, None
    async with context.server().database.reading() as session:
        style = await styles.resolve(session, kind, body.style)
    asked = body.params.model_dump(exclude_unset=True)
    prompt, params, models = styles.apply(style, body.prompt, asked, body.models)
    changes: dict[str, Any] = {
        "prompt": prompt,
        "params": type(body.params).model_validate(params),
    }
    if style.models:
        changes["models"] = models
    return body.model_copy(update=changes), Styling(
        style_id=style.id,
        collection_id=style.collection_id,
        owner_id=style.user_id,
        account_id=style.account_id,
        shared_key_id=style.shared_key_id,
    )
