"""All commands: where each is, and what it does, so that none is imported to be listed."""

from typing import Final, NamedTuple


class Entry(NamedTuple):
    """A command, or a group of commands. place: `module:name` below `cli.commands`."""

    place: str
    help: str


SECTIONS: Final[dict[str, dict[str, Entry]]] = {
    "A horde of your own": {
        "up": Entry("up:up", "Start a horde: the server with its page, and one worker."),
        "demo": Entry("demo:demo", "Make one picture, with the horde of this machine."),
        "settings": Entry("settings:settings", "Show which horde is called, and as whom."),
    },
    "Make": {
        "generate": Entry("generate:generate", "Ask for pictures, one or thousands."),
        "text": Entry("text:text", "Ask for text that goes on from a prompt."),
        "chat": Entry("text:chat", "Talk with a text model."),
        "alchemy": Entry("alchemy:alchemy", "Ask for captions, upscaled copies and other forms."),
        "describe": Entry("alchemy:describe", "Say what pictures show."),
        "upscale": Entry("alchemy:upscale", "Enlarge pictures."),
        "wait": Entry("jobs:wait", "Wait for a request, and save its results."),
        "cancel": Entry("jobs:cancel", "Cancel a request."),
        "jobs": Entry("jobs:jobs", "List the requests of this machine."),
        "repeat": Entry("jobs:repeat", "Ask for the same again."),
        "rate": Entry("rate:rate", "Rate pictures."),
    },
    "Look": {
        "status": Entry("status:status", "Show the queue, the workers and the models."),
        "watch": Entry("watch:watch", "Show the same as it changes."),
        "models": Entry("look:models", "List models."),
        "workers": Entry("look:workers", "List workers."),
        "styles": Entry("community:styles", "List styles, show one, write and delete your own."),
        "teams": Entry("community:teams", "List teams, show one, found and change your own."),
        "news": Entry("look:news", "Read the news."),
        "leaderboard": Entry("look:leaderboard", "List who gave and asked most."),
    },
    "Account": {
        "login": Entry("account:login", "Keep a key, after checking it."),
        "account": Entry("account:account", "Show your account, and change it."),
        "kudos": Entry("account:kudos", "Give kudos."),
        "keys": Entry("keys:keys", "Make shared keys, change and delete them."),
    },
    "Serve": {
        "worker": Entry("worker:worker", "Serve a horde with this machine; look after workers."),
        "admin": Entry("admin:admin", "Moderate a horde."),
    },
}
