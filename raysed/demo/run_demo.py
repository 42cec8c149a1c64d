"""The work of `raysed demo`: the whole path on built-in sounds, without any download.

It shows the machinery and that it learns; a few hundred steps of a small model do not show the paper's
effects.
"""

import os
from pathlib import Path

from raysed.config.space import read_space
from raysed.data.build.mel_backend import is_installed
from raysed.demo.closing import closing_lines
from raysed.demo.procedural import write_demo_tree
from raysed.exit_codes import CHECK_FAILED, DONE
from raysed.page.page import write_page
from raysed.pulse import Pulse
from raysed.report.report import write_report
from raysed.storage.folder import Folder
from raysed.tune.preparation import place_faults
from raysed.tune.run_space import run_space, say_to_stderr

DEMO_SPACE = Path("tune_spaces/demo.yaml")
"""Path of the space, relative to the working directory, like the roots and folders inside it."""


def run_demo(run: str | None) -> int:
    """Write the sounds, build the data sets, train the grid, print the tables; return the exit code.

    The code is 0: done and something was learnt; 1: done, but the check of learning failed; 3: failed trials.
    """
    if not DEMO_SPACE.is_file():
        raise ValueError(f"{DEMO_SPACE} is not here: run the demo from raysed's own folder")
    if not is_installed("dali"):
        os.environ.setdefault("RAYSED_MEL", "torchaudio")  # data_jobs/demo.yaml asks for DALI
    tree = Path(os.environ.get("RAYSED_DEMO", "data/demo_tree"))  # as data_jobs/demo.yaml has it
    resolved = read_space(DEMO_SPACE)
    folder = Folder(run or resolved.space.run)
    if faults := place_faults(folder):
        raise ValueError("; ".join(faults))
    say_to_stderr(f"built-in sound bank and recordings: {tree} (made once)")
    with Pulse(say_to_stderr) as pulse:
        pulse.now("making sounds")
        write_demo_tree(tree)
    code = run_space(resolved, DEMO_SPACE, folder, address=None, say=say_to_stderr)
    with Pulse(say_to_stderr) as pulse:
        pulse.now("drawing clips for the intervals of the tables")
        report = write_report(folder)
        print("\n".join(report.lines), flush=True)
        pulse.now("drawing the page and its figures")
        for line in write_page(report):
            pulse(line)
    print("\n".join(closing_lines(report)))
    return code or (DONE if report.learnt else CHECK_FAILED)
