"""Makes what lies in this folder, with the raysed that python finds: run in an empty folder, see README.md.

Everything goes through the command line, so that the code that is imported decides all.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from sounds import write_sounds  # type: ignore[missing-import]

TUNE = [sys.executable, "-m", "raysed.tune"]
SECOND = 2
"""The run is killed when its second trial has so many epochs."""


def main() -> None:
    """The sounds, a finished run, a killed one, and the killed one gone on to its end."""
    write_sounds(Path("sounds"))
    os.environ |= {"OMP_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0", "RAYSED_CACHE": "cache"}
    subprocess.run([*TUNE, "finished.yaml"], check=True)
    kill_in_mid_training()
    shutil.copytree("runs/paused", "runs/killed")
    subprocess.run([*TUNE, "paused.yaml"], check=True)
    Path("runs/paused").rename("runs/went_on")
    Path("runs/killed").rename("runs/paused")
    apply()


def kill_in_mid_training() -> None:
    """On a Ray of one CPU, so that trials come one after the other."""
    ray = [str(Path(sys.executable).with_name("ray"))]
    head = [*ray, "start", "--head", "--num-cpus=1", "--port=6390", "--include-dashboard=false"]
    subprocess.run([*head, "--node-ip-address=127.0.0.1"], check=True)
    try:
        process = subprocess.Popen([*TUNE, "paused.yaml", "--address", "127.0.0.1:6390"])
        while epochs() < SECOND:
            assert process.poll() is None, "it ended before it was killed"
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
    finally:
        subprocess.run([*ray, "stop", "--force"], check=True, stdout=subprocess.DEVNULL)
    assert len(list(Path("runs/paused").glob("trials/*/result.json"))) == 1


def apply() -> None:
    """Predict with a model of the finished run, and tune its post-processing."""
    trial = sorted(Path("runs/finished/trials").iterdir())[1]
    shutil.copytree(trial, "trial")
    sets = [str(next(Path("data").glob(f"{name}-*"))) for name in ("dry", "validation")]
    audio = "sounds/dataset/audio/validation/validation"
    to_say = {
        "predicted.tsv": ["predict", "trial/checkpoints/best-dry.pt", audio],
        "postprocessed.json": [
            "postprocess",
            "trial",
            "--xvalid",
            sets[0],
            "--evaluate",
            sets[1],
            "--json",
        ],
    }
    for name, arguments in to_say.items():
        command = [sys.executable, "-m", "raysed.cli", *arguments]
        said = subprocess.run(command, check=True, capture_output=True)
        Path(name).write_bytes(said.stdout)


def epochs() -> int:
    """Of the trial that is not done, once the other is."""
    trials = list(Path("runs/paused").glob("trials/*"))
    done = [trial for trial in trials if (trial / "result.json").exists()]
    if not done:
        return 0
    begun = [trial / "progress.jsonl" for trial in trials if trial not in done]
    return sum(len(path.read_text().splitlines()) for path in begun if path.exists())


if __name__ == "__main__":
    main()
