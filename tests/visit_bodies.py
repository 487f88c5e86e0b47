"""What a visitor asks for: every field that a request of its kind may have."""

import pictures
import serving

PARAMS = {
    **serving.SMALL,
    "sampler_name": "lcm",
    "clip_skip": 2,
    "denoising_strength": 0.5,
    "facefixer_strength": 0.5,
    "post_processing": ["GFPGAN"],
    "loras": [{"name": "a", "inject_trigger": "b"}],
    "tis": [{"name": "a", "inject_ti": "prompt"}],
}
ASKED = {
    "prompt": "a red fox",
    "nsfw": False,
    "source_image": pictures.SOURCE,
    "source_mask": pictures.MASK,
    "source_processing": "inpainting",
    "params": PARAMS,
}
STYLED = {
    "cfg_scale": 5.0,
    "hires_fix": False,
    "hires_fix_denoising_strength": 0.5,
    "karras": True,
    "tiling": False,
    "transparent": False,
}
OF_A_REQUEST = {"n", "max_length", "max_context_length"}
TEXT_PARAMS = {
    "n": 1,
    "max_length": 80,
    "max_context_length": 1024,
    "frmtadsnsp": True,
    "frmtrmblln": True,
    "frmtrmspch": True,
    "frmttriminc": True,
    "rep_pen": 1.1,
    "rep_pen_range": 100,
    "rep_pen_slope": 0.5,
    "singleline": True,
    "temperature": 0.5,
    "tfs": 0.5,
    "top_a": 0.5,
    "top_k": 10,
    "top_p": 0.5,
    "typical": 0.5,
    "sampler_order": [0, 1, 2, 3, 4, 5, 6],
    "use_default_badwordsids": True,
    "stop_sequence": ["."],
    "min_p": 0.1,
    "smoothing_factor": 0.1,
    "dynatemp_range": 0.1,
    "dynatemp_exponent": 1.5,
}
MANAGED = {
    "kudos": 10,
    "concurrency": 40,
    "usage_multiplier": 1.5,
    "worker_invited": 2,
    "public_workers": True,
    "username": "A visitor",
    "monthly_kudos": 100,
    "trusted": True,
    "flagged": False,
    "customizer": True,
    "vpn": True,
    "service": True,
    "education": False,
    "special": True,
    "reset_suspicion": True,
    "contact": "me@example.com",
    "admin_comment": "a kind person",
}
