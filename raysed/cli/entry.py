"""The entry of the command line, and how every command ends.

What an exit code means stands in raysed/exit_codes.py. Only the standard library is imported before the guard
stands, so that Ctrl-C ends a program that still loads as quietly as any other.
"""

import os
import sys

from raysed.exit_codes import INTERRUPTED, OUR_FAULT, StoppedError, ending


def main(*command: str) -> None:
    """`raysed`, or one of its commands as a program of its own (`python -m raysed.tune`).

    An error becomes a message and an exit code; `--debug`, anywhere, prints the traceback before it.
    """
    # Ray reads this when it is imported. A blocked call looks for signals each second by itself, and where the signal also
    # ends Ray's processes, its core may end this one with 1 before our handler has run.
    os.environ.setdefault("RAY_get_check_signal_interval_milliseconds", "50")
    arguments = [*command, *(argument for argument in sys.argv[1:] if argument != "--debug")]
    try:
        from raysed.cli.commands import app

        try:
            app(args=arguments, prog_name="raysed")
        finally:
            _flush()
    # The edge of the program: nothing above could handle it. typer ends an interrupted command by itself.
    except (Exception, KeyboardInterrupt) as error:
        if "--debug" in sys.argv:
            import traceback

            traceback.print_exc()
        code, lines = _explain(error, next((a for a in arguments if a[:1] != "-"), ""))
        print("\n".join(lines), file=sys.stderr)
        sys.exit(code)


def _flush() -> None:
    """Write out what is left. If the reader has gone (`| head`), discard it, since Python would complain."""
    try:
        print(end="", flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explain(error: BaseException, command: str = "") -> tuple[int, list[str]]:
    """Return the exit code of the error that stopped a command, and the lines for the user."""
    end = ending(error)
    if end.code == INTERRUPTED:
        return end.code, [end.head]
    from raysed.config.fault import ConfigError

    words = error.faults if isinstance(error, ConfigError) else [_words(error)]
    if end is OUR_FAULT and not isinstance(error, StoppedError):
        words = [f"{type(error).__name__}: {error}"]
    advice = _missing_extra(error, command) or end.advice
    return end.code, [f"{end.head}: {line}" for line in words] + ([advice] if advice else [])


def _missing_extra(error: BaseException, command: str) -> str | None:
    """Return which extra to install where a package of one is not there, also in a worker."""
    cause = error.cause if isinstance(error, StoppedError) else error
    if not isinstance(cause, ModuleNotFoundError) or not cause.name:
        return None
    from raysed.extras import advice

    return advice(cause.name, command)


def _words(error: BaseException) -> str:
    """Return `file: reason` where the operating system refused a file, else the error's own message."""
    if isinstance(error, FileExistsError):
        return f"{error.filename}: a file stands where a folder is to be"
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        # Of a rename, the target is the name that the user gave.
        return f"{error.filename2 or error.filename}: {error.strerror}"
    return str(error) or type(error).__name__
