"""The DALI pipeline against the definition in mel.py."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raysed.data.features.mel import mel_amplitude
from raysed.data.features.mel_dali import DaliMel, _mel_pipeline, in_turns
from tests.data.features.test_mel import SMALL, assert_close_db, noise


def test_dali_takes_partial_batches_and_no_more() -> None:
    dali = DaliMel(SMALL, device_id=None, batch=2)
    first, second = dali([noise(16000, 1), noise(900, 2)])
    kept = first.copy()
    (third,) = dali([noise(16000, 3)])
    np.testing.assert_array_equal(first, kept)
    assert not np.array_equal(first, third)
    assert_close_db(second, mel_amplitude(noise(900, 2), SMALL))
    assert dali([]) == []
    with pytest.raises(ValueError, match="3 waveforms"):
        dali([noise(10)] * 3)


@settings(max_examples=20)
@given(lengths=st.lists(st.integers(1, 20_000), min_size=1, max_size=4))
def test_a_batch_is_its_clips_one_by_one(lengths: list[int]) -> None:
    clips = [noise(length, seed) for seed, length in enumerate(lengths)]
    dali = DaliMel(SMALL, device_id=None, batch=4)
    together = dali(clips)
    for clip_T, mel_TF in zip(clips, together, strict=True):
        np.testing.assert_array_equal(dali([clip_T])[0], mel_TF)
        assert mel_TF.shape == mel_amplitude(clip_T, SMALL).shape


def test_silence_in_the_waveform_is_part_of_the_clip() -> None:
    padded = SMALL.model_copy(update={"pad": "waveform"})
    (mel_TF,) = DaliMel(padded, device_id=None, batch=1)([noise(8000)])
    assert_close_db(mel_TF, mel_amplitude(noise(8000), padded))
    assert len(mel_TF) == padded.n_frames


def test_one_bad_waveform_is_refused_before_the_pipeline_runs() -> None:
    dali = DaliMel(SMALL, device_id=None, batch=2)
    with pytest.raises(ValueError, match="1 NaN"):
        dali([noise(900), np.array([0.0, np.nan], np.float32)])
    # The refused batch leaves nothing behind.
    assert_close_db(dali([noise(900)])[0], mel_amplitude(noise(900), SMALL))


@pytest.mark.parametrize("together", [1, 2, 3])
def test_pipelines_that_take_turns_give_what_one_gives(together: int) -> None:
    """As on a GPU: asynchronous, a part of the batch at a time."""
    clips = [noise(length, length) for length in (16000, 9000, 400, 16000, 12000, 1, 7000)]
    expected = DaliMel(SMALL, device_id=None, batch=7)(clips)
    pipelines = [
        _mel_pipeline(
            SMALL, False, batch_size=2, device_id=None, num_threads=2, prefetch_queue_depth=1,
            exec_async=True, exec_pipelined=False,
        )
        for _ in range(together)
    ]  # fmt: skip
    for pipeline in pipelines:
        pipeline.build()
    for _ in range(2):
        found = in_turns(pipelines, [clips[n : n + 2] for n in range(0, 7, 2)])
        assert [np.array_equal(a[: len(b)], b) for a, b in zip(found, expected, strict=True)] == [
            True
        ] * 7
    assert in_turns(pipelines, []) == []
