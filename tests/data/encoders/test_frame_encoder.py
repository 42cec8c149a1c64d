import numpy as np
import pytest

from raysed.data.encoders.frame_encoder import embed, row_count
from raysed.data.encoders.opening import find_encoder, open_encoder
from tests.data.encoders.small import HOP, encoders

KINDS = (
    "onnx",
    "onnx_fixed",
    "torchscript",
    "python",
    "openwakeword",
    "cnn14",
    "beats",
    "atst",
    "m2d",
)
EXACT = ("onnx", "onnx_fixed", "python")
"""Encoders whose rows hear one hop each."""


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    made = encoders(tmp_path_factory.mktemp("encoders"))
    return {name: open_encoder(find_encoder(config, None), "cpu") for name, config in made.items()}


def noise_of(encoder, seconds):
    """Noise, with a louder moment that sets the floor of a front end which floors under its maximum."""
    rng = np.random.default_rng(5)
    noise_T = rng.normal(0, 0.003, int(seconds * encoder.sample_rate_hz)).astype(np.float32)
    loud_T = noise_T[: encoder.sample_rate_hz // 20]
    loud_T += rng.normal(0, 0.9, len(loud_T)).astype(np.float32)
    return noise_T


def changes(encoder, clip_T, click_s):
    """The squared changes of each row by a click of 5 ms."""
    at, half = int(click_s * encoder.sample_rate_hz), encoder.sample_rate_hz // 400
    clicked_T = clip_T.copy()
    clicked_T[at - half : at + half] += np.random.default_rng(at).normal(0, 0.2, 2 * half)
    before_RE, after_RE = embed(encoder, [clip_T])[0], embed(encoder, [clicked_T])[0]
    return np.square(after_RE - before_RE).sum(1)


@pytest.mark.parametrize("kind", EXACT)
@pytest.mark.parametrize("seconds", [0.75, 23.0])
def test_a_click_changes_its_own_row_and_no_other(opened, kind, seconds):
    """In clips shorter and longer than the window of 1 s that one of the encoders has."""
    encoder = opened[kind]
    clip_T = noise_of(encoder, seconds)
    assert embed(encoder, [clip_T])[0].shape == (row_count(len(clip_T), encoder), 1)
    for row in np.linspace(3, seconds * 16000 // HOP - 1, 5).astype(int):
        changed_R = changes(encoder, clip_T, (row + 0.5) * HOP / 16000)
        assert np.flatnonzero(changed_R > 1e-9 * changed_R.max()).tolist() == [row]


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(EXACT)))
@pytest.mark.parametrize("seconds", [4.0, 23.0])
def test_a_click_changes_the_rows_around_its_time(opened, kind, seconds):
    """In clips shorter and longer than the window of 10 s that BEATs has, and many windows of the small ATST-Frame (1.6 s)
    and M2D (1.1 s). Rows hear more than their hop, so what
    counts is the centre of gravity of the changes: no bias, and half of the clicks within half a hop.
    """
    encoder = opened[kind]
    clip_T, hop_s = noise_of(encoder, seconds), encoder.hop / encoder.sample_rate_hz
    assert embed(encoder, [clip_T])[0].shape == (row_count(len(clip_T), encoder), encoder.width)
    off = []
    for click_s in np.linspace(1.0, seconds - 1, 12):
        changed_R = changes(encoder, clip_T, click_s)
        # The attention of random weights spreads a little of a click over all rows of a window.
        changed_R[changed_R < 0.05 * changed_R.max()] = 0
        middle_R = (np.arange(len(changed_R)) + 0.5) * hop_s
        off.append(((changed_R * middle_R).sum() / changed_R.sum() - click_s) / hop_s)
    assert abs(np.mean(off)) < 0.25
    assert np.median(np.abs(off)) < 0.5 and np.abs(off).max() < 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_does_not_depend_on_the_others(opened, kind):
    encoder = opened[kind]
    clips = [noise_of(encoder, seconds) for seconds in (1.2, 3.0, 0.4)]
    together = embed(encoder, clips)
    for clip_T, rows_RE in zip(clips, together, strict=True):
        np.testing.assert_allclose(embed(encoder, [clip_T])[0], rows_RE, rtol=1e-4, atol=1e-5)


def test_rows_of_many_windows_are_those_of_one(opened):
    """Of an encoder whose rows hear one hop, wherever the windows lie."""
    clip_T = np.random.default_rng(0).normal(0, 0.1, 16000 * 7 + 123).astype(np.float32)
    one, many = (embed(opened[kind], [clip_T])[0] for kind in ("onnx", "onnx_fixed"))
    np.testing.assert_allclose(many, one, rtol=1e-5)


def test_the_values_of_a_row_by_hand(opened):
    clip_T = np.arange(1000, dtype=np.float32)
    (rows_R1,) = embed(opened["onnx"], [clip_T])
    np.testing.assert_allclose(
        rows_R1[:, 0], [clip_T[:400].sum(), clip_T[400:800].sum(), clip_T[800:].sum()], rtol=1e-6
    )


class Lies:
    """An encoder that gives fewer rows than its span tells, or values that are no numbers."""

    sample_rate_hz, hop, span, centre, window, fixed, width, licence = (
        16000,
        400,
        400,
        200,
        None,
        False,
        1,
        "",
    )

    def __init__(self, value, rows):
        self.value, self.rows = value, rows

    def __call__(self, waveform_BT):
        return np.full((len(waveform_BT), self.rows, 1), self.value, np.float32)


def test_rows_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match=r"rows of shape \(1, 1\).*expected at least 3 rows of 1"):
        embed(Lies(0.0, 1), [np.zeros(1200, np.float32)])
    with pytest.raises(ValueError, match="not numbers"):
        embed(Lies(np.nan, 3), [np.zeros(1200, np.float32)])
