"""What stands in the way of a run, found before its first work: the same for `tune` and for `--plan`."""

from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from raysed.config.network_class import OwnNetwork
from raysed.config.space import read_space
from raysed.config.trial import Model, Shares
from raysed.storage.folder import Folder
from raysed.tune import run_space as run_module
from raysed.tune.preparation import (
    network_faults,
    place_faults,
    prepare,
    refuse,
    training_faults,
)
from raysed.tune.preview import preview
from tests.tune.tiny import write_space

COST = {"by_training": defaultdict(dict), "notes": [], "estimated_hours": None}
"""An estimate without the minute that it takes."""


def resolved_space(*trainings, workers=1, gpus=0.0):
    resources = SimpleNamespace(workers=workers, gpus_per_worker=gpus)
    return SimpleNamespace(space=SimpleNamespace(resources=resources), trainings=trainings)


def training(cell, precision="float32", **shares):
    """A training whose sets are called like their subsets."""
    trial = SimpleNamespace(
        precision=precision,
        shares=Shares(**{"synthetic": 0, "unlabelled": 0, "weak": 0} | shares),
        used_subsets=lambda: {subset: subset for subset in shares},
        set_names=lambda: [*shares, "val"],
    )
    return SimpleNamespace(trial=trial, cells=(cell,))


def test_what_the_data_cannot_feed():
    space = resolved_space(training("a", weak=4), training("b", weak=1, synthetic=2), workers=4)
    clips = {"weak": 3, "synthetic": 2, "val": 0}
    assert list(training_faults(space, clips)) == [
        "cell a: shares.weak is 4, but weak holds 3 clips",
        "cell a: val holds no clips",
        "cell b: 4 workers for batches of 3 clips",
        "cell b: val holds no clips",
    ]
    enough = {"weak": 4, "synthetic": 2, "val": 1}
    assert list(training_faults(resolved_space(training("a", weak=4)), enough)) == []


def test_tf32_is_refused_on_cpus():
    wanted, enough = training("a", precision="tf32", weak=4), {"weak": 4, "val": 1}
    (fault,) = training_faults(resolved_space(wanted), enough)
    assert fault.startswith("cell a: precision tf32 is for GPUs")
    for gpus in (0.25, "auto"):
        assert list(training_faults(resolved_space(wanted, gpus=gpus), enough)) == []


def test_what_x_valid_does_not_annotate_cannot_be_tuned_there(tree: Path):
    path = write_space(tree, "masked")
    content = yaml.safe_load(path.read_text())
    content["cells"][0]["postprocessing"] = {"method": "class_median"}
    content["cells"][1] |= {"postprocessing": {"method": "boxes", "tuned_on": "evaluation"}}
    job = yaml.safe_load((tree / "job.yaml").read_text())
    job["sets"]["dry"]["annotates"] = ["Alarm_bell_ringing", "Speech"]
    (tree / "masked_job.yaml").write_text(yaml.safe_dump(job))
    content["data_job"] = str(tree / "masked_job.yaml")
    path.write_text(yaml.safe_dump(content))
    prepared = prepare(read_space(path), Folder(str(tree / "masked")), print, allow_changed=False)
    (fault,) = prepared.faults
    assert fault.startswith(
        "cell all: postprocessing is tuned on dry, which does not annotate Blender, Cat, "
    ) and fault.endswith(" of validation; give tuned_on: evaluation, or an x-valid set that does")


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"python": "tests.model.own_nets:Gone"}, "tests.model.own_nets:Gone cannot be imported"),
        ({"python": "tests.model.own_nets:Frames", "settings": {"depth": 2}}, "argument 'depth'"),
        ({"python": "tests.model.own_nets:Broken"}, "KeyError: 'units'"),
        ({"python": "tests.model.own_nets:Frames"}, None),
    ],
)
def test_a_network_that_cannot_be_made_is_told_before_data_are_built(own, message):
    space = resolved_space(training("a", weak=1), training("b", weak=1))
    models = Model(), Model(own=OwnNetwork(**own))
    for each, model in zip(space.trainings, models, strict=True):
        each.trial.model = model
    faults = list(network_faults(space, 2))
    assert len(faults) == (message is not None)
    assert all(f.startswith("cell b: ") and message in f for f in faults)


def test_classes_without_an_event_are_a_note(tree: Path):
    path = write_space(tree, "silent")
    content, job = (yaml.safe_load(p.read_text()) for p in (path, tree / "job.yaml"))
    job["sets"]["validation"]["limit"] = 1
    (tree / "silent_job.yaml").write_text(yaml.safe_dump(job))
    path.write_text(yaml.safe_dump(content | {"data_job": str(tree / "silent_job.yaml")}))
    prepared = prepare(read_space(path), Folder(str(tree / "silent")), print, allow_changed=False)
    (note,) = prepared.notes
    assert note.startswith("set validation: no event of ") and "in its 1 recordings" in note
    assert prepared.faults == []


def test_places(tmp_path):
    (tmp_path / "file").write_text("x")
    assert place_faults(Folder(str(tmp_path / "new" / "run"))) == []
    assert place_faults(Folder("s3://bucket/run")) == []
    taken = f"{tmp_path}/file: a file stands where a folder is to be"
    assert place_faults(Folder(str(tmp_path / "file" / "run"))) == [taken]


def test_all_faults_are_told_at_once():
    refuse([])
    with pytest.raises(ValueError, match=r"^this space cannot run:\n  one\n  two$"):
        refuse(["one", "two"])


def test_data_sets_are_planned_once_and_what_is_printed_is_what_is_refused(tree: Path, monkeypatch):
    path = write_space(tree, "both")
    content = yaml.safe_load(path.read_text())
    content["cells"][2]["set"]["shares"] = {"synthetic": 0, "unlabelled": 0, "weak": 400}
    path.write_text(yaml.safe_dump(content))
    resolved, run, planned = read_space(path), Folder(str(tree / "both")), []
    from raysed.data.build import dataset_plan

    open_set = dataset_plan._open

    def counted(job, name, *about):
        planned.append(name)
        return open_set(job, name, *about)

    monkeypatch.setattr(dataset_plan, "_open", counted)
    monkeypatch.setattr("raysed.tune.preview._cost", lambda *about: dict(COST))
    prepared = prepare(resolved, run, print, allow_changed=False)
    assert prepared.faults == ["cell weak: shares.weak is 400, but weak holds 8 clips"]
    assert sorted(planned) == sorted(resolved.data_sets())
    assert prepared.clips["weak"] == 8 and len(prepared.left) == len(prepared.trials) == 4
    printed = preview(resolved, run, [{"CPU": 4.0, "GPU": 0.0}])
    assert printed["refusals"] == prepared.faults
    monkeypatch.setattr(run_module, "start_ray", lambda address: pytest.fail("Ray was started"))
    with pytest.raises(ValueError, match="cannot run") as refused:
        run_module.run_space(resolved, path, run, address=None, say=print)
    assert str(refused.value).splitlines()[1:] == [f"  {line}" for line in prepared.faults]
