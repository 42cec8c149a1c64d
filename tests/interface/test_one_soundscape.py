"""One soundscape is the job's, to the bit."""

import numpy as np
import pytest

from raysed.config.data_job import DataJob
from raysed.config.reader import validate
from raysed.data.soundscapes.context import SoundscapeContext
from raysed.data.soundscapes.soundscape import make_soundscape
from raysed.interface.one_soundscape import one_soundscape

CHOSEN = {"count": 20, "pitch_shift_semitones": 0.0, "max_polyphony": 9}


def of_the_job(demo, index):
    content = {
        "name": "j",
        "out": "o",
        "features": {"duration_s": 2.0},
        "roots": {
            "soundbank": str(demo / "sounds/synthetic"),
            "cooccurrences": str(demo / "sounds/metadata"),
        },
        "sets": {"s": {"kind": "synthetic", "split": "train", "seed": 4} | CHOSEN},
    }
    return make_soundscape(
        SoundscapeContext.from_job(validate(content, DataJob, source="j"), "s"), index
    )


def test_it_is_the_jobs(demo):
    made = one_soundscape(
        demo / "sounds/synthetic", 4, 3, duration_s=2.0,
        cooccurrences=demo / "sounds/metadata", **CHOSEN,
    )  # fmt: skip
    job = of_the_job(demo, 3)
    assert np.array_equal(made.waveform, job.waveform_T) and made.filename == job.filename
    assert made.events.to_numpy().tolist() == [
        [e.onset, e.offset, e.event_label] for e in job.events
    ]
    assert made.specification["events"][0]["role"] == "background"


def test_a_bank_without_cooccurrences_gives_every_class_alike(demo):
    made = [
        one_soundscape(demo / "sounds/synthetic", 1, n, duration_s=2.0, **CHOSEN) for n in (0, 19)
    ]
    assert made[0].specification["events"][1]["label"] == "Dog"
    assert made[1].specification["events"][1]["label"] == "Speech"
    assert len(made[0].waveform) == 2 * made[0].sample_rate


def test_the_filter_may_drop_it(demo):
    dropped = [
        one_soundscape(demo / "sounds/synthetic", 1, n, duration_s=2.0, max_polyphony=1, count=8)
        for n in range(8)
    ]
    assert any(each is None for each in dropped)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"index": 20}, r"index 20: this set has the soundscapes 0 to 19"),
        ({"snr": 3}, "snr"),
        ({"duration_s": -1}, "duration_s"),
    ],
)
def test_wrong_settings_are_refused(demo, more, message):
    with pytest.raises(ValueError, match=message):
        one_soundscape(demo / "sounds/synthetic", **(CHOSEN | more))


def test_a_folder_that_is_no_bank_is_refused(tmp_path):
    with pytest.raises(ValueError, match="foreground"):
        one_soundscape(tmp_path)
