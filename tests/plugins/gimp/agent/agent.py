#!/usr/bin/env python3
"""A plug-in for tests: runs what comes in over a socket, inside GIMP.

There are two, each a process of its own, so that one can act while the other waits for a procedure.
"""

import contextlib
import io
import json
import runpy
import socketserver
import sys
import traceback

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from gi.repository import Gegl, Gimp, Gio, GLib, GObject  # noqa: E402 - versions first

NAMES = ("test-agent-first", "test-agent-second")


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        known = dict(self.server.known)
        for line in self.rfile:
            said = json.loads(line)
            output = io.StringIO()
            known |= {"answer": None, **said["given"]}
            try:
                with contextlib.redirect_stdout(output):
                    exec(compile(said["code"], "<test>", "exec"), known)  # noqa: S102 - its purpose
                answer = {"answer": known.get("answer"), "output": output.getvalue()}
            except Exception:  # noqa: BLE001 - whatever the test made go wrong is its to hear
                answer = {"error": traceback.format_exc(), "output": output.getvalue()}
            self.wfile.write(json.dumps(answer, default=str).encode() + b"\n")


class Agent(Gimp.PlugIn):
    def do_set_i18n(self, name):
        return False

    def do_query_procedures(self):
        return list(NAMES)

    def do_create_procedure(self, name):
        procedure = Gimp.Procedure.new(self, name, Gimp.PDBProcType.PERSISTENT, self.run, None)
        procedure.set_documentation("runs what tests send", "", name)
        return procedure

    def run(self, procedure, config, data):
        procedure.persistent_ready()
        path = f"/home/gimp/{procedure.get_name()}.socket"
        with socketserver.UnixStreamServer(path, Handler) as server:
            helpers = runpy.run_path("/home/gimp/helpers.py")
            server.known = helpers | {
                "Gegl": Gegl,
                "Gimp": Gimp,
                "Gio": Gio,
                "GLib": GLib,
                "GObject": GObject,
            }
            server.serve_forever()


Gimp.main(Agent.__gtype__, sys.argv)
