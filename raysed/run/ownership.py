"""The refusal, before work, of a run folder that belongs to another space, another code or other data."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from raysed.config.space import ResolvedSpace
from raysed.config.trial import Trial
from raysed.data.build.dataset_plan import DatasetPlan
from raysed.data.features.shards import read_manifest
from raysed.run import provenance
from raysed.run.provenance import Data, shards_hash
from raysed.run.run_plan import RunPlan
from raysed.run.trial_plan import TrialPlan
from raysed.storage.folder import Folder


def check_space(run: Folder, resolved: ResolvedSpace) -> None:
    """Raise ValueError for a folder that holds other trials than these."""
    stored = RunPlan.read(run)
    if stored is None:
        return
    before = {t.id: _with_defaults(t.config) for t in stored.trainings}
    now = {t.id: t.trial.model_dump(mode="json") for t in resolved.trainings}
    if before.keys() != now.keys():
        raise ValueError(
            f"{run.url} holds the run of another space: {len(before.keys() - now.keys())} of its"
            f" trainings are not in {resolved.space.name}, {len(now.keys() - before.keys())} are new."
            " Give another folder with --run"
        )
    changed = [t for t in resolved.trainings if before[t.id] != now[t.id]]
    if changed:
        cells = ", ".join(cell for training in changed for cell in training.cells)
        raise ValueError(
            f"{run.url} was run with other x-valid or evaluation sets for {cells}."
            " Give another folder with --run"
        )


def _with_defaults(config: dict[str, Any]) -> dict[str, Any]:
    """Return a stored trial's configuration with the keys that came later, which then had their defaults."""
    try:
        return Trial.model_validate_json(json.dumps(config)).model_dump(mode="json")
    except ValidationError:
        # No trial of today: another one than any of these.
        return config


class MadeBy:
    """Knows what a run's trials were and will be made with, and refuses a mixture unless it is allowed."""

    def __init__(
        self,
        run: Folder,
        trials: Sequence[TrialPlan],
        allow_changed: bool,
        say: Callable[[str], None],
    ) -> None:
        self.run, self.allow_changed, self.say = run, allow_changed, say
        self.started = any(trial.out.begun for trial in trials)
        # Where nothing is left to train, the code may differ.
        self.code_counts = self.started and not all(trial.is_over for trial in trials)
        self.allowed: list[str] = []

    def check(self, data: Mapping[str, Data]) -> None:
        """Raise ValueError where code or data changed since the run's trials were started."""
        if not self.started:
            return
        found = provenance.changes(self.run, data, code_counts=self.code_counts)
        changed = [line for line in found if line not in self.allowed]
        if changed and not self.allow_changed:
            raise ValueError(
                f"{self.run.url} has trials, and since they were started\n  "
                + "\n  ".join(changed)
                + "\nGive another folder with --run, or --allow-changed to mix them all the same"
            )
        self.allowed += changed
        for line in changed:
            self.say(f"warning: allowed by --allow-changed: {line}")

    def note(self, data: Mapping[str, Data]) -> None:
        """Write down what is used from here on."""
        if not self.started or self.allowed or not provenance.read_made_by(self.run):
            provenance.note(self.run, data, mixed=self.started)


def ownership_faults(
    run: Folder, resolved: ResolvedSpace, made_by: MadeBy, data: Mapping[str, Data]
) -> Iterator[str]:
    """Yield why a run of this space is refused in this folder, whoever works on it; nothing is written."""
    checks = (
        lambda: check_space(run, resolved),
        lambda: made_by.check(data),
    )
    for check in checks:
        try:
            check()
        except ValueError as error:
            yield str(error)


def planned_data(plans: Sequence[DatasetPlan]) -> dict[str, Data]:
    """Return ids of the data sets, and their contents as far as they are there; nothing is built."""
    return {p.name: Data(id=p.id, content=shards_hash(p.manifest)) for p in plans}


def built_data(urls: Mapping[str, str]) -> dict[str, Data]:
    """Return ids and contents of finished data sets, by name."""
    manifests = {name: read_manifest(Folder(url)) for name, url in urls.items()}
    return {
        name: Data(id=manifest.id, content=shards_hash(manifest))
        for name, manifest in manifests.items()
        if manifest is not None
    }
