import numpy as np

from raysed.config.data_job import Features
from raysed.data.encoders.clip_rows import embed_clips
from tests.data.encoders.small import Centred

FEATURES = Features(duration_s=1.0, n_mels=16, hop=510)


class At32000(Centred):
    """The same at another rate."""

    sample_rate_hz, span, window, fixed, licence = 32000, 400, None, False, ""


def test_clips_are_resampled_and_cut_to_their_own_length():
    click_T = np.zeros(20000, np.float32)
    click_T[4100], click_T[17000] = 1.0, 1.0  # at 0.25625 s, and past the clip's end
    found = embed_clips(At32000(), [click_T, click_T[:9001]], FEATURES)
    assert [len(rows) for rows in found] == [80, 46]
    for rows_RE in found:
        assert rows_RE[:, 0].argmax() == 4100 * 2 // 400
        assert rows_RE[25:, 0].max() < 0.05
