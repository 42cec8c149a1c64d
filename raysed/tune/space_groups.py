"""The groups that a space gives its clips: refused before work where they do not fit, and copied into the run."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from raysed.config.space import ResolvedSpace
from raysed.data.build.dataset_plan import DatasetPlan
from raysed.data.build.source import SyntheticSource
from raysed.data.features.shards import decode_shard, read_manifest, read_shard
from raysed.evaluation.score.clip_list import read_groups
from raysed.report.grouped_results import with_groups
from raysed.report.results import Result, read_results
from raysed.run.folders import GROUPS
from raysed.run.run_plan import RunPlan
from raysed.run.seed_looks import read_looks
from raysed.storage.folder import Folder

Names = Mapping[str, tuple[str, ...]]
"""The clips of each evaluation set, as far as they are known."""


def groups_faults(resolved: ResolvedSpace, run: Folder, names: Names) -> Iterator[str]:
    """Yield why intervals cannot draw the space's groups: a file that is no such table, sets with clips that it lacks, and
    looks of the run that drew others.
    """
    given = resolved.space.groups
    looked = read_looks(run, resolved.space.looks).done
    if looked and _content(given) != _stored(run):
        yield (
            f"groups: {run.url} has taken looks with other groups (or none), and further seeds were given by these."
            " Give the same file, or another folder with --run"
        )
    if given is None or not Path(given).is_file():
        return  # told with the faults of the space
    try:
        read_groups(given, ())
    except ValueError as error:
        yield f"groups: {error}"
        return
    for name, filenames in names.items():
        try:
            read_groups(given, filenames)
        except ValueError as error:
            yield f"groups, set {name}: {error}"


def planned_names(resolved: ResolvedSpace, planned: Iterable[DatasetPlan]) -> Names:
    """Return the clips of the evaluation sets, where groups are asked for; soundscapes that are not made have none yet."""
    asked = _evaluations(resolved)
    return {
        each.name: stored_names(Folder(each.url))
        if each.state == "present"
        else tuple(dict.fromkeys(map(each.source.filename, range(each.source.count))))
        for each in planned
        if each.name in asked
        and (each.state == "present" or not isinstance(each.source, SyntheticSource))
    }


def drawn_counts(resolved: ResolvedSpace, names: Names) -> dict[str, int]:
    """Return the number of groups in each evaluation set as far as its clips are known; empty where none are asked for or
    the file does not fit, which is told as a fault.
    """
    given, found = resolved.space.groups, {}
    if given is None:
        return found
    for name, filenames in names.items():
        with suppress(ValueError, OSError):
            found[name] = len(set(read_groups(given, filenames).tolist()))
    return found


def built_names(resolved: ResolvedSpace, urls: Mapping[str, str]) -> Names:
    """Return the clips of the evaluation sets of a run that is built, where groups are asked for."""
    return {name: stored_names(Folder(urls[name])) for name in _evaluations(resolved)}


def stored_names(data_set: Folder) -> tuple[str, ...]:
    """Return the recordings of a finished data set, in its order."""
    manifest = read_manifest(data_set)
    shards = () if manifest is None else manifest.shards
    tables = (decode_shard(read_shard(data_set, entry), ["filename"]) for entry in shards)
    return tuple(dict.fromkeys(n for table in tables for n in table["filename"].to_pylist()))


def copy_groups(resolved: ResolvedSpace, run: Folder) -> None:
    """Copy the space's groups into the run, of which its report is made wherever it lies."""
    content = _content(resolved.space.groups)
    if content is not None:
        run.write(GROUPS, content)


def read_with_groups(resolved: ResolvedSpace, run: Folder, plan: RunPlan) -> list[Result]:
    """Read the results of a run with the space's groups before these are copied; without them where they do not fit,
    which is told as a fault.
    """
    results = read_results(run, plan)
    if resolved.space.groups is not None:
        with suppress(ValueError, OSError):
            return with_groups(results, resolved.space.groups)
    return results


def _evaluations(resolved: ResolvedSpace) -> Sequence[str]:
    """Return the sets that intervals are about; none where the space has no groups."""
    if resolved.space.groups is None:
        return ()
    trained = (names for each in resolved.trainings for names in each.cells.values())
    external = (tuple(cell.predictions) for cell in resolved.external)
    return tuple(dict.fromkeys(name for names in (*trained, *external) for name in names))


def _content(path: str | None) -> bytes | None:
    return Path(path).read_bytes() if path is not None and Path(path).is_file() else None


def _stored(run: Folder) -> bytes | None:
    """Return the groups that the run's results are read with."""
    plan = RunPlan.read(run)
    return run.read(GROUPS) if plan is not None and plan.groups else None
