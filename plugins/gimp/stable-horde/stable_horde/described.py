"""What a horde says about a picture, in lines for people."""

from typing import Any, Final

from stable_horde.words import _

MAX_TAGS: Final = 12
FORMS: Final = ("caption", "interrogation", "nsfw", "palette")
"""What may be asked about a picture."""


def lines(said: dict[str, Any]) -> str:
    """The results of forms, a line each."""
    return "\n".join(_line(form, value) for form, value in said.items())


def _line(form: str, value: Any) -> str:  # noqa: ANN401 - whatever a horde says
    if form == "caption":
        return str(value)
    if form == "nsfw":
        return _("Unsafe for work: yes") if value is True else _("Unsafe for work: no")
    if form == "interrogation" and isinstance(value, dict):
        return _("Tags: {tags}").format(tags=", ".join(_tags(value)))
    if form == "palette" and isinstance(value, list):
        colours = [
            f"{each.get('colour')} ({each.get('share', 0):.0%})"
            for each in value
            if isinstance(each, dict) and isinstance(each.get("share", 0), int | float)
        ]
        return _("Colours: {colours}").format(colours=", ".join(colours))
    return f"{form}: {value}"


def _tags(value: dict[str, Any]) -> list[str]:
    """The likeliest tags of all groups."""
    tags = [
        (each.get("confidence", 0), str(each.get("text")))
        for group in value.values()
        if isinstance(group, list)
        for each in group
        if isinstance(each, dict)
    ]
    return [text for _confidence, text in sorted(tags, key=lambda tag: -tag[0])[:MAX_TAGS]]
