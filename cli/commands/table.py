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
    },
    "Make": {
        "generate": Entry("generate:generate", "Ask for pictures, one or thousands."),
    },
    "Look": {
        "status": Entry("status:status", "Show the queue, the workers and the models."),
    },
    "Serve": {
        "worker": Entry("worker:worker", "Serve a horde with this machine; look after workers."),
    },
}
