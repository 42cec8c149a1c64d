"""`python -m benchmarks.bad_inputs`: bad inputs by kind, and how many of them are refused or skipped by name.

Every input is given to the command's own function, in this process. It counts as named where the command ends with
2 (refused) or 3 (holes; of the doctor, a problem) and its message holds the file's name; good files beside it must be
used. A minute on one core. Exit code 1 where one is not named.
"""

import contextlib
import io
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.bad_audio import GOOD, READ_BY_DATA, write_broken, write_cut, write_no_files
from benchmarks.bad_tables import (
    GOOD_EVENTS,
    certificates,
    clip_lists,
    event_tables,
    group_tables,
    settings_files,
    weak_tables,
)
from raysed.config.data_job import Features, RecordedSet
from raysed.data.features.store import open_dataset
from raysed.data.recorded.desed import list_recorded
from raysed.data.recorded.reading import read_recorded
from raysed.doctor.examine import examine
from raysed.evaluation.score.certificate import check_certificate
from raysed.evaluation.score.request import ScoreRequest
from raysed.evaluation.score.score import score
from raysed.exit_codes import HOLES, REFUSED, ending
from raysed.predict.prediction_run import PredictRequest, run
from tests.data.small_sets import write_set
from tests.predict.small import checkpoint

WEAK = RecordedSet(kind="recorded", subset="weak")


@dataclass
class Kind:
    """The inputs of one kind that one command was given."""

    command: str
    name: str
    tried: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)

    def note(self, name: str, code: int, message: str) -> None:
        """Count an input by what the command said of it."""
        self.tried.append(name)
        if code not in (REFUSED, HOLES) or name not in message:
            self.unnamed.append(name)

    def ask(self, name: str, work: Callable[[], object]) -> None:
        """Count an input that the command refuses as a whole."""
        try:
            work()
        except Exception as error:  # as the edge of the program does
            self.note(name, ending(error).code, str(error))
        else:
            self.note(name, 0, "")


def predicted(kind: Kind, best: Path, folder: Path, names: list[str]) -> None:
    """Predict a folder: all of `names` are skipped by name, the good recording is not."""
    out = folder.parent / f"{folder.name}.json"
    said: list[str] = []
    request = PredictRequest(str(best), (str(folder),), out=str(out), form="json")
    code = run(request, said.append)
    done = [each["filename"] for each in json.loads(out.read_text())["files"]]
    skipped = "\n".join(line for line in said if line.startswith("skipped: "))
    for name in names:
        kind.note(name, 0 if name in done else code, skipped)
    assert (GOOD in done) == (folder / GOOD).exists(), "a good recording was lost"


