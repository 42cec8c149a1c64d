"""The stored run at another place, as a user finds a run that was copied from the machine that made it."""

import shutil
from pathlib import Path

from tests.old_run.sounds import write_sounds

HERE = Path(__file__).parent
MADE_AT = "/tmp/old_run"
"""Where the code of then ran; `plan.json` holds it."""
DONE = "d636d700-seed0"
"""The trial of the paused run that was done."""


def copy_old_run(root: Path) -> Path:
    """Copies data sets, spaces and runs to `root` and writes the sounds there; returns `root`."""
    ignored = shutil.ignore_patterns("*.py", "__pycache__", "README.md", "ids.json")
    shutil.copytree(HERE, root, ignore=ignored, dirs_exist_ok=True)
    write_sounds(root / "sounds")
    for plan in root.glob("runs/*/plan.json"):
        plan.write_text(plan.read_text().replace(MADE_AT, str(root)))
    # Bit by bit the same in both runs, and so stored once.
    shutil.copytree(root / "runs/finished/trials" / DONE, root / "runs/paused/trials" / DONE)
    return root
