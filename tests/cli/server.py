"""Forks processes that run ``vsim``, from one in which it is loaded: what they then do is what a new process does.

To load Python, numpy and the profile takes longer than most of what tests ask for. The server is a process of its own,
so nothing that the tests have loaded, cached or replaced is in it; and each command is a process of its own, with its
folder, its environment, its streams and its exit code. What Python takes from its start, such as the hash seed, all of
them have in common: see :func:`tests.cli.command.vsim`.

A request is a packet with a list in JSON, of the arguments, the environment and the folder, and with the descriptors of
the three streams. The answers are two packets: the number of the process, and its exit code as
``os.waitstatus_to_exitcode`` has it.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from typing import NoReturn

MOST_BYTES = 2**20  # of a request: it has the environment in it
# What commands load when they are called; figures are left to those that draw.
LOADED = ("calibration", "engine", "experiment", "samples", "scenario")


def serve(connection: socket.socket) -> None:
    """Answer requests, one after another, until the other side is gone."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(connection, MOST_BYTES, 3)
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            connection.close()
            arguments, environment, folder = json.loads(message)
            _become(arguments, environment, folder, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        connection.sendall(str(pid).encode())
        _, status = os.waitpid(pid, 0)
        connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def _become(
    arguments: Sequence[str], environment: Mapping[str, str], folder: str, descriptors: Sequence[int]
) -> NoReturn:
    """Be the process that was asked for, and end as an interpreter does."""
    code = 1
    try:
        for stream, descriptor in enumerate(descriptors):
            os.dup2(descriptor, stream)
            os.close(descriptor)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        tempfile.tempdir = None  # where that is depends on the environment
        sys.argv = ["vsim", *arguments]
        # the program is what joblib's workers import, not the server
        program = importlib.import_module("vsim.__main__")
        sys.modules["__main__"] = program
        try:
            program.main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        # An interpreter waits for its threads before it ends; there is no public name for that.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        code = 1
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def load() -> None:
    """Load what commands load, and read what they read of the package."""
    import vsim.api
    import vsim.cli
    from vsim.calibration import builtin

    for name in vsim.cli.COMMANDS:
        importlib.import_module(f"vsim.cli.{name.replace('-', '_')}")
    for name in LOADED:
        package = importlib.import_module(f"vsim.{name}")
        for module in pkgutil.walk_packages(package.__path__, f"vsim.{name}."):
            importlib.import_module(module.name)
    builtin()
    gc.freeze()  # a collection in a forked process would copy all that is loaded


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    load()
    serve(socket.socket(fileno=int(sys.argv[1])))