def of_predict(place: Path) -> list[Kind]:
    """Recordings, arguments, checkpoints and settings that `raysed predict` is given."""
    best = Path(checkpoint(place))
    cut, broken = Kind("predict", "cut recordings"), Kind("predict", "broken recordings")
    predicted(cut, best, place / "cut", write_cut(place / "cut"))
    predicted(broken, best, place / "broken", write_broken(place / "broken"))
    arguments = Kind("predict", "arguments that are no files")

    def with_audio(audio: str, **options: Any) -> Callable[[], object]:
        return lambda: run(PredictRequest(str(best), (audio,), **options), lambda line: None)

    for name, argument in write_no_files(place / "none").items():
        arguments.ask(name, with_audio(argument))
    good = str(place / "broken" / GOOD)
    settings = Kind("predict", "post-processing files")
    for name, content in settings_files().items():
        (place / name).write_bytes(content)
        settings.ask(name, with_audio(good, postprocessing=str(place / name)))
    checkpoints, whole = Kind("predict", "checkpoints"), best.read_bytes()
    contents = {f"cut{percent}.pt": whole[: len(whole) * percent // 100] for percent in (1, 50, 99)}
    contents |= {"empty.pt": b"", "text.pt": b"no checkpoint", "zip.pt": b"PK\x05\x06" + bytes(18)}
    for name, content in contents.items():
        (place / name).write_bytes(content)
        request = PredictRequest(str(place / name), (good,))
        checkpoints.ask(name, lambda request=request: run(request, lambda line: None))
    return [cut, broken, arguments, settings, checkpoints]


def write_subset(root: Path, names: list[str]) -> Path:
    """Write the annotations of a subset whose audio lies in its folder."""
    tsv = root / "metadata/train/weak.tsv"
    tsv.parent.mkdir(parents=True, exist_ok=True)
    rows = "".join(f"{name}\tDog\n" for name in (GOOD, *names))
    tsv.write_text(f"filename\tevent_labels\n{rows}")
    return tsv


def of_data(place: Path) -> list[Kind]:
    """Clips and annotations that `raysed data` and `raysed doctor` are given."""
    root, kinds = place / "dataset", []
    audio = root / "audio/train/weak"
    groups = {"cut clips": write_cut(audio, READ_BY_DATA), "broken clips": write_broken(audio)}
    tsv = write_subset(root, [name for names in groups.values() for name in names])
    entries = {entry.filename: entry for entry in list_recorded(root, WEAK).entries}
    read_recorded(root, entries[GOOD], Features())
    found = examine(root)
    # On the screen five of a kind; in --json all.
    problems = "\n".join((*found.problems, *found.subsets[0].audio.unreadable))
    for kind, names in groups.items():
        data, doctor = Kind("data", kind), Kind("doctor", kind)
        for name in names:
            data.ask(name, lambda name=name: read_recorded(root, entries[name], Features()))
        doctor_names = [
            name for name in names if name not in ("nan.wav", "infinite.wav", "onesample.wav")
        ]
        for name in doctor_names:  # it decodes nothing
            doctor.note(name, HOLES, problems)
        kinds += [data, doctor]
    tables = Kind("data", "annotations"), Kind("doctor", "annotations")
    for name, content in weak_tables().items():
        tsv.write_bytes(content)
        named = Path(tsv.name)
        tables[0].ask(str(named), lambda: list_recorded(root, WEAK, ("Cat", "Dog")))
        if name != "foreign":  # without a job any class is one
            tables[1].note(str(named), HOLES, "\n".join(examine(root).problems))
    return [*kinds, *tables]


def of_score(place: Path) -> list[Kind]:
    """Tables that `raysed score` is given."""
    good = place / "good.tsv"
    good.write_bytes(GOOD_EVENTS)
    truths, systems = Kind("score", "ground truths"), Kind("score", "predictions")
    for name, content in event_tables().items():
        path = place / f"{name}.tsv"
        path.write_bytes(content)
        truths.ask(path.name, lambda path=path: score(ScoreRequest(good, path, draws=10)))
        if name != "soft":  # of predictions the column says how sure they are
            systems.ask(path.name, lambda path=path: score(ScoreRequest(path, good, draws=10)))
    return [truths, systems, *_of_score_lists(place, good)]


def _of_score_lists(place: Path, good: Path) -> list[Kind]:
    """Lists of clips, sources and certificates that `raysed score` is given."""
    tables = {"clips": clip_lists(), "groups": group_tables()}
    kinds = [Kind("score", f"--{option}") for option in tables]
    for kind, (option, contents) in zip(kinds, tables.items(), strict=True):
        for name, content in contents.items():
            path = place / f"{option}-{name}.tsv"
            path.write_bytes(content)
            given: dict[str, Any] = {option: path}
            kind.ask(
                path.name, lambda given=given: score(ScoreRequest(good, good, draws=10, **given))
            )
    checks = Kind("score", "--check")
    for name, content in certificates().items():
        path = place / f"{name}.json"
        path.write_bytes(content)
        checks.ask(path.name, lambda path=path: check_certificate(path))
    return [*kinds, checks]


def of_data_sets(place: Path) -> list[Kind]:
    """Manifests and shards that training is given."""
    kind = Kind("tune, postprocess", "stored data sets")
    manifest = Path(write_set(place / "set"), "manifest.json")
    whole = json.loads(manifest.read_text())
    changes = [{key: name} for key in ("id", "name") for name in ("../x", "/x", "", "a\n")]
    changes += [{"shards": [{**whole["shards"][0], "name": name}]} for name in ("../x", "/x", "..")]
    changes += [{"complete": "yes"}, {"format": 99}, {"surplus": 1}, {"shards": None}]
    texts = ["", "[]", "{", *(json.dumps(whole | change) for change in changes)]
    for n, text in enumerate(texts):
        manifest.write_text(text)
        kind.ask("manifest.json", lambda n=n: open_dataset(str(place / "set"), place / f"cache{n}"))
    manifest.write_text(json.dumps(whole))
    for n, content in enumerate((b"", b"no shard")):
        shard = place / "set" / whole["shards"][0]["name"]
        shard.write_bytes(content)
        kind.ask(shard.name, lambda n=n: open_dataset(str(place / "set"), place / f"shard{n}"))
    shard.unlink()
    kind.ask(shard.name, lambda: open_dataset(str(place / "set"), place / "gone"))
    return [kind]


def table(kinds: list[Kind]) -> list[str]:
    """Return the lines of the table in docs/reliability.md."""
    lines = ["| command | bad inputs | tried | named |", "|---|---|---|---|"]
    for kind in kinds:
        tried = len(kind.tried)
        lines.append(f"| {kind.command} | {kind.name} | {tried} | {tried - len(kind.unnamed)} |")
    tried, unnamed = (sum(len(getattr(k, what)) for k in kinds) for what in ("tried", "unnamed"))
    return [*lines, f"| all | | {tried} | {tried - unnamed} |"]


def main() -> int:
    """Try all; print the table, then what was not named."""
    kinds: list[Kind] = []
    for part in (of_predict, of_data, of_score, of_data_sets):
        # libmpg123 and commands without --out write on their own.
        with tempfile.TemporaryDirectory() as place, contextlib.redirect_stdout(io.StringIO()):
            kinds += part(Path(place))
    print("\n".join(table(kinds)))
    for kind in kinds:
        for name in kind.unnamed:
            print(f"not named: {kind.command}, {kind.name}: {name}", file=sys.stderr)
    return int(any(kind.unnamed for kind in kinds))


if __name__ == "__main__":
    sys.exit(main())
