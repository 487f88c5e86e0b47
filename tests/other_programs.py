"""Stand-ins for programs that make pictures and texts, which refuse what the real ones refuse."""

import base64
import io
import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from PIL import Image

KEY = "a-key-of-the-program"
STEP_SECONDS = 0.02


class Program:
    """Use it as a context manager. calls: (path, body) of all. slow: makes something until stopped.

    key: what it wants, if anything. odd: by path, what answers there instead; it is called with the
    handler.
    """

    def __init__(self, handler, *, key=""):
        self.calls, self.stopped, self.key = [], threading.Event(), key
        self.making, self.slow = 0, False
        self.busy = self.down = False
        self.known, self.odd = {}, {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.program = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()

    def bodies(self, path):
        return [body for called, body in self.calls if called == path]


def picture(width, height, seed):
    out = io.BytesIO()
    image = Image.new("RGB", (width, height), (seed % 256, 10, 200))
    image.putpixel((width - 1, height - 1), (0, 0, 0))  # one of one colour would be none
    image.save(out, "PNG")
    return out.getvalue()


class Base(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    @property
    def program(self):
        return self.server.program

    def do_GET(self):
        self._called(None)

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            body = raw
        self._called(body)

    def _called(self, body):
        parts = urlsplit(self.path)
        self.query = parse_qs(parts.query)
        self.program.calls.append((parts.path, body))
        if self.program.down:
            self.close_connection = True
            return self.connection.close()
        if self.program.key and self.headers["Authorization"] != f"Bearer {self.program.key}":
            return self.json(401, {"error": {"message": "wants a key", "code": 401}})
        if parts.path in self.program.odd:
            return self.program.odd[parts.path](self)
        return self.called(parts.path, body)

    def json(self, status, told):
        self.content(status, json.dumps(told).encode(), "application/json")

    def content(self, status, content, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def work(self, steps):
        """Take steps; gives False where it was stopped."""
        self.program.making += 1
        try:
            for _ in range(10_000 if self.program.slow else steps):
                if self.program.stopped.wait(STEP_SECONDS):
                    return False
            return True
        finally:
            self.program.making -= 1


class WebUI(Base):
    """AUTOMATIC1111's web UI with `--api`, newer (with schedulers) or older."""

    MODELS = ("v1-5-pruned-emaonly", "dreamshaper_8")
    SAMPLERS = ("Euler a", "Euler", "DPM++ 2M", "DPM++ 2M Karras", "LMS", "Heun", "DDIM")

    def called(self, path, body):  # noqa: PLR0911 - an answer a path
        if path == "/sdapi/v1/sd-models":
            return self.json(
                200,
                [
                    {"title": f"{one}.safetensors [abc]", "model_name": one, "hash": "abc"}
                    for one in self.MODELS
                ],
            )
        if path == "/sdapi/v1/samplers":
            return self.json(200, [{"name": one, "aliases": []} for one in self.SAMPLERS])
        if path == "/sdapi/v1/schedulers" and not self.program.known.get("older"):
            return self.json(200, [{"name": "karras", "label": "Karras"}])
        if path == "/sdapi/v1/progress":
            return self.json(200, {"progress": 0.5, "state": {"sampling_step": 2}})
        if path == "/sdapi/v1/interrupt":
            self.program.stopped.set()
            return self.json(200, {})
        if path in {"/sdapi/v1/txt2img", "/sdapi/v1/img2img"}:
            return self._make(path.rpartition("/")[2], body)
        return self.json(404, {"detail": "Not Found"})

    def _make(self, kind, body):
        if self.program.known.get("memory"):
            return self.json(
                500, {"error": "OutOfMemoryError", "detail": "", "errors": "CUDA out of memory."}
            )
        if body["sampler_name"] not in self.SAMPLERS:
            return self.json(404, {"detail": "Sampler not found"})
        if kind == "img2img" and not body.get("init_images"):
            return self.json(404, {"detail": "Init image not found"})
        if not 64 <= body["width"] <= 2048 or body["width"] % 8:
            return self.json(422, {"detail": [{"loc": ["body", "width"], "msg": "wrong width"}]})
        self.work(body["steps"])
        hires = "hr_resize_" if body.get("enable_hr") else ""
        size = [body[f"{hires}{side}"] for side in (("x", "y") if hires else ("width", "height"))]
        made = [
            base64.b64encode(picture(*size, body["seed"] + at)).decode()
            for at in range(body["batch_size"])
        ]
        if len(made) > 1:
            made.append(made[0])  # the grid, of whoever has it switched on
        return self.json(200, {"images": made, "parameters": body, "info": "{}"})


class ComfyUI(Base):
    NEEDED: ClassVar = {
        "CheckpointLoaderSimple": {"ckpt_name"},
        "CLIPSetLastLayer": {"clip", "stop_at_clip_layer"},
        "CLIPTextEncode": {"clip", "text"},
        "EmptyLatentImage": {"width", "height", "batch_size"},
        "LoadImage": {"image"},
        "VAEEncode": {"pixels", "vae"},
        "SetLatentNoiseMask": {"samples", "mask"},
        "KSampler": {
            "model", "positive", "negative", "latent_image", "seed", "steps", "cfg",
            "sampler_name", "scheduler", "denoise",
        },
        "VAEDecode": {"samples", "vae"},
        "PreviewImage": {"images"},
    }  # fmt: skip
    MODELS = ("v1-5-pruned-emaonly.safetensors", "xl/sd_xl_base_1.0.safetensors")

    def called(self, path, body):  # noqa: PLR0911 - an answer a path
        done = self.program.known
        if path == "/object_info/CheckpointLoaderSimple":
            required = {"ckpt_name": [list(self.MODELS)]}
            return self.json(200, {"CheckpointLoaderSimple": {"input": {"required": required}}})
        if path == "/upload/image":
            done["uploaded"] = body
            return self.json(200, {"name": "x.png", "subfolder": "", "type": "temp"})
        if path == "/prompt":
            return self._prompt(body)
        if path.startswith("/history/"):
            number = path.rpartition("/")[2]
            found = done.get(number)
            return self.json(200, {number: found} if found else {})
        if path == "/view":
            width, height, seed = map(int, self.query["filename"][0].split("-")[:3])
            return self.content(200, picture(width, height, seed), "image/png")
        if path == "/queue" and body is None:
            running = [[1, number, {}, {}, []] for number in done.get("running", ())]
            return self.json(200, {"queue_running": running, "queue_pending": []})
        if path in {"/queue", "/interrupt"}:
            self.program.stopped.set()
            return self.json(200, {})
        return self.json(404, {})

    def _prompt(self, body):
        nodes = body["prompt"]
        wrong = self._wrong(nodes)
        if wrong:
            return self.json(
                400,
                {"error": {"type": "invalid_prompt", "message": wrong}, "node_errors": {}},
            )
        number = str(uuid.uuid4())
        self.program.known.setdefault("running", []).append(number)
        threading.Thread(target=self._make, args=(number, nodes), daemon=True).start()
        return self.json(200, {"prompt_id": number, "number": 1, "node_errors": {}})

    def _wrong(self, nodes):
        for name, node in nodes.items():
            inputs = node["inputs"]
            if set(inputs) != self.NEEDED.get(node["class_type"]):
                return f"Prompt outputs failed validation: {name}"
            for value in inputs.values():
                if isinstance(value, list) and value[0] not in nodes:
                    return f"{name}: no node {value[0]}"
        if nodes["model"]["inputs"]["ckpt_name"] not in self.MODELS:
            return "Value not in list: ckpt_name"
        return None

    def _make(self, number, nodes):
        try:
            self._made(number, nodes)
        finally:  # what is done is in the history before it leaves the queue
            self.program.known["running"].remove(number)

    def _made(self, number, nodes):
        sampler = nodes["sampled"]["inputs"]
        if self.program.known.get("memory"):
            failed = ["execution_error", {"exception_message": "Allocation on device"}]
            status = {"status_str": "error", "completed": False, "messages": [failed]}
            self.program.known[number] = {"outputs": {}, "status": status}
            return
        if not self.work(sampler["steps"]):
            return
        size = nodes.get("empty", {}).get("inputs", {"width": 64, "height": 64})
        name = f"{size['width']}-{size['height']}-{sampler['seed']}-x.png"
        image = {"filename": name, "subfolder": "", "type": "temp"}
        self.program.known[number] = {
            "outputs": {"picture": {"images": [image]}},
            "status": {"status_str": "success", "completed": True, "messages": []},
        }


class KoboldCpp(Base):
    TEXT = " there was a fox. It lived in a wood.\nThe end"

    def called(self, path, body):  # noqa: PLR0911 - an answer a path
        if path == "/api/v1/model":
            return self.json(200, {"result": "koboldcpp/story-7b"})
        if path == "/api/extra/true_max_context_length":
            return self.json(200, {"value": 8192})
        if path == "/api/extra/generate/check":
            return self.json(200, {"results": [{"text": " there was"}]})
        if path == "/api/extra/abort":
            self.program.stopped.set()
            return self.json(200, {"success": "true"})
        if path == "/api/v1/generate":
            if self.program.busy:
                detail = {"msg": "Server is busy; please try again later.", "type": "busy"}
                return self.json(503, {"detail": detail})
            if body["max_length"] > 4096:
                return self.json(422, {"detail": [{"loc": ["max_length"], "msg": "too long"}]})
            self.work(5)
            return self.json(200, {"results": [{"text": self.TEXT}]})
        return self.json(404, {"detail": "Not Found"})


class OpenAI(Base):
    """strict: knows nothing but what OpenAI has."""

    WORDS = (" there", " was", " a", " fox", ".", "\n", "The", " end")
    PARAMETERS = frozenset(
        {"model", "prompt", "max_tokens", "temperature", "top_p", "seed", "stream", "stop"}
    )

    def called(self, path, body):
        if path == "/v1/models":
            one = {"id": "org/story-7b", "object": "model", "max_model_len": 4096}
            return self.json(200, {"object": "list", "data": [one]})
        if path != "/v1/completions":
            return self.json(404, {"error": {"message": "Not Found"}})
        if body["model"] != "org/story-7b":
            return self.json(404, {"error": {"message": "The model does not exist"}})
        if len(body.get("stop", ())) > 4:
            return self.json(400, {"error": {"message": "stop: at most 4"}})
        if self.program.known.get("strict") and set(body) - self.PARAMETERS:
            return self.json(400, {"error": {"message": "Unrecognized request argument: top_k"}})
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for word in self.WORDS * (1000 if self.program.slow else 1):
                self._say(json.dumps({"choices": [{"index": 0, "text": word}]}))
                if self.program.slow:
                    time.sleep(STEP_SECONDS)  # it writes slowly, to be stopped at it
            self._say("[DONE]")
        except OSError:
            self.program.stopped.set()
        return None

    def _say(self, data):
        self.wfile.write(f"data: {data}\n\n".encode())
        self.wfile.flush()
