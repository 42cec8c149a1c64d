"""Names of labels find their clips."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.data.recorded import clip_index
from raysed.data.recorded.clip_index import ClipIndex, indices_of


def test_names_mean_clips_in_the_order_of_exactness() -> None:
    clips = ["d/a.wav", "e/b.flac", "Yb0RFKhbpFJA_30.000_40.000.wav", "x/c.wav", "y/c.wav"]
    names = ["d/a.wav", "b", "labels_e/b.txt", "b0RFKhbpFJA_30000", "c", "none"]
    assert indices_of(names, clips).tolist()[:1] == [0]
    assert indices_of(["b"], clips).tolist() == [1]
    assert indices_of(["soft_e/b"], clips).tolist() == [1]
    assert indices_of(["b0RFKhbpFJA_30000", "c", "none"], clips).tolist() == [2, -1, -1]
    assert indices_of([], clips).tolist() == [] and indices_of(["a"], []).tolist() == [-1]


def test_names_that_come_in_parts_are_settled_together() -> None:
    index = ClipIndex(pa.array(["a.wav", "b.wav", "c.wav"]))
    first = index.find(pa.array(["b", "a.wav", "none"]))
    second = index.find(pa.array(["none", "b", "c.wav"]))
    assert first.tolist() == [-1, 0, -2] and second.tolist() == [-2, -1, 2]
    for found, settled in ((first, [1, 0, -1]), (second, [-1, 1, 2])):
        again, missing = index.settled(found)
        assert again.tolist() == settled and missing == ["none"]


@given(
    clips=st.lists(st.text(max_size=3), min_size=1, max_size=12, unique=True),
    names=st.lists(st.text(max_size=3), max_size=12),
)
def test_names_that_share_a_hash_are_told_apart(clips: list[str], names: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        expected = [clips.index(name) if name in clips else -1 for name in names]
        for hashes in (hash, len, lambda name: 0):
            patch.setattr(clip_index, "_hash", hashes)
            index = ClipIndex(pa.array(clips, pa.string()))
            found = index.find(pa.array(names, pa.string()))
            spelt = index.settled(found)[0]
            assert [n for n, e in zip(spelt.tolist(), expected, strict=True) if e >= 0] == [
                e for e in expected if e >= 0
            ]
