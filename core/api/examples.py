"""Examples of request bodies for the descriptions of the API, one for each body.

Tools fill them in when somebody tries an operation, so each could be sent as it is, except for ids
and names of existing things.
"""

from collections.abc import Mapping
from typing import Any, Final

_PICTURE: Final = (
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAAAAACPAi4CAAAAK0lEQVR42u3MMREAAAgEoNfkRjeEmwcBqMlNRyAQCA"
    "QCgUAgEAgEAsHzYAFAdAEArKmlZAAAAABJRU5ErkJggg=="
)
_ID: Final = "00000000-0000-0000-0000-000000000000"
_WORKER: Final = "My worker:1:https://example.com"
_STYLE: Final = {"prompt": "{p}, watercolour, soft light ### {np} photograph", "tags": ["paint"]}

BODIES: Final[Mapping[str, dict[str, Any]]] = {
    "AddTimeoutIPInput": {"ipaddr": "192.0.2.7", "hours": 24},
    "AddWorkerTimeout": {"days": 3},
    "AestheticsPayload": {"ratings": [{"id": _ID, "rating": 7, "artifacts": 1}]},
    "CreateTeamInput": {"name": "Foxes", "info": "We draw foxes."},
    "DeleteTimeoutIPInput": {"ipaddr": "192.0.2.7"},
    "DevUserInput": {"username": "tester", "oauth_id": "g_tester", "trusted": True, "kudos": 100},
    "FilterTest": {"prompt": "a red fox on a blue background"},
    "GenerationInputKobold": {
        "prompt": "Once upon a time there was a fox",
        "params": {"max_length": 80, "max_context_length": 1024, "temperature": 0.7},
        "models": [],
    },
    "GenerationInputStable": {
        "prompt": "a red fox on a blue background ### blurry",
        "params": {"width": 512, "height": 512, "steps": 20, "cfg_scale": 7, "n": 1},
        "nsfw": False,
        "models": [],
        "r2": True,
    },
    "HordeModesInput": {"maintenance_mode": False},
    "InputModelCollection": {
        "name": "Paintings",
        "info": "Styles that look painted.",
        "public": True,
        "styles": ["watercolour"],
    },
    "InputStyleExamplePatch": {"primary": True},
    "InputStyleExamplePost": {"url": "https://example.com/fox.webp", "primary": True},
    "InterrogationPopInput": {
        "name": "My alchemist",
        "forms": ["caption", "nsfw"],
        "amount": 1,
        "bridge_agent": _WORKER,
    },
    "InterrogationSubmitInput": {"id": _ID, "result": {"caption": "a grey square"}, "state": "ok"},
    "KudosTransferInput": {"username": "Somebody#2", "amount": 100},
    "LoginCodeInput": {"code": "ABCD-EFGH"},
    "ModelInterrogationInputStable": {"forms": [{"name": "caption"}], "source_image": _PICTURE},
    "ModelStyleInputKobold": {
        "name": "storyteller",
        "info": "Tells it as a fairy tale.",
        "prompt": "Tell this as a fairy tale: {p}{np}",
        "params": {"temperature": 0.9},
    },
    "ModelStyleInputStable": {
        "name": "watercolour",
        "info": "Painted with a lot of water.",
        **_STYLE,
        "params": {"steps": 25, "cfg_scale": 6, "sampler_name": "k_euler_a"},
        "models": ["stable_diffusion"],
    },
    "ModelStylePatchKobold": {"info": "Tells it as a legend."},
    "ModelStylePatchStable": {"info": "Painted with little water.", "public": True},
    "ModifyReport": {"closed": True, "comment": "It was taken down."},
    "ModifyTeamInput": {"info": "We draw foxes and hens."},
    "ModifyUserInput": {"username": "Somebody else", "public_workers": True},
    "ModifyWorkerInput": {"maintenance": False, "info": "It is under my desk."},
    "PatchExistingFilter": {"description": "A name of a person."},
    "PopInputKobold": {
        "name": "My scribe",
        "models": ["koboldcpp/tiny"],
        "max_length": 80,
        "max_context_length": 1024,
        "bridge_agent": _WORKER,
    },
    "PopInputStable": {
        "name": "My worker",
        "models": ["stable_diffusion"],
        "max_pixels": 262144,
        "nsfw": False,
        "bridge_agent": _WORKER,
    },
    "PutNewFilter": {"regex": "foxes?", "filter_type": 10, "description": "Foxes."},
    "RegisterInput": {"username": "Somebody"},
    "ReportInput": {"kind": "picture", "id": _ID, "reason": "It shows a real person."},
    "ResponseModelMessage__Input": {
        "worker_id": _ID,
        "message": "Please update your worker.",
        "expiry": 12,
    },
    "SharedKeyInput": {"name": "For friends", "kudos": 500, "expiry": 30},
    "SubmitInputKobold": {"id": _ID, "generation": "and it was red.", "seed": 1},
    "ProgressInput": {"jobs": [{"id": _ID}], "step": 3, "steps": 20},
    "SubmitInputStable": {"id": _ID, "generation": "R2", "seed": 1, "state": "ok"},
}
"""A body by the name of its class in `core.wire`."""
