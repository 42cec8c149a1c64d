"""The run of a space: build missing data sets, run the unfinished trials on Ray Tune, leave a run folder.

Trials own their checkpoints and results (raysed.training.train); Tune owns resources, concurrency and
retries. So the same command resumes: finished trials are not submitted, the others go on where they were.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

# Ctrl-C must reach us as KeyboardInterrupt, to leave a true status behind.
os.environ.setdefault("TUNE_DISABLE_SIGINT_HANDLER", "1")
# Our own lines show the progress; Tune's tables would come on top of them.
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
# A search's metric is made of what trials report, in raysed.tune.asha.
os.environ.setdefault("TUNE_DISABLE_STRICT_METRIC_CHECKING", "1")

from ray import tune
from ray.tune import TuneError

from raysed.cluster_watch import told_of_loss
from raysed.config.space import ResolvedSpace
from raysed.data.build.job import DatasetResult, build
from raysed.exit_codes import DONE, HOLES, StoppedError
from raysed.interrupts import interruptible
from raysed.pulse import Pulse
from raysed.ray_cluster import ray_errors, start_ray
from raysed.run.folders import SPACE
from raysed.run.ownership import built_data
from raysed.run.run_plan import PlannedSet, RunPlan
from raysed.run.status import RunStatus
from raysed.run.trial_plan import TrialPlan, plan_trials
from raysed.run.trial_state import failure_lines
from raysed.storage.folder import Folder
from raysed.storage.scratch import remove_forsaken, scratch
from raysed.text import counted
from raysed.tune.asha import SearchScheduler
from raysed.tune.card_hosts import card_hosts
from raysed.tune.cell_columns import postprocess_cells
from raysed.tune.external_systems import score_external
from raysed.tune.live_table import is_terminal, live_table
from raysed.tune.preparation import Preparation, prepare, refuse, training_faults
from raysed.tune.resources import (
    bundles_of,
    check_nodes,
    cluster_nodes,
    concurrent_trials,
    settle_gpus,
    settle_precision,
)
from raysed.tune.seed_rounds import run_rounds, seeds_text
from raysed.tune.space_groups import built_names, copy_groups, groups_faults
from raysed.tune.tracking import Tracking
from raysed.tune.trainable import run_trial
from raysed.tune.trial_job import job_of
from raysed.tune.trial_progress import TrialProgress

Say = Callable[[str], None]
_PROCESS_RETRIES = 2


def run_space(
    resolved: ResolvedSpace,
    space_file: Path,
    run: Folder,
    *,
    address: str | None,
    say: Say,
    allow_changed: bool = False,
) -> int:
    """Run all that is not yet done; return the exit code (0 done, 3 finished with holes).

    Raises ValueError for a run that another driver works on, for the folder of another space, for code
    or data that changed since its trials were started (unless `allow_changed`), and for a cluster that
    cannot hold a trial.
    """
    try:
        with (
            ExitStack() as held,
            RunStatus(run) as status,
            told_of_loss(status.end),
            interruptible(),
            ray_errors("the run"),
        ):
            resolved = settle_precision(resolved, run)
            pulse = held.enter_context(Pulse(say))
            pulse.now("looking at data and trials")
            prepared = prepare(resolved, run, pulse, allow_changed=allow_changed)
            refuse(prepared.faults)
            for line in prepared.notes:
                pulse(f"note: {line}")
            run.write(SPACE, space_file.read_bytes())
            pulse.now("starting Ray")
            start_ray(address)
            code = _finish(status, pulse, *_run(resolved, prepared, status, pulse))
    except KeyboardInterrupt:
        say("interrupted: the same command goes on from here")
        raise
    return code


def _finish(status: RunStatus, say: Say, prepared: Preparation, holes: Sequence[str]) -> int:
    """Say which trials have failed, and end the run; return its exit code."""
    failed = prepared.left
    for trial in failed:
        for line in failure_lines(trial.out, trial.label):
            say(line)
    status.run.remove_unfinished()
    code = HOLES if failed or holes else DONE
    status.update("finished with holes" if code else "done", exit_code=code, failed=len(failed))
    return code


def _run(
    resolved: ResolvedSpace, prepared: Preparation, status: RunStatus, say: Pulse
) -> tuple[Preparation, list[str]]:
    """Build, train, evaluate; return the trials as settled, and what has holes: the sets with too many bad clips, and
    post-processings that failed.
    """
    run = status.run
    status.update("building data sets")
    resolved, concurrent = _settle(resolved, run, say)
    prepared = replace(prepared, trials=plan_trials(resolved, run))
    refuse([*training_faults(resolved, prepared.all_clips)])
    # The run's folder is checked before data sets are built, which takes hours; theirs are checked below.
    check_nodes(run, [])
    say.now("")  # a build has lines of its own
    built = build(resolved.job, planned=prepared.planned)
    say.now("looking at the data sets")
    for line in _about_data(built):
        say(line)
    urls = {name: result.url for name, result in built.items()}
    check_nodes(run, list(urls.values()))
    data = built_data(urls)
    prepared.made_by.check(data)
    clips = {name: result.clips for name, result in built.items()}
    of_groups = groups_faults(resolved, run, built_names(resolved, urls))
    refuse([*training_faults(resolved, clips), *of_groups])
    copy_groups(resolved, run)
    sets = [PlannedSet(name=n, id=r.id, url=r.url, clips=r.clips) for n, r in built.items()]
    for line in score_external(resolved, run, urls):
        say(f"warning: {line}")
    prepared.made_by.note(data)
    say(_headline(resolved, prepared, concurrent))
    trials, holes = run_rounds(
        resolved,
        run,
        partial(RunPlan.of, resolved, sets, concurrent),
        partial(_train, resolved, urls, concurrent, (status, say)),
        say,
    )
    prepared = replace(prepared, trials=trials)
    return prepared, holes + [name for name, result in built.items() if result.over_limit]


def _train(
    resolved: ResolvedSpace,
    urls: Mapping[str, str],
    concurrent: int,
    told: tuple[RunStatus, Pulse],
    trials: list[TrialPlan],
) -> list[str]:
    """Train those of the trials that are left, and count the cells' own post-processings; return what is missing.

    `told` are who hears of it.
    """
    status, say = told
    left = [trial for trial in trials if not trial.is_over]
    with Tracking(resolved.space, status.run, trials, say) as tracking:
        if left:
            status.update("running")
            search = resolved.space.search
            scheduler = SearchScheduler(search, trials) if search else None
            progress = TrialProgress(status, trials, say, epoch_lines=not is_terminal())
            # On a terminal the table moves by itself.
            say.now(
                "" if is_terminal() else "training: processes start, or an epoch takes its time"
            )
            with live_table(progress):
                hooks: list[tune.Callback] = [progress, tracking]
                try:
                    fit(resolved, left, urls, hooks, scheduler, concurrent=concurrent)
                except TuneError as error:
                    raise StoppedError(f"Ray stopped the run: {error}") from error
    say.now("evaluating")
    holes = postprocess_cells(resolved, trials, urls, say)
    for line in holes:
        say(line)
    return holes


def _settle(resolved: ResolvedSpace, run: Folder, say: Say) -> tuple[ResolvedSpace, int]:
    """Return the space with its GPUs and precision settled, and how many trials the cluster holds at once."""
    wanted = resolved.space.resources.gpus_per_worker
    resolved = settle_gpus(resolved, cluster_nodes())
    if wanted == "auto" and not resolved.space.resources.gpus:
        say("no node has a GPU now: trials train on CPUs (resources.gpus_per_worker: auto)")
    return settle_precision(resolved, run), concurrent_trials(resolved)


def _headline(resolved: ResolvedSpace, prepared: Preparation, concurrent: int) -> str:
    trials, external = prepared.trials, ""
    if resolved.external:
        external = f" {len(resolved.external)} of them predictions from elsewhere,"
    if others := sum(cell.postprocessing_differs for cell in resolved.space.cells):
        external += f" {others} of them by another post-processing,"
    return (
        f"{counted(len(resolved.space.cells), 'cell')},{external}"
        f" {counted(len(resolved.trainings), 'training')}{seeds_text(resolved.space)}"
        f" {counted(len(trials), 'trial')},"
        f" {len(trials) - len(prepared.left)} finished; {concurrent} at a time"
        + (" on GPUs" if resolved.space.resources.gpus else "")
    )


def _about_data(built: dict[str, DatasetResult]) -> Iterator[str]:
    """Return warnings about the data sets, for people, before training starts."""
    for warning in dict.fromkeys(w for result in built.values() for w in result.warnings):
        yield f"warning: {warning}"
    for name, result in built.items():
        if result.missing or result.quarantined:
            yield (
                f"{name}: {result.clips} clips, {result.missing} missing,"
                f" {result.quarantined} quarantined (see *.tsv in {result.url})"
                + (": more than the job's quarantine_limit" if result.over_limit else "")
            )


def fit(
    resolved: ResolvedSpace,
    left: list[TrialPlan],
    data_sets: Mapping[str, str],
    callbacks: list[tune.Callback],
    scheduler: SearchScheduler | None,
    *,
    concurrent: int,
) -> None:
    """Train these trials on Ray, as many at once as it holds; returns when each is over or failed.

    `data_sets` holds the URL of each data set by its name.
    """
    # Its earlier name, when it had no lock.
    remove_forsaken("raysed-tune-", Path(tempfile.gettempdir()))
    hosted = card_hosts(resolved.space.resources, concurrent)
    with scratch("raysed-trials-") as storage, hosted as hosts:
        jobs = [job_of(trial, resolved, data_sets, hosts) for trial in left]
        tune.Tuner(
            tune.with_resources(run_trial, tune.PlacementGroupFactory(bundles_of(resolved))),
            param_space={"job": tune.grid_search(jobs)},
            tune_config=tune.TuneConfig(
                max_concurrent_trials=concurrent,
                # A process takes 5 CPU seconds to import what a training needs. One that a scheduler stops may still be in
                # its epoch, and Tune would fail the trial that is to follow in it.
                reuse_actors=scheduler is None,
                scheduler=scheduler,
            ),
            run_config=tune.RunConfig(
                name=resolved.space.name,
                storage_path=str(storage),
                failure_config=tune.FailureConfig(max_failures=_PROCESS_RETRIES),
                callbacks=callbacks,
                verbose=0,
            ),
        ).fit()


def say_to_stderr(line: str) -> None:
    """Print one line of progress, with the time."""
    print(f"{datetime.now(UTC).astimezone():%H:%M:%S} {line}", file=sys.stderr, flush=True)
