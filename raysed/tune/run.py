"""Run a space: build missing data sets, run the unfinished trials on Ray Tune, leave a run folder.

Trials own their checkpoints and results (raysed.training.train); Tune owns resources, concurrency and
retries. So the same command resumes: finished trials are not submitted, the others go on where they were.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# Ctrl-C must reach us as KeyboardInterrupt, to leave a true status behind.
os.environ.setdefault("TUNE_DISABLE_SIGINT_HANDLER", "1")
# Our own lines show the progress; Tune's tables would come on top of them.
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")

import ray
from ray import tune

from raysed.config.space import ResolvedSpace
from raysed.data.folder import Folder
from raysed.data.job import DatasetResult, build, start_ray
from raysed.training.files import read_json, write_json
from raysed.tune.plan import TrialPlan, describe, plan_trials, refusals
from raysed.tune.progress import TrialProgress
from raysed.tune.status import write_status
from raysed.tune.trainable import run_trial

Say = Callable[[str], None]
_PROCESS_RETRIES = 2


def cache_dir() -> str:
    """The node-local folder of memory-mapped features: RAYSED_CACHE, or a folder under the temporary one."""
    return os.environ.get("RAYSED_CACHE") or f"{tempfile.gettempdir()}/raysed-cache-{os.getuid()}"


def run_space(
    resolved: ResolvedSpace, space_file: Path, run: Folder, *, address: str | None, say: Say
) -> int:
    """Run all that is not yet done; returns the exit code (0 done, 3 finished with holes).

    Raises ValueError for the run folder of another space and for a cluster that cannot hold a trial.
    """
    _claim_run(run, resolved, space_file)
    try:
        failed, over_limit = _run(resolved, run, address, say)
    except KeyboardInterrupt:
        write_status(run, "interrupted", exit_code=130)
        say("interrupted: the same command goes on from here")
        raise
    except Exception as error:
        # A user's mistake is refused (2); what stopped the work leaves a run that goes on later (3).
        code = 2 if isinstance(error, ValueError) else 3
        write_status(run, "stopped", exit_code=code, reason=f"{type(error).__name__}: {error}")
        raise
    for trial in failed:
        say(f"failed: {trial.label} ({trial.out.url}): {_reason(trial)}")
    code = 3 if failed or over_limit else 0
    state = "finished with holes" if code else "done"
    write_status(run, state, exit_code=code, failed=len(failed))
    return code


def _run(
    resolved: ResolvedSpace, run: Folder, address: str | None, say: Say
) -> tuple[list[TrialPlan], list[str]]:
    """Build, train, evaluate; returns trials without a result and sets with too many bad clips."""
    write_status(run, "building data sets")
    start_ray(address)
    built = build(resolved.job, sets=resolved.data_sets())
    over_limit = [name for name, result in built.items() if result.over_limit]
    for line in _about_data(built):
        say(line)
    data_sets = {
        name: {"id": result.id, "url": result.url, "clips": result.clips}
        for name, result in built.items()
    }
    _same_data(run, data_sets)
    clips = {name: about["clips"] for name, about in data_sets.items()}
    if faults := refusals(resolved, clips):
        raise ValueError("this space cannot run:\n  " + "\n  ".join(faults))
    trials = plan_trials(resolved, run)
    concurrent = concurrent_trials(resolved)
    write_json(run, "plan.json", describe(resolved, data_sets, concurrent))
    left = [trial for trial in trials if not trial.finished]
    say(
        f"{len(resolved.space.cells)} cells, {len(resolved.trainings)} trainings x"
        f" {len(resolved.space.seeds)} seeds = {len(trials)} trials,"
        f" {len(trials) - len(left)} finished; {concurrent} at a time"
    )
    if left:
        write_status(run, "running")
        _fit(resolved, left, data_sets, TrialProgress(run, trials, say))
    return [trial for trial in trials if not trial.finished], over_limit


def _about_data(built: dict[str, DatasetResult]) -> Iterator[str]:
    """What a person should know about the data sets before training starts."""
    for warning in dict.fromkeys(w for result in built.values() for w in result.warnings):
        yield f"warning: {warning}"
    for name, result in built.items():
        if result.missing or result.quarantined:
            yield (
                f"{name}: {result.clips} clips, {result.missing} missing,"
                f" {result.quarantined} quarantined (see *.tsv in {result.url})"
                + (": more than the job's quarantine_limit" if result.over_limit else "")
            )


def concurrent_trials(resolved: ResolvedSpace) -> int:
    """How many trials the cluster holds at once. Raises ValueError where it cannot hold one."""
    bundles = _bundles(resolved)
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    # A rank needs all of its resources on one node. The tolerance: three thirds of a GPU are one.
    ranks = sum(
        min(int(node.get(kind, 0) / amount + 1e-6) for kind, amount in bundles[0].items())
        for node in nodes
    )
    if ranks < len(bundles):
        have = [{kind: node.get(kind, 0) for kind in bundles[0]} for node in nodes]
        raise ValueError(
            f"a trial needs {len(bundles)} x {bundles[0]}, the cluster's nodes have {have}:"
            " lower `resources` in the space"
        )
    return ranks // len(bundles)


def _bundles(resolved: ResolvedSpace) -> list[dict[str, float]]:
    """One bundle of resources per rank."""
    each = resolved.space.resources
    bundle = {"CPU": float(each.cpus_per_worker)}
    if each.gpus_per_worker:
        bundle["GPU"] = each.gpus_per_worker
    return [dict(bundle) for _ in range(each.workers)]


def _fit(
    resolved: ResolvedSpace,
    left: list[TrialPlan],
    data_sets: dict[str, dict[str, Any]],
    progress: TrialProgress,
) -> None:
    resources = resolved.space.resources
    configs = [
        {
            "name": trial.name,
            "out": trial.out.url,
            "trial": trial.training.trial.model_dump(mode="json"),
            "seed": trial.seed,
            "sets": {name: data_sets[name]["url"] for name in trial.training.trial.set_names()},
            "cache": cache_dir(),
            "workers": resources.workers,
            "threads": resources.cpus_per_worker,
            "gpus": resources.gpus_per_worker,
        }
        for trial in left
    ]
    with tempfile.TemporaryDirectory(prefix="raysed-tune-") as scratch:
        tune.Tuner(
            tune.with_resources(run_trial, tune.PlacementGroupFactory(_bundles(resolved))),
            param_space={"job": tune.grid_search(configs)},
            tune_config=tune.TuneConfig(
                max_concurrent_trials=concurrent_trials(resolved), reuse_actors=False
            ),
            run_config=tune.RunConfig(
                name=resolved.space.name,
                storage_path=scratch,
                failure_config=tune.FailureConfig(max_failures=_PROCESS_RETRIES),
                callbacks=[progress],
                verbose=0,
            ),
        ).fit()


def _reason(trial: TrialPlan) -> str:
    failed = read_json(trial.out, "failed.json")
    return failed["reason"] if failed else "its process died; see Ray's logs"


def _claim_run(run: Folder, resolved: ResolvedSpace, space_file: Path) -> None:
    """Copy the space into the run folder, or refuse a folder whose trials are not these."""
    stored = read_json(run, "plan.json")
    if stored is not None:
        before = {t["id"]: t["config"] for t in stored["trainings"]}
        now = {t.id: t.trial.model_dump(mode="json") for t in resolved.trainings}
        if before.keys() != now.keys():
            raise ValueError(
                f"{run.url} holds the run of another space: {len(before.keys() - now.keys())} of its"
                f" trainings are not in {space_file}, {len(now.keys() - before.keys())} are new."
                " Give another folder with --run"
            )
        changed = [t for t in resolved.trainings if before[t.id] != now[t.id]]
        if changed:
            cells = ", ".join(cell for training in changed for cell in training.cells)
            raise ValueError(
                f"{run.url} was run with other x-valid or evaluation sets for {cells}."
                " Give another folder with --run"
            )
    run.write("space.yaml", space_file.read_bytes())


def _same_data(run: Folder, data_sets: dict[str, dict[str, Any]]) -> None:
    """Refuse a run whose trials were trained on data that have changed since."""
    stored = {
        about["name"]: about["id"]
        for about in (read_json(run, "plan.json") or {}).get("datasets", [])
    }
    changed = [
        f"{name} was {stored[name]}, is {about['id']}"
        for name, about in data_sets.items()
        if stored.get(name, about["id"]) != about["id"]
    ]
    if changed:
        raise ValueError(
            f"the data changed since {run.url} was started: {'; '.join(changed)}."
            " Give another folder with --run"
        )


def say_to_stderr(line: str) -> None:
    """One line of progress, with the time."""
    print(f"{datetime.now(UTC).astimezone():%H:%M:%S} {line}", file=sys.stderr, flush=True)
