"""Python reads this at its start, where its folder is on the path: what Ray starts as a worker has the server of
`tests/warm_workers.py` fork one instead, and ends with it.
"""

import json
import os
import socket
import sys
from contextlib import suppress

SERVER = "RAYSED_TEST_WARM_WORKERS"
_LOOK_S = 0.5
_WORKER = "/ray/_private/workers/default_worker.py"


def _ask(worker: list[str], more: dict[str, str]) -> None:
    request = {
        "arguments": worker,
        "environment": {**os.environ, **more},
        "folder": os.getcwd(),  # noqa: PTH109  pathlib is slow to import
        "niceness": os.getpriority(os.PRIO_PROCESS, 0),
        "path": sys.path,
    }
    content, parent = json.dumps(request).encode(), os.getppid()
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(os.environ[SERVER])
        socket.send_fds(server, [len(content).to_bytes(8, "big")], [0, 1, 2])
        server.sendall(content)
        # Nothing comes but the worker's end; and it ends with this process, as this one does with Ray's.
        server.settimeout(_LOOK_S)
        while os.getppid() == parent:
            with suppress(TimeoutError):
                server.recv(1)
                break
    os._exit(0)


def _plain(context: dict) -> bool:
    """Tell whether a worker has no environment of its own but variables that decide nothing when modules are imported."""
    others = {**context, "env_vars": None, "py_executable": None}
    names = context.get("env_vars") or {}
    return (
        not any(others.values())
        and context.get("py_executable") in (None, sys.executable)
        and not any(name.startswith(("PYTHON", "LD_", "CUDA")) for name in names)
    )


def _main() -> None:
    # Ray starts a worker by its file, or by another one that sets its environment up and is given it.
    words = sys.orig_argv[1:]
    worker = next((n for n, word in enumerate(words) if word.endswith(_WORKER)), None)
    if not os.environ.get(SERVER) or worker is None:
        return
    own, given = [], {}
    for word in words[worker:]:
        name, _, value = word.partition("=")
        if name in ("--language", "--serialized-runtime-env-context"):
            given[name] = value
        else:
            own.append(word)
    context = json.loads(given.get("--serialized-runtime-env-context") or "{}")
    if _plain(context):
        _ask(own, context.get("env_vars") or {})


_main()
