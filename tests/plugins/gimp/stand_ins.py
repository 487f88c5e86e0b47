"""Workers that stand for those whose models cannot be had here; to the server they are real ones.

One gives source pictures back as they came, which no model does; the other takes away backgrounds
and says what is to be seen.
"""

import base64
import contextlib
import io
import threading

import httpx
from PIL import Image, ImageDraw

AGENT = "AI Horde Worker reGen:13:https://example.org"
WAIT_SECONDS = 1
ECHOED = "stable_diffusion"
CAPTION = "a red ball on a table"
TAGS = {"objects": [{"text": "ball", "confidence": 0.4}, {"text": "table", "confidence": 0.9}]}


class Worker:
    """Pops and submits in a thread until it is left. jobs: those that it served."""

    def __init__(self, url, key, name):
        self._http = httpx.Client(base_url=f"{url}/api/v2", headers={"apikey": key}, timeout=60)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._name = name
        self.jobs = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._thread.join(60)
        self._http.close()

    def _run(self):
        while not self._stopped.is_set():
            with contextlib.suppress(httpx.HTTPError):
                self.serve()

    def call(self, path, **body):
        return self._http.post(path, json=body).raise_for_status().json()

    def read(self, picture):
        if picture.startswith("http"):
            return Image.open(io.BytesIO(httpx.get(picture).raise_for_status().content))
        return Image.open(io.BytesIO(base64.b64decode(picture)))

    def upload(self, url, image):
        out = io.BytesIO()
        image.save(out, "WEBP", lossless=True, exact=True)
        httpx.put(url, content=out.getvalue()).raise_for_status()


class Echo(Worker):
    """Gives source pictures back; `state` is what it says of them."""

    state = "ok"
    slow = False

    def serve(self):
        job = self.call(
            "/generate/pop",
            name=self._name,
            models=[ECHOED],
            max_pixels=4 * 1024 * 1024,
            bridge_agent=AGENT,
            allow_img2img=True,
            allow_painting=True,
            nsfw=True,
            wait=WAIT_SECONDS,
        )
        if not job.get("id"):
            return
        self.jobs.append(job)
        if self.state == "faulted":
            self.call(
                "/generate/submit", id=job["id"], generation="faulted", seed=0, state="faulted"
            )
            return
        payload = job["payload"]
        image = Image.new("RGB", (payload["width"], payload["height"]), "grey")
        if job.get("source_image"):
            image = self.read(job["source_image"])
        self.upload(job["r2_upload"], image)
        metadata = [{"type": "censorship", "value": "nsfw"}] if self.state == "censored" else []
        self.call("/generate/submit", id=job["id"], generation="R2", seed=1, gen_metadata=metadata)


class Describer(Worker):
    """Shows an ellipse of pictures, and says the same of all."""

    def serve(self):
        popped = self.call(
            "/interrogate/pop",
            name=self._name,
            forms=["strip_background", "caption", "interrogation"],
            bridge_agent=AGENT,
            wait=WAIT_SECONDS,
        )
        for form in popped.get("forms") or []:
            self.jobs.append(form)
            result = {
                "caption": {"caption": CAPTION},
                "interrogation": {"interrogation": TAGS},
                "strip_background": {"strip_background": "R2"},
            }[form["form"]]
            if form["form"] == "strip_background":
                image = self.read(form["source_image"]).convert("RGB")
                image.putalpha(ellipse(image.size))
                self.upload(form["r2_upload"], image)
            self.call("/interrogate/submit", id=form["id"], result=result)


def ellipse(size):
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).ellipse(
        (size[0] // 4, size[1] // 4, 3 * size[0] // 4, 3 * size[1] // 4), 255
    )
    return mask
