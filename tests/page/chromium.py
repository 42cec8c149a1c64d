"""Debian's Chromium without a head, driven over its debugging pipe: no package, no port, no network."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from select import select
from time import monotonic

BINARY = shutil.which("chromium")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--disable-extensions", "--disable-dev-shm-usage", "--mute-audio",
    "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE_S = 120


class Tab:
    """One page: loads, evaluates, and remembers what its console complained about."""

    def __init__(self, send, receive):
        self._send, self._receive = send, receive
        self._number = 0
        self.complaints = []
        self.requests = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Page.bringToFront")  # what is behind draws no frames

    def call(self, method, **params):
        """The result of a command of the DevTools protocol."""
        answer = self._ask(method, **params)
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def _ask(self, method, **params):
        """The answer to a command, an error too; events that come before it are kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if session := getattr(self, "session", None):
            message["sessionId"] = session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._number:
            self._keep(answer)
        return answer

    def _next(self):
        found = self._receive(monotonic() + PATIENCE_S)
        return json.loads(found)

    def _keep(self, event):
        method, params = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description", str(details)))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(params["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.complaints.append(str(params["args"]))
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])

    def open(self, path, *, width=1200, height=900, dark=False):
        """Load a file at a window's size, until its script has run and its charts are drawn."""
        self.resize(width, height)
        scheme = "dark" if dark else "light"
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.run("document.documentElement?.removeAttribute('data-ready')")  # of the page before
        self.call("Page.navigate", url=Path(path).resolve().as_uri())
        self._wait("document.documentElement?.dataset.ready", "yes")
        self.settle()

    def _wait(self, expression, value):
        """Until an expression has this value. While one page takes another's place, asking is an error."""
        deadline = monotonic() + PATIENCE_S
        while True:
            answer = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
            if answer.get("result", {}).get("result", {}).get("value") == value:
                return
            assert monotonic() < deadline, (expression, value, answer, self.complaints)

    def resize(self, width, height=900):
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        # It is told to the page's own process, which may hear our next question before.
        self._wait("innerWidth", width)

    def settle(self):
        """Wait for two frames: resize observers have run, what they drew is laid out."""
        self.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def run(self, expression):
        """The value of a JavaScript expression; a promise is awaited."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key):
        code = {"Tab": 9, "Enter": 13, " ": 32}[key]
        text = {"Enter": "\r", " ": " "}.get(key, "")
        for kind in ("keyDown", "keyUp"):
            extra = {"text": text} if kind == "keyDown" and text else {}
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **extra
            )

    def screenshot(self, path, selector=None):
        """The window, or the whole of one element."""
        clip = {}
        if selector:
            rect = self.run(
                f"(() => {{ const r = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
                " return [r.x + scrollX, r.y + scrollY, r.width, r.height]; })()"
            )
            names = ("x", "y", "width", "height")
            clip = {"clip": dict(zip(names, rect, strict=True)) | {"scale": 1}}
        answer = self.call(
            "Page.captureScreenshot", format="png", captureBeyondViewport=bool(clip), **clip
        )
        Path(path).write_bytes(base64.b64decode(answer["data"]))


@contextmanager
def chromium():
    """A browser of one tab, with a profile of its own that is thrown away."""
    to_browser, ours_out = os.pipe()
    ours_in, from_browser = os.pipe()
    with tempfile.TemporaryDirectory(prefix="raysed-chromium-", ignore_cleanup_errors=True) as home:
        # The pipe is file descriptors 3 and 4 of the browser.
        shell = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
        assert BINARY is not None, "make browser installs one"
        process = subprocess.Popen(
            ["bash", "-c", shell, "bash", BINARY, *FLAGS, f"--user-data-dir={home}"],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"HOME": home, "TMPDIR": home},
        )
        os.close(to_browser)
        os.close(from_browser)
        buffer = bytearray()

        def receive(deadline):
            while b"\0" not in buffer:
                ready, _, _ = select([ours_in], [], [], max(deadline - monotonic(), 0))
                assert ready, "Chromium does not answer"
                part = os.read(ours_in, 1 << 20)
                assert part, f"Chromium ended with {process.wait()}"
                buffer.extend(part)
            message, _, rest = bytes(buffer).partition(b"\0")
            buffer[:] = rest
            return message

        try:
            yield Tab(ours_out, receive)
        finally:
            process.terminate()
            process.wait(PATIENCE_S)
            os.close(ours_out)
            os.close(ours_in)
