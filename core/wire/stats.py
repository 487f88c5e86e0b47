"""`/api/v2/stats`: how much was made. Periods are the last minute, hour, day and 30 days."""

from core.wire.model import Answer


class SinglePeriodImgStat(Answer):
    """Pictures made within a period."""

    images: int
    ps: int
    """Pixels times steps."""


class StatsImgTotals(Answer):
    """Pictures made, by period."""

    minute: SinglePeriodImgStat
    hour: SinglePeriodImgStat
    day: SinglePeriodImgStat
    month: SinglePeriodImgStat
    total: SinglePeriodImgStat


class ImgModelStats(Answer):
    """How many pictures each model made, by the model's name."""

    day: dict[str, int]
    month: dict[str, int]
    total: dict[str, int]


class SinglePeriodTxtStat(Answer):
    """Texts written within a period."""

    requests: int
    tokens: int


class StatsTxtTotals(Answer):
    """Texts written, by period."""

    minute: SinglePeriodTxtStat
    hour: SinglePeriodTxtStat
    day: SinglePeriodTxtStat
    month: SinglePeriodTxtStat
    total: SinglePeriodTxtStat


class TxtModelStats(Answer):
    """How many texts each model wrote, by the model's name."""

    day: dict[str, int]
    month: dict[str, int]
    total: dict[str, int]
