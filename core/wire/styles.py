"""`/api/v2/styles`: prompt templates with models and parameters, under a name."""

from typing import Annotated

from pydantic import Field, StrictInt

from core.wire.generate import RequestSingleWarning
from core.wire.image import ModelStyleInputParamsStableNoDefaults
from core.wire.limits import MAX_LIST, Name, Prompt
from core.wire.model import Answer, Request
from core.wire.scalars import WHOLE, Boolean, Maybe, Omitted, String
from core.wire.sharedkeys import SharedKeyDetails
from core.wire.text import ModelPayloadStyleKobold

Tag = Annotated[String, Field(min_length=1, max_length=25)]
ModelName = Annotated[Name, Field(min_length=1)]
KeyId = Annotated[String, Field(min_length=36, max_length=36)]
Url = Annotated[String, Field(max_length=2048)]
StyleName = Annotated[String, Field(min_length=1, max_length=100)]


class ModelStyleInputParamsStable(ModelStyleInputParamsStableNoDefaults):
    """Parameters of a style for pictures."""

    steps: Maybe[Annotated[StrictInt, Field(ge=1, le=500), WHOLE]] = None


class ModelStyleInputParamsKobold(ModelPayloadStyleKobold):
    """Parameters of a style for texts."""


class ModelStyleInputStable(Request):
    """`POST styles/image`: a new style."""

    name: StyleName
    info: Maybe[Annotated[String, Field(min_length=10, max_length=1000)]] = None
    prompt: Annotated[Prompt, Field(min_length=7)] = "{p}{np}"
    """{p} stands for the prompt of a request, {np} for its negative prompt."""
    params: Maybe[ModelStyleInputParamsStable] = None
    public: Boolean = True
    """Whether it is listed."""
    nsfw: Boolean = False
    """Whether its results may be unsafe for work."""
    tags: Annotated[list[Tag], Field(max_length=MAX_LIST)] = Field(default_factory=list)
    """Ten at most."""
    models: Annotated[list[ModelName], Field(max_length=MAX_LIST)] = Field(default_factory=list)
    """One to five."""
    sharedkey: Maybe[KeyId] = None
    """A shared key of yours that pays for everybody who uses the style."""


class ModelStylePatchStable(Request):
    """`PATCH styles/image/{id}`: changes; absent fields stay as they are."""

    name: Maybe[StyleName] = None
    info: Maybe[Annotated[String, Field(min_length=1, max_length=1000)]] = None
    prompt: Maybe[Annotated[Prompt, Field(min_length=7)]] = None
    params: Maybe[ModelStyleInputParamsStable] = None
    """All parameters: those that are not given are removed."""
    public: Boolean = True
    nsfw: Boolean = False
    tags: Annotated[list[Tag], Field(max_length=MAX_LIST)] = Field(default_factory=list)
    models: Annotated[list[ModelName], Field(max_length=MAX_LIST)] = Field(default_factory=list)
    sharedkey: Maybe[KeyId] = None


class ModelStyleInputKobold(Request):
    """`POST styles/text`: a new style."""

    name: StyleName
    info: Maybe[Annotated[String, Field(min_length=10, max_length=1000)]] = None
    prompt: Annotated[Prompt, Field(min_length=3)] = "{p}"
    """{p} stands for the prompt of a request."""
    params: Maybe[ModelStyleInputParamsKobold] = None
    public: Boolean = True
    nsfw: Boolean = False
    tags: Annotated[list[Tag], Field(max_length=MAX_LIST)] = Field(default_factory=list)
    models: Annotated[list[ModelName], Field(max_length=MAX_LIST)] = Field(default_factory=list)


class ModelStylePatchKobold(Request):
    """`PATCH styles/text/{id}`: changes; absent fields stay as they are."""

    name: Maybe[StyleName] = None
    info: Maybe[Annotated[String, Field(min_length=1, max_length=1000)]] = None
    prompt: Maybe[Annotated[Prompt, Field(min_length=7)]] = None
    params: Maybe[ModelStyleInputParamsKobold] = None
    public: Boolean = True
    nsfw: Boolean = False
    tags: Annotated[list[Tag], Field(max_length=MAX_LIST)] = Field(default_factory=list)
    models: Annotated[list[ModelName], Field(max_length=MAX_LIST)] = Field(default_factory=list)


class InputStyleExamplePost(Request):
    """`POST styles/image/{id}/example`: a picture on the web that shows what the style does."""

    url: Url
    """https."""
    primary: Boolean
    """Whether it is shown first, instead of any other."""


class InputStyleExamplePatch(Request):
    """`PATCH styles/image/{id}/example/{example}`: changes."""

    url: Maybe[Url] = None
    primary: Maybe[Boolean] = None


class StyleModify(Answer):
    """It is done."""

    id: str
    """Of the style, the collection or the example."""
    message: str = "OK"
    warnings: list[RequestSingleWarning] = Field(default_factory=list)
    """Why a style's results may not turn out well."""


class StyleExample(Answer):
    """A picture on the web that shows what a style does."""

    id: str
    url: str
    primary: bool = False


class _Style(Answer):
    id: str
    name: str
    info: str | None = None
    public: bool = True
    nsfw: bool = False
    tags: list[str] = Field(default_factory=list)
    models: list[str] = Field(default_factory=list)
    use_count: int
    creator: str
    """The owner's alias."""


class StyleStable(_Style):
    """A style for pictures."""

    prompt: str = "{p}{np}"
    params: ModelStyleInputParamsStable = Field(default_factory=ModelStyleInputParamsStable)
    examples: list[StyleExample] = Field(default_factory=list)
    sharedkey: Omitted[str] = None
    """The id of `shared_key`."""
    shared_key: Omitted[SharedKeyDetails] = None
    """The shared key that pays for everybody who uses the style."""


class StyleKobold(_Style):
    """A style for texts."""

    prompt: str = "{p}"
    params: ModelStyleInputParamsKobold = Field(default_factory=ModelStyleInputParamsKobold)
