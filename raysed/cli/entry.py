"""The entry of the command line, and how every command ends.

Exit codes: 0 done, 1 a check failed, 2 wrong input, 3 finished with holes, 130 interrupted. Only the standard
library is imported before the guard stands, so that Ctrl-C ends a program that still loads as quietly as any other.
"""

import os
import sys

EXIT_WRONG_INPUT, EXIT_HOLES, EXIT_INTERRUPTED = 2, 3, 130


def main(*command: str) -> None:
    """`raysed`, or one of its commands as a program of its own (`python -m raysed.tune`).

    An error becomes a message and an exit code; `--debug`, anywhere, prints the traceback before it.
    """
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
        code, lines = _explain(error)
        print("\n".join(lines), file=sys.stderr)
        sys.exit(code)


def _flush() -> None:
    """Write out what is left. If the reader has gone (`| head`), discard it, since Python would complain."""
    try:
        print(end="", flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


_OF_A_PATH = (
    FileNotFoundError | FileExistsError | IsADirectoryError | NotADirectoryError | PermissionError
)


def _explain(error: BaseException) -> tuple[int, list[str]]:
    """Return the exit code of the error that stopped a command, and the message for the user."""
    # Python 3.11 makes a RuntimeError of an interrupt that meets a class in the making.
    if isinstance(error, KeyboardInterrupt) or isinstance(error.__cause__, KeyboardInterrupt):
        return EXIT_INTERRUPTED, ["interrupted"]
    from raysed.config.reader import ConfigError

    if isinstance(error, ValueError | _OF_A_PATH):
        faults = error.faults if isinstance(error, ConfigError) else [_words(error)]
        return EXIT_WRONG_INPUT, [f"error: {fault}" for fault in faults]
    if isinstance(error, OSError | RuntimeError):
        kept = "Data sets and runs keep what is finished: the same command goes on."
        return EXIT_HOLES, [f"stopped: {_words(error)}", kept]
    # Not 1, which scripts read as a check that failed.
    return EXIT_HOLES, [
        f"internal error: {type(error).__name__}: {error}",
        "This is a fault of raysed; with --debug the same command shows where.",
    ]


def _words(error: BaseException) -> str:
    """Return `file: reason` where the operating system refused a file, else the error's own message."""
    if isinstance(error, FileExistsError):
        return f"{error.filename}: a file stands where a folder is to be"
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        # Of a rename, where to is what the user gave.
        return f"{error.filename2 or error.filename}: {error.strerror}"
    return str(error) or type(error).__name__
