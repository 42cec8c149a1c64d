"""What a data job cannot serve is told by the key of the trial that asks for it."""

import pytest

from raysed.config.data_job import DataJob, RecordedSet
from raysed.config.fault import Fault
from raysed.config.fit import fits, misfits
from raysed.config.reader import validate
from raysed.config.trial import Trial

JOB = {
    "name": "tiny",
    "out": "out",
    "roots": {"recorded": "r", "soundbank": "s", "cooccurrences": "c"},
    "sets": {
        "weak": {"kind": "recorded", "subset": "weak"},
        "unlabelled": {"kind": "recorded", "subset": "unlabelled"},
        "val": {"kind": "recorded", "subset": "validation"},
        "made": {"kind": "synthetic", "split": "train", "count": 4},
        "xvalid": {"kind": "synthetic", "split": "xvalid", "count": 4},
    },
}
DATA = {"synthetic": "made", "unlabelled": "unlabelled", "weak": "weak", "xvalid": ["xvalid"]}


def found(data=(), **change):
    content = {"data": {**DATA, "evaluation": ["val"], **dict(data)}, **change}
    job = validate(JOB, DataJob, source="job")
    return misfits(validate(content, Trial, source="trial"), job)


def test_a_trial_that_the_job_serves_has_no_fault():
    assert found() == []


@pytest.mark.parametrize(
    ("data", "key", "text"),
    [
        ({"weak": "unlabelled"}, "weak", "names unlabelled, which has no weak labels"),
        ({"synthetic": "weak"}, "synthetic", "names weak, which has no synthetic labels"),
        (
            {"scaler": ["gone"]},
            "scaler",
            "names gone, which the data job tiny lacks (it has weak, unlabelled, val, made, xvalid)",
        ),
        (
            {"xvalid": ["made"]},
            "xvalid",
            "names made, which is trained on: it cannot choose the epoch",
        ),
        (
            {"weak_xvalid": "unlabelled"},
            "weak_xvalid",
            "names unlabelled, which has no weak labels",
        ),
    ],
)
def test_a_set_that_does_not_serve(data, key, text):
    assert found(data) == [Fault(("data", key), f"data.{key} {text}")]


def test_features_that_do_not_serve():
    (waveforms,) = found(teacher={"noise_domain": "waveform"})
    assert waveforms.key == ("teacher", "noise_domain")
    # 128 mel bands over 2 leave 64; 628 frames over 1000 leave none.
    frames, bands = found(model={"filters": [4], "pooling": [[1000, 2]]})
    assert frames.key == bands.key == ("model", "pooling")
    assert "leaves no output frame of the job's 628 frames" in frames.text
    assert "leaves 64 frequency bands of the job's 128 mel bands" in bands.text


@pytest.mark.parametrize(
    ("subset", "roles"),
    [("weak", {"weak", "any"}), ("unlabelled", {"any"}), ("eval", {"synthetic", "strong", "weak", "any"})],
)  # fmt: skip
def test_the_roles_of_a_subset(subset, roles):
    data_set = RecordedSet(kind="recorded", subset=subset)
    asked = ("synthetic", "strong", "weak", "any")
    assert {role for role in asked if fits(data_set, role)} == roles


def test_a_class_weight_of_no_class_is_told():
    listed = {**JOB, "classes": ["Cat", "Dog"]}
    weights = {"class_weights": {"Dog": 2.0, "Cow": 0.5}}
    content = {"data": {**DATA, "evaluation": ["val"]}, "consistency": weights}
    asked = validate(content, Trial, source="trial")
    message = "consistency.class_weights names Cow, which is no class of the data job tiny (it has Cat, Dog)"
    expected = [Fault(("consistency", "class_weights", "Cow"), message)]
    assert misfits(asked, validate(listed, DataJob, source="job")) == expected
    # Without a list, the classes are known once the sets are read.
    assert misfits(asked, validate(JOB, DataJob, source="job")) == []


def tuned(kind, waveforms=True, **more):
    """The faults of a trial that tunes an encoder of this kind."""
    content = {"width": 768, "fusion": "pool", "finetune": {"learning_rate": 1e-5}}
    rows = {"embeddings": {"encoder": "its_name"}}
    job = {
        **JOB,
        "encoders": {"its_name": {"kind": kind, "path": "a", **more}},
        "sets": {name: {**each, **rows} for name, each in JOB["sets"].items()},
        "features": {"waveforms": waveforms},
    }
    trial = {"data": {**DATA, "evaluation": ["val"]}, "model": {"embedding": content}}
    return misfits(validate(trial, Trial, source="trial"), validate(job, DataJob, source="job"))


def test_an_encoder_that_cannot_learn_is_refused_by_name():
    assert tuned("beats") == tuned("atst") == tuned("m2d") == []
    (fault,) = tuned("onnx", sample_rate_hz=16000, hop=320)
    assert fault.key == ("model", "embedding", "finetune")
    assert "cannot train its_name, an encoder of kind onnx: it can train atst, beats" in fault.text
    (fault,) = tuned("openwakeword")
    assert "of kind openwakeword" in fault.text
    (fault,) = tuned("cnn14")
    assert "needs waveforms at the 32000 Hz of its_name, not at 16000" in fault.text
    (fault,) = tuned("m2d", sample_rate_hz=32000)
    assert "needs waveforms at the 32000 Hz" in fault.text
    (fault,) = tuned("beats", waveforms=False)
    assert fault.key == ("model", "embedding", "finetune")
    assert "finetune hears waveforms, but the data sets hold mels only" in fault.text


def with_embeddings(**layers):
    """The faults of a network that takes rows, where some sets store them: layers of each."""
    sets = {
        name: {**each, "embeddings": {"encoder": "beats", "layers": layers[name]}}
        if name in layers
        else each
        for name, each in JOB["sets"].items()
    }
    job = {**JOB, "sets": sets, "encoders": {"beats": {"kind": "beats", "path": "b.pt"}}}
    content = {
        "data": {**DATA, "evaluation": ["val"]},
        "model": {"embedding": {"fusion": "pool", "width": 768}},
    }
    return misfits(validate(content, Trial, source="trial"), validate(job, DataJob, source="job"))


def test_a_network_that_takes_rows_needs_them_of_one_encoder_in_every_set():
    same = dict.fromkeys(JOB["sets"], (12,))
    assert with_embeddings(**same) == []
    (fault,) = with_embeddings(**{**same, "val": (11,)})
    assert fault.key == ("model", "embedding") and "val beats, or other layers of it" in fault.text
    del same["weak"]
    (fault,) = with_embeddings(**same)
    assert "which weak lacks: give sets.weak.embeddings in the data job tiny" in fault.text
