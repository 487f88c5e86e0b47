"""A horde of one thread a connection that says what a test wants and keeps what it is told.

It speaks the worker's part of the wire on a real socket, for pictures, text and forms: pop (with
`wait`), source pictures, uploads and submit.
"""

import json
import threading
import time
import uuid
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import get_args

from core.wire.image import PostProcessor

KEY = "stub-key-of-22-letters"
NOTHING = {"id": None, "ids": [], "payload": {}, "skipped": {}}
QUEUES = {
    "/api/v2/generate/pop": ("jobs", NOTHING),
    "/api/v2/generate/text/pop": ("texts", NOTHING),
    "/api/v2/interrogate/pop": ("forms", {"forms": None, "skipped": {}}),
}
SUBMITS = {
    "/api/v2/generate/submit",
    "/api/v2/generate/text/submit",
    "/api/v2/interrogate/submit",
}


class StubHorde:
    """Use it as a context manager.

    jobs, texts, forms: what waits for a pop of its kind.
    pops, submits: the bodies that came in, in order.
    uploads: what was uploaded, by job id.
    pictures: what can be downloaded, by name.
    users: keys that `find_user` says it does not know; of others it knows nothing at all.
    redirects: where downloads are sent on to, by name.
    progress: what was told while it was made; progress_answer: None: this horde does not listen.
    pop_errors, submit_errors: answers (status, body) for the next calls instead of the usual ones.
    """

    def __init__(self):
        self.changed = threading.Condition()
        self.jobs, self.texts, self.forms = deque(), deque(), deque()
        self.pops, self.submits, self.uploads, self.pictures = [], [], {}, {}
        self.pop_errors, self.submit_errors = deque(), deque()
        self.upload_status = 200
        self.redirects, self.users = {}, {}
        self.progress, self.progress_answer = [], None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.horde = self
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def add(self, *, n=1, model="tiny", uploads=True, payload=None, **answer):
        """Let jobs wait for a pop; gives their ids."""
        ids = [str(uuid.uuid4()) for _ in range(n)]
        asked = {"prompt": "a red fox", "seed": "7", "width": 128, "height": 128, "ddim_steps": 3}
        with self.changed:
            self.jobs.append(
                {
                    "id": ids[0],
                    "ids": ids,
                    "model": model,
                    "ttl": 150,
                    "r2_uploads": [f"{self.url}/pictures/{one}?s=1" for one in ids]
                    if uploads
                    else None,
                    "payload": {**asked, "n_iter": n, **(payload or {})},
                    "skipped": {},
                    **answer,
                }
            )
            self.changed.notify_all()
        return ids

    def add_text(self, prompt="Once upon a time", *, model="story", payload=None, **answer):
        """Let a text wait for a pop; gives its id."""
        job = str(uuid.uuid4())
        asked = {"prompt": prompt, "n": 1, "max_length": 16, "max_context_length": 2048}
        with self.changed:
            self.texts.append(
                {
                    "id": job,
                    "ids": [job],
                    "model": model,
                    "softprompt": None,
                    "ttl": 150,
                    "payload": {**asked, **(payload or {})},
                    "skipped": {},
                    **answer,
                }
            )
            self.changed.notify_all()
        return job

    def add_form(self, form, picture):
        """Let a form of a picture (bytes) wait for a pop; gives its id."""
        job = str(uuid.uuid4())
        self.pictures[f"source-{job}"] = picture
        waiting = {"id": job, "form": form, "source_image": f"{self.url}/pictures/source-{job}"}
        if form in get_args(PostProcessor):
            waiting["r2_upload"] = f"{self.url}/pictures/{job}?s=1"
        with self.changed:
            self.forms.append({"forms": [waiting], "skipped": {}})
            self.changed.notify_all()
        return job

    def until(self, happened, seconds=60):
        """Block until something has happened; False where it has not."""
        with self.changed:
            return self.changed.wait_for(happened, seconds)

    def submitted(self, job):
        """The first body with which a job was submitted."""
        return next((body for body in self.submits if body["id"] == job), None)

    def next_job(self, queue, wait):
        """The next job of a queue, when there is one; None where there is none in time."""
        end = time.monotonic() + wait
        with self.changed:
            while not queue:
                left = end - time.monotonic()
                if left <= 0 or not self.changed.wait(left):
                    return None
            job = queue.popleft()
            self.changed.notify_all()
            return job


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self._body())
        if self.headers["apikey"] != KEY:
            self._json(401, {"message": "No user matching sent API Key.", "rc": "InvalidAPIKey"})
        elif self.path in QUEUES:
            self._pop(body, *QUEUES[self.path])
        elif self.path in SUBMITS:
            self._submit(body)
        elif self.path == "/api/v2/generate/progress":
            self._progress(body)
        else:
            self._json(404, {"message": "The requested URL was not found on the server."})

    def _progress(self, body):
        with self.server.horde.changed:
            self.server.horde.progress.append(body)
            answer = self.server.horde.progress_answer
            self.server.horde.changed.notify_all()
        self._json(*((404, {"message": "not found"}) if answer is None else (200, answer)))

    def _pop(self, body, queue, nothing):
        with self.server.horde.changed:
            self.server.horde.pops.append(body)
            error = self.server.horde.pop_errors.popleft() if self.server.horde.pop_errors else None
            self.server.horde.changed.notify_all()
        if error is not None:
            return self._json(*error)
        waiting = getattr(self.server.horde, queue)
        job = self.server.horde.next_job(waiting, body.get("wait", 0))
        return self._json(200, job or nothing)

    def _submit(self, body):
        with self.server.horde.changed:
            error = (
                self.server.horde.submit_errors.popleft()
                if self.server.horde.submit_errors
                else None
            )
            self.server.horde.submits.append(body)
            self.server.horde.changed.notify_all()
        reward = 0.0 if body["state"] == "faulted" else 10.0
        return self._json(*(error or (200, {"reward": reward})))

    def do_PUT(self):
        body = self._body()
        with self.server.horde.changed:
            self.server.horde.uploads[self.path.partition("?")[0].rpartition("/")[2]] = body
            self.server.horde.changed.notify_all()
        self._answer(self.server.horde.upload_status, b"")

    def do_GET(self):
        if self.path == "/api/v2/find_user" and self.headers["apikey"] in self.server.horde.users:
            self._json(404, {"message": "No user matching sent API Key.", "rc": "UserNotFound"})
            return
        onward = self.server.horde.redirects.get(self.path.rpartition("/")[2])
        if onward is not None:
            self.send_response(302)
            self.send_header("Location", onward)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        picture = self.server.horde.pictures.get(self.path.rpartition("/")[2])
        self._answer(404 if picture is None else 200, picture or b"")

    def _body(self):
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _json(self, status, body):
        self._answer(status, json.dumps(body).encode())

    def _answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
