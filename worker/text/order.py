"""Orders for text, and their results; see `worker.renderer`."""

from dataclasses import dataclass, field

from worker.renderer import Model, Order


@dataclass(frozen=True)
class LanguageModel(Model):
    """A causal language model.

    folder: where its configuration, tokenizer and safetensors are.
    context: the most tokens it can look back on.
    chats: whether it has a chat template of its own.
    """

    context: int
    chats: bool = False


@dataclass(frozen=True)
class GgufModel(LanguageModel):
    """One in llama.cpp's format. folder: the file itself."""


@dataclass(frozen=True)
class Sampling:
    """How the next token is sampled; the defaults leave the model's probabilities as they are.

    temperature: 0 always takes the most probable token.
    order: of 0 top_k, 1 top_a, 2 top_p with min_p, 3 tfs, 4 typical, 5 temperature with its
        dynamics and smoothing, 6 repetition penalty; missing ones are skipped.
    rep_pen_range: tokens that are looked back on; 0: all.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    top_a: float = 0.0
    typical: float = 1.0
    tfs: float = 1.0
    min_p: float = 0.0
    rep_pen: float = 1.0
    rep_pen_range: int = 0
    rep_pen_slope: float = 0.0
    smoothing_factor: float = 0.0
    dynatemp_range: float = 0.0
    dynatemp_exponent: float = 1.0
    order: tuple[int, ...] = (6, 0, 1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Format:
    """How a text is formatted once it is written.

    spaced: a space is put before it if neither prompt nor text has one.
    no_blank_lines, plain: blank lines and special characters are removed.
    whole: an incomplete last sentence is removed.
    """

    spaced: bool = False
    no_blank_lines: bool = False
    plain: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Written:
    """A finished text, without its prompt. tokens: how many were written."""

    text: str
    tokens: int


@dataclass(frozen=True)
class TextOrder(Order[tuple[Written, ...]]):
    """Texts that continue one prompt, and differ only in their seeds.

    length: the most tokens.
    context: tokens of prompt and text together; the beginning of a longer prompt is left out.
    seeds: 0 to 2**32 - 1, one for each text.
    stops: the text ends with the first of them.
    single_line: the text ends before its first line break.
    chat: whether the prompt is said to the model: its chat template is put around it.
    endless: whether the model may not end the text, nor write brackets.
    """

    language_model: LanguageModel
    prompt: str
    length: int
    context: int
    seeds: tuple[int, ...]
    sampling: Sampling = field(default_factory=Sampling)
    format: Format = field(default_factory=Format)
    stops: tuple[str, ...] = ()
    single_line: bool = False
    endless: bool = False
    chat: bool = False

    @property
    def model(self) -> LanguageModel:
        """The model that writes them."""
        return self.language_model
