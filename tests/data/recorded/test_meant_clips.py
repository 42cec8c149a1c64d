"""Names of labels find their clips."""

from collections import Counter
from collections.abc import Sequence

from hypothesis import example, given, settings
from hypothesis import strategies as st

from raysed.data.recorded.meant_clips import CLIP, LABEL, clips_named, find_meant
from raysed.storage.clip_name import compared_name, match_clips
from raysed.storage.scratch_database import ScratchDatabase


def meant(names: Sequence[str], clips: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return which clip each other name means, and the names that mean none or several."""
    found = ScratchDatabase(CLIP, LABEL)
    found.add("clip", ((None, clip, None, 1) for clip in sorted(clips)))
    found.add("label", ((name, None) for name in names))
    missing = list(find_meant(found))
    pairs = found.rows("SELECT meant.name, clip.name FROM meant JOIN clip USING (n)")
    return {str(name): str(clip) for name, clip in pairs}, missing


def test_names_mean_clips_in_the_order_of_exactness() -> None:
    clips = ["d/a.wav", "e/b.flac", "Yb0RFKhbpFJA_30.000_40.000.wav", "x/c.wav", "y/c.wav"]
    assert meant(["d/a.wav"], clips) == ({}, [])
    assert meant(["b"], clips) == ({"b": "e/b.flac"}, [])
    assert meant(["soft_e/b"], clips) == ({"soft_e/b": "e/b.flac"}, [])
    assert meant(["b0RFKhbpFJA_30000", "none", "c"], clips) == (
        {"b0RFKhbpFJA_30000": "Yb0RFKhbpFJA_30.000_40.000.wav"},
        ["c", "none"],
    )
    assert meant([], clips) == ({}, []) and meant(["a"], []) == ({}, ["a"])


def test_a_name_in_many_rows_is_one() -> None:
    assert meant(["none", "b", "none", "b"], ["b.wav"]) == ({"b": "b.wav"}, ["none"])


def test_clips_are_named_by_their_very_name_or_otherwise() -> None:
    assert clips_named(["a.wav", "b", "none"], ["a.wav", "x/b.flac", "c.wav"]) == {
        "a.wav",
        "x/b.flac",
    }


def by_meaning(names: list[str], clips: list[str]) -> dict[str, str]:
    """The rules in words of Python: by parts, then by the last part alone."""
    found = match_clips(names, clips)
    last = {name: compared_name(name).rpartition("/")[2] for name in names if name not in found}
    if any("/" in name for name in last):
        by_last = match_clips(last.values(), clips)
        count = Counter(by_last.get(part) for part in last.values())
        found |= {
            n: clip for n, part in last.items() if (clip := by_last.get(part)) and count[clip] == 1
        }
    return found


NAMES = st.lists(
    st.lists(st.sampled_from(["a", "b", "\u00e9", "e\u0301"]), min_size=1, max_size=3).flatmap(
        lambda parts: st.sampled_from(["", ".wav", ".mp3", ".txt", ".wav.wav"]).map(
            lambda end: "/".join(parts) + end
        )
    ),
    max_size=7,
    unique=True,
)


@settings(max_examples=100)
@given(clips=NAMES, names=NAMES)
@example(clips=["a", "a.mp3"], names=["a.wav", "b/c"])
def test_names_mean_what_a_loop_finds(clips: list[str], names: list[str]) -> None:
    others = [name for name in names if name not in clips]
    expected = by_meaning(others, sorted(clips))
    assert meant(names, clips) == (expected, sorted(n for n in others if n not in expected))
