"""A first job and a first space for a folder of one's own, as files with comments, from what the folder seems to hold."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from raysed.doctor.guess import Guess, GuessedSet
from raysed.doctor.split import SEEDS, covering_seed
from raysed.storage.folder import write_atomically

_USUAL_S = 10.0
_SHARES = {"synthetic": 6, "unlabelled": 12, "weak": 6}
_STEPS = 1200
"""Steps of a first training. On 90 strongly labelled clips of mini-DESED x-valid F1 was 0 before step 405 and best at 930."""
_EPOCH_STEPS = 40
_EPOCHS = 200
"""As the published system at most, so that a handful of clips takes minutes too."""
_EVALUATED = ("eval", "test", "public")
_CHOOSING = ("val", "dev")


@dataclass(frozen=True)
class SetLine:
    """A data set of the job: its name, source, type, part and the comment above it."""

    name: str
    source: GuessedSet
    type: str
    part: str = "all"
    split_seed: int = 0

    def lines(self) -> list[str]:
        """Return its lines in the job."""
        fields = [("kind", "annotated"), ("audio", self.source.audio)]
        fields += [("labels", self.source.labels)] if self.source.labels else []
        fields += [("type", self.type)] + ([("part", self.part)] if self.part != "all" else [])
        lines = [f"  {self.name}:", *(f"    {key}: {_text(value)}" for key, value in fields)]
        return [*lines, *([f"    split_seed: {self.split_seed}"] if self.split_seed else [])]


@dataclass(frozen=True)
class Start:
    """The sets of a first job, by their roles."""

    synthetic: SetLine | None
    weak: SetLine | None
    unlabelled: SetLine | None
    xvalid: SetLine
    evaluation: SetLine
    told: tuple[str, ...]
    """The decisions, in words."""

    @property
    def trained(self) -> dict[str, SetLine]:
        """Return the sets that are trained on, by their keys in a trial."""
        roles = {"synthetic": self.synthetic, "unlabelled": self.unlabelled, "weak": self.weak}
        return {key: line for key, line in roles.items() if line is not None}

    @property
    def all(self) -> list[SetLine]:
        """Return every set once."""
        found = {line.name: line for line in (*self.trained.values(), self.xvalid, self.evaluation)}
        return list(found.values())


def choose_roles(found: Guess) -> Start:
    """Give the sets that were found their roles. Raises ValueError where nothing can be scored."""
    strong, weak, none = (
        found.of_type("strong", "soft"),
        found.of_type("weak"),
        found.of_type("none"),
    )
    told: list[str] = []
    if not strong and weak and weak[0].labels is None:
        told.append(
            "no times anywhere: for choosing the epoch and for the table a label is taken to sound for its whole clip"
        )
        clips = weak[0]
        return Start(
            None,
            SetLine("train", clips, "weak", "train"),
            _unlabelled(none),
            SetLine("xvalid", clips, "strong", "xvalid"),
            SetLine("eval", clips, "strong", "eval"),
            tuple(told),
        )
    if not strong:
        raise ValueError(
            "nothing here has labels with times (onset, offset), against which sound events could be scored; add a table"
            " with the columns filename, onset, offset and event_label for some of the recordings. Found were:"
            + "".join(f"\n  {line}" for line in (*(s.about for s in found.sets), *found.notes))
        )
    scored = [s for s in strong if _says(s, (*_EVALUATED, *_CHOOSING))]
    training = [s for s in strong if s not in scored]
    weak_line = SetLine("weak", weak[0], "weak") if weak else None
    if len(strong) == 1:
        (only,) = strong
        told.append(
            f"{only.name}: 80 % are trained on, 10 % choose the epoch, 10 % make the table, by a hash of the name"
        )
        lines = [SetLine(name, only, only.type, name) for name in ("train", "xvalid", "eval")]
        return Start(lines[0], weak_line, _unlabelled(none), lines[1], lines[2], tuple(told))
    evaluation = next(
        (s for s in scored if _says(s, _EVALUATED)), scored[0] if scored else strong[-1]
    )
    left = [s for s in training or strong if s is not evaluation]
    train = left[0]
    others = [s for s in scored if s is not evaluation and s is not train]
    if others:
        xvalid = SetLine(others[0].name, others[0], others[0].type)
        first = SetLine(train.name, train, train.type)
    else:
        told.append(
            f"{train.name}: 80 % are trained on and 10 % choose the epoch; 10 % are kept apart"
        )
        first, xvalid = (SetLine(part, train, train.type, part) for part in ("train", "xvalid"))
    name = "eval" if evaluation.name in (first.name, xvalid.name) else evaluation.name
    last = SetLine(name, evaluation, evaluation.type)
    return Start(first, weak_line, _unlabelled(none), xvalid, last, tuple(told))


def with_covering_seed(start: Start) -> Start:
    """Return the roles with a split by which as many classes as possible sound in each part."""
    parted = [line for line in start.all if line.part != "all"]
    if not parted:
        return start
    source = parted[0]
    seed, lacking = covering_seed(source.source.as_set(), [line.part for line in parted])
    if not seed:
        return start
    said = "all classes are in each part" if not lacking else "the fewest classes are missing"
    roles = {
        name: replace(line, split_seed=seed) if line in parted else line
        for name, line in vars(start).items()
        if name != "told"
    }
    told = f"split_seed: {seed}, the first of {SEEDS} by which {said}"
    return Start(**roles, told=(*start.told, told))


def _says(each: GuessedSet, words: Sequence[str]) -> bool:
    return any(
        word in f"{each.name} {Path(each.labels or each.audio).parent.name}".lower()
        for word in words
    )


def _unlabelled(none: list[GuessedSet]) -> SetLine | None:
    return SetLine("unlabelled", none[0], "none") if none else None


def clip_seconds(found: Guess, start: Start) -> float:
    """Return a clip length: every weakly labelled clip fits, and strongly labelled ones are windowed above 10 s."""
    weak = [found.longest_s[line.source.name] for line in start.all if line.type == "weak"]
    longest = max(found.longest_s[line.source.name] for line in start.all)
    return max(1.0, math.ceil(2 * max([min(longest, _USUAL_S), *weak])) / 2)


def job_text(name: str, found: Guess, start: Start, seconds: float) -> str:
    """Return the data job."""
    lines = [
        f"# What `raysed init` took {found.root} for. Read it, and correct what it guessed wrong:",
        *(f"#   {s.about}" for s in found.sets),
        *(f"#   {line}" for line in (*start.told, *found.notes)),
        "# Every key: docs/configuration.md. Check it with `raysed doctor` on this file, build it with `raysed data`.",
        f"name: {name}",
        f"out: data/{name}",
        "features:",
        f"  duration_s: {seconds:g}  # clips are this long; longer recordings with times are cut into windows",
        "  n_mels: 32  # a quarter of the published front end, for a first table; then 128 and hop 255",
        "  hop: 510",
        "classes:  # as the labels call them; `map` in a set calls them otherwise",
        *(f"  - {_text(label)}" for label in found.classes),
        "sets:",
    ]
    for line in start.all:
        lines += line.lines()
    return "\n".join(lines) + "\n"


def space_text(name: str, job_file: str, start: Start) -> str:
    """Return the space: all that is there, and where several kinds are there, each labelled kind alone."""
    shares = {key: _share(line) for key, line in start.trained.items()}
    whole = {key: shares.get(key, 0) for key in _SHARES}
    cells = [("all", "all sets", whole)]
    if len(shares) > 1:
        total = sum(shares.values())
        for key in ("synthetic", "weak"):
            if key in shares:
                alone = dict.fromkeys(_SHARES, 0) | {key: min(total, _most(start.trained[key]))}
                column = "strong only" if key == "synthetic" else "weak only"
                cells.append((column.replace(" ", "_"), column, alone))
    rows = [
        f"  - {{id: {cell}, table: first, column: {column}, xvalid: {start.xvalid.name}, "
        f"set: {{shares: {{{', '.join(f'{k}: {v}' for k, v in share.items())}}}}}}}"
        for cell, column, share in cells
    ]
    data = [f"    {key}: {line.name}" for key, line in start.trained.items()]
    lines = [
        "# A first table: a small model, so that it is there in minutes. `raysed tune` on this file, then `raysed report`.",
        "# For results leave `model` and below out: the defaults are the published system's.",
        f"name: {name}",
        f"data_job: {_text(job_file)}",
        f"run: runs/{name}",
        "seeds: [0]  # [0, 1, 2] for intervals over seeds",
        "base:",
        "  data:",
        *data,
        f"    evaluation: [{start.evaluation.name}]",
        "  model:",
        "    filters: [8, 16, 32, 64, 64]",
        "    pooling: [[2, 2], [1, 2], [1, 2], [1, 2], [1, 2]]",
        "    gru_units: 64",
        "    dropout: 0.0",
        "    batchnorm_momentum: 0.1",
        "    glu_std: 0.3",
        "  teacher: {snr_db: null}",
        "  consistency: {weight: 2.0, ramp: false}",
        "  optimiser: {learning_rate: 3e-3, ramp: false}",
        f"  schedule: {{epochs: {_epochs(start, shares)}, steps_per_epoch: {_EPOCH_STEPS}}}"
        f"  # some {_STEPS} steps; few clips make shorter epochs, so more of them",
        "cells:",
        *rows,
    ]
    if len(cells) > 1:
        lines += [
            "contrasts:",
            *(f"  - {{cell: {cell}, against: all}}" for cell, _, _ in cells[1:]),
        ]
    return "\n".join(lines) + "\n"


def _share(line: SetLine) -> int:
    key = {"none": "unlabelled", "weak": "weak"}.get(line.type, "synthetic")
    return max(1, min(_SHARES[key], _most(line)))


def _epochs(start: Start, shares: dict[str, int]) -> int:
    """Return how many epochs make `_STEPS` steps, at most `_EPOCHS`; an epoch ends with the set that is first used up."""
    tenths = {"all": 10, "train": 8}
    steps = (
        line.source.clips * tenths.get(line.part, 1) // 10 // shares[key]
        for key, line in start.trained.items()
    )
    return min(_EPOCHS, math.ceil(_STEPS / max(1, min(_EPOCH_STEPS, *steps))))


def _most(line: SetLine) -> int:
    """Return a share that a set surely fills, whatever falls into its part."""
    tenths = {"all": 10, "train": 6}.get(line.part, 1)
    return max(1, min(18, line.source.clips * tenths // 10))


def write_start(found: Guess, folder: Path) -> tuple[Path, Path, Start]:
    """Write `<name>_data.yaml` and `<name>_space.yaml`. Raises ValueError where one is there already."""
    start = with_covering_seed(choose_roles(found))
    name = (
        "".join(c if c.isascii() and c.isalnum() else "_" for c in found.root.name).strip("_")
        or "own"
    )
    job, space = folder / f"{name}_data.yaml", folder / f"{name}_space.yaml"
    for path in (job, space):
        if path.exists():
            raise ValueError(
                f"{path}: is there already; move it away, or give another folder with --out"
            )
    write_atomically(job, job_text(name, found, start, clip_seconds(found, start)).encode())
    write_atomically(space, space_text(name, str(job), start).encode())
    return job, space, start


def _text(value: str) -> str:
    """Return a text as YAML: quoted where it would be anything else."""
    plain = value and all(c.isalnum() or c in "_-./" for c in value) and not value[0].isdigit()
    words = value.lower() in ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
    return (
        value
        if plain and not words and value[0] not in "-."
        else json.dumps(value, ensure_ascii=False)
    )
