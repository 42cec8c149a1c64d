"""How every command ends: exit codes and messages, as a script sees them."""

import os
import subprocess
import sys

import pytest

from raysed.cli import commands
from raysed.cli import entry as cli
from raysed.config.fault import ConfigError
from raysed.exit_codes import StoppedError
from tests.paths import ROOT

ERRORS = [
    (ValueError("fs 8000"), 2, "error: fs 8000\n"),
    (ConfigError(["a.yaml:1: x", "a.yaml:2: y"]), 2, "error: a.yaml:1: x\nerror: a.yaml:2: y\n"),
    (IsADirectoryError(21, "Is a directory", "d.tsv"), 2, "error: d.tsv: Is a directory\n"),
    (
        FileExistsError(17, "File exists", "r"),
        2,
        "error: r: a file stands where a folder is to be\n",
    ),
    (IsADirectoryError(21, "Is a directory", ".m.x1", None, "m"), 2, "error: m: Is a directory\n"),
    (PermissionError(13, "Permission denied", "d.tsv"), 2, "error: d.tsv: Permission denied\n"),
    (OSError(28, "No space left on device"), 3, "stopped: [Errno 28] No space left on device\n"),
    (MemoryError(), 3, "stopped: memory ran out: MemoryError\nLet fewer processes work at once"),
    (
        StoppedError("s: [Errno 28] full", OSError(28, "full")),
        3,
        "stopped: s: [Errno 28] full\nMake room",
    ),
    (StoppedError("s: KeyError: 'x'", KeyError("x")), 3, "internal error: s: KeyError: 'x'\n"),
    (StoppedError("s: denied", PermissionError(13, "denied")), 2, "error: s: denied\n"),
    (ImportError("No module named 'x'"), 2, "error: No module named 'x'\nA package is missing"),
    (RuntimeError("Ray stopped"), 3, "stopped: Ray stopped\n"),
    (RuntimeError(), 3, "stopped: RuntimeError\n"),
    (KeyError("snr"), 3, "internal error: KeyError: 'snr'\n"),
    (AssertionError("shape"), 3, "internal error: AssertionError: shape\n"),
]


@pytest.mark.parametrize(("error", "code", "message"), ERRORS, ids=lambda value: repr(value)[:30])
def test_errors_are_messages_and_tracebacks_only_when_asked_for(
    monkeypatch, main, error, code, message
):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(commands, "_report", fail)
    found, out, err = main("report", "runs/x")
    assert (found, out) == (code, "")
    assert err.startswith(message) and "Traceback" not in err
    for asked in (("--debug", "report", "runs/x"), ("report", "runs/x", "--debug")):
        found, out, err = main(*asked)
        assert (found, out) == (code, "")
        assert err.startswith("Traceback (most recent call last)") and message in err
        assert ", in fail\n" in err


def test_a_program_of_one_command_takes_debug_too(main):
    for debug in ((), ("--debug",)):
        code, out, err = main(*debug, "absent.yaml", program=lambda: cli.main("tune"))
        assert (code, out) == (2, "")
        assert err.endswith("error: absent.yaml: no such file\n")
        assert ("Traceback" in err) == bool(debug)


@pytest.mark.parametrize("debug", [(), ("--debug",)])
def test_an_interrupt_is_130(monkeypatch, main, debug):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "_report", interrupt)
    assert main(*debug, "report", "runs/x")[0] == 130
    monkeypatch.setattr(commands, "_print_plan", interrupt)
    one = main(*debug, "x.yaml", "--plan", program=lambda: cli.main("tune"))
    assert one[0] == 130


@pytest.mark.parametrize("wrapped", [False, True])
def test_an_interrupt_while_the_commands_load_is_quiet(monkeypatch, main, wrapped):
    class Loading:
        @property
        def app(self):
            if wrapped:  # as Python 3.11 does within a class body
                raise RuntimeError("Error calling __set_name__") from KeyboardInterrupt()
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "raysed.cli.commands", Loading())
    assert main("schema") == (130, "", "interrupted\n")


def test_nothing_that_takes_time_is_loaded_before_the_guard_stands():
    code = "import sys, raysed.cli.entry, raysed.data.__main__, raysed.tune.__main__; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {"typer", "rich", "yaml", "pydantic", "numpy"} & set(loaded.stdout.split())


def test_help_loads_no_more_than_it_prints():
    """Everyone waits for it, and every test that starts a command in a process of its own."""
    code = "import sys; from raysed.cli.commands import app; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    modules = set(loaded.stdout.split())
    assert "typer" in modules
    slow = {
        "numba",
        "numpy",
        "pandas",
        "pydantic",
        "pyarrow",
        "ray",
        "rich.console",
        "scipy",
        "torch",
        "yaml",
    }
    assert not slow & modules


def test_a_reader_that_leaves_early_is_no_error():
    # The longest output fails while it is printed, the shortest at the end.
    for arguments in (("schema", "--markdown"), ("schema", "job", "--markdown")):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "w") as out:
            left = subprocess.run(
                [sys.executable, "-m", "raysed.cli", *arguments],
                cwd=ROOT, stdout=out, stderr=subprocess.PIPE, text=True, check=False, timeout=120,
            )  # fmt: skip
        assert left.stderr == "" and left.returncode in (0, 1)


def test_a_wrong_command_or_option_is_2(main):
    for arguments, said in ((["scroe"], "score"), (["--nosuch"], "nosuch"), (["schema", "x"], "x")):
        code, out, err = main(*arguments)
        assert (code, out) == (2, "") and said in err
