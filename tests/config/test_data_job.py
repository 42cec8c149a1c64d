"""A data job's own rules, and the sizes that follow from its features."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from raysed.config.data_job import (
    Cluster,
    DataJob,
    Features,
    RecordedSet,
    Roots,
    SyntheticSet,
    needed_roots,
)


def synthetic(**changes: object) -> SyntheticSet:
    return SyntheticSet(**{"kind": "synthetic", "split": "train", "count": 3, **changes})


def test_the_published_features() -> None:
    features = Features()
    assert (features.n_samples, features.n_frames) == (160000, 628)
    # The last frame's centre is sample 159,885; its window ends 1024 later.
    assert features.n_samples_seen == 627 * 255 + 1024 == 160909


@given(duration_s=st.floats(0.01, 20), hop=st.integers(1, 4000), n_fft=st.integers(16, 4096))
def test_every_frame_is_seen_whole(duration_s: float, hop: int, n_fft: int) -> None:
    features = Features(duration_s=duration_s, hop=hop, n_fft=n_fft)
    last_centre = (features.n_frames - 1) * hop
    assert last_centre <= features.n_samples < last_centre + hop
    assert features.n_samples_seen >= max(features.n_samples, last_centre + n_fft // 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Features(high_hz=8001.0), "high_hz 8001.0 is above half the sample rate 16000"),
        (lambda: Features(low_hz=500.0, high_hz=500.0), "low_hz 500.0 is not below high_hz 500.0"),
        (
            lambda: RecordedSet(kind="recorded", subset="eval", part="train"),
            "part: train splits the subsets weak and synthetic only, not eval",
        ),
        (lambda: RecordedSet(kind="recorded", subset="synthetic"), "needs `folder`"),
        (
            lambda: RecordedSet(kind="recorded", subset="weak", folder="x"),
            "is for subset: synthetic, not weak",
        ),
        (lambda: synthetic(snr_db=(30.0, 6.0)), r"snr_db \[30.0, 6.0\] is not \[low, high\]"),
        (lambda: Cluster(gpus_per_mel_actor=1.5), "1.5: an actor uses one GPU or a part of it"),
    ],
)
def test_what_cannot_be_meant_is_refused(make, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make()


@pytest.mark.parametrize(
    ("data_set", "roots"),
    [
        (RecordedSet(kind="recorded", subset="weak"), ["recorded"]),
        (synthetic(), ["soundbank", "cooccurrences"]),
        (synthetic(reverb="sox"), ["soundbank", "cooccurrences"]),
        (synthetic(reverb="rir"), ["soundbank", "cooccurrences", "rir"]),
    ],
)
def test_the_roots_that_a_set_needs(data_set, roots: list[str]) -> None:
    assert needed_roots(data_set) == roots
    given_roots = dict.fromkeys(roots, "/data")
    job = {"name": "j", "out": "out", "sets": {"s": data_set}}
    assert DataJob(**job, roots=Roots(**given_roots)).sets["s"] == data_set
    for missing in roots:
        with pytest.raises(ValidationError, match=rf"sets\.s needs roots\.{missing}"):
            DataJob(**job, roots=Roots(**{**given_roots, missing: None}))


def test_how_a_build_uses_machines_is_no_part_of_what_it_builds() -> None:
    one = synthetic(seed=1, reverb="none")
    assert one.identity() == synthetic(seed=1).identity() != synthetic(seed=2).identity()
