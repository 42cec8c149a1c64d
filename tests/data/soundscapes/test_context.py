"""What soundscapes are made from: sources, co-occurrences, labels by index, generators by purpose."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from raysed.config.data_job import DataJob, Roots
from raysed.data.soundscapes.context import (
    SoundscapeContext,
    cooccurrence_path,
    random_state,
    row_of,
    soundscape_count,
    soundscape_indices,
    soundscape_name,
    source_info,
)
from tests.data.banks import edge_job, write_audio, write_edge_bank


@pytest.fixture(scope="module")
def edge_roots(tmp_path_factory: pytest.TempPathFactory) -> Roots:
    return write_edge_bank(tmp_path_factory.mktemp("edge"))


def context_of(job: DataJob) -> SoundscapeContext:
    return SoundscapeContext.from_job(job, "soundscapes")


def changed(context: SoundscapeContext, **changes: object) -> SoundscapeContext:
    """The same sources for another configuration of the set."""
    return replace(context, data_set=context.data_set.model_copy(update=changes))


@pytest.mark.parametrize(
    ("count", "shares"),
    [(30, [6, 6, 6, 6, 3, 3]), (7, [1, 1, 1, 1, 1, 1]), (4, [1, 1, 1, 1, 0, 0])],
)
def test_every_label_gets_its_rounded_share(
    edge_roots: Roots, count: int, shares: list[int]
) -> None:
    context = context_of(edge_job(edge_roots, count=count))
    assert soundscape_count(context) == sum(shares)
    rows = [row_of(context, index) for index in range(sum(shares))]
    assert [rows.count(row) for row in context.cooccurrences] == shares
    # Label by label, in the order of the file.
    assert rows == sorted(rows, key=context.cooccurrences.index)
    with pytest.raises(AssertionError):
        row_of(context, sum(shares))


def test_parts_are_a_tenth_and_the_rest(edge_roots: Roots) -> None:
    context = context_of(edge_job(edge_roots, count=30))
    assert soundscape_indices(context) == range(30)
    train, held_out = (
        set(soundscape_indices(changed(context, part=p))) for p in ("train", "xvalid")
    )
    assert len(held_out) == 3 and not train & held_out and train | held_out == set(range(30))
    again = changed(context, part="xvalid", split_seed=1)
    assert set(soundscape_indices(again)) != held_out
    assert list(soundscape_indices(again)) == sorted(soundscape_indices(again))


def test_names_tell_split_and_index(edge_roots: Roots) -> None:
    context = context_of(edge_job(edge_roots))
    assert soundscape_name(context, 7) == "train-000007.wav"
    assert soundscape_name(changed(context, split="xvalid"), 123456) == "xvalid-123456.wav"


def test_generators_depend_on_seed_split_index_and_purpose_alone(edge_roots: Roots) -> None:
    context = context_of(edge_job(edge_roots))

    def draw(index: int = 3, purpose: str = "events", **changes: object) -> float:
        return random_state(changed(context, **changes), index, purpose).uniform()

    assert draw() == draw(count=99, pitch_shift_semitones=0.0, reverb="sox")
    others = [draw(4), draw(3, "pitch"), draw(seed=6), draw(split="xvalid")]
    assert len({draw(), *others}) == 5
    # The draws that every data set made so far is made of.
    assert draw() == pytest.approx(0.3035289388146992, abs=1e-15)


def test_which_file_of_cooccurrences_a_split_reads(tmp_path: Path) -> None:
    def path_of(split: str) -> str:
        return Path(cooccurrence_path(Roots(cooccurrences=str(tmp_path)), split)).name

    assert path_of("train") == path_of("xvalid") == "event_occurences_train.json"
    assert path_of("eval") == "event_occurences_eval.json"
    (tmp_path / "event_occurences_validation.json").write_text("{}")
    assert path_of("xvalid") == "event_occurences_validation.json"
    own = tmp_path / "mine.json"
    own.write_text("{}")
    for split in ("train", "xvalid", "eval"):
        assert cooccurrence_path(Roots(cooccurrences=str(own)), split) == str(own)


def test_rooms_are_listed_only_where_they_are_heard(tmp_path: Path, edge_roots: Roots) -> None:
    write_audio(tmp_path / "rir/train/a.wav", 0.1)
    roots = edge_roots.model_copy(update={"rir": str(tmp_path / "rir")})
    assert len(context_of(edge_job(roots, reverb="rir")).rooms) == 1
    assert context_of(edge_job(roots, reverb="sox")).rooms == ()


def test_a_label_that_x_valid_lacks_is_replaced_with_a_warning(tmp_path: Path) -> None:
    roots = write_edge_bank(tmp_path)
    held = tmp_path / "synthetic/audio/validation/soundbank"
    for folder in ("Speech", "Frying"):
        write_audio(held / "foreground" / folder / "held_0.wav", 1.0)
    context = context_of(edge_job(roots, split="xvalid"))
    labels = [row.label for row in context.cooccurrences]
    assert labels == ["Dog", "Speech", "Frying", "Frying", "Frying", "Frying"]
    assert [warning.split(" in this split")[0] for warning in context.warnings] == [
        "no foregrounds of Frying_nOff",
        "no foregrounds of Frying_nOn",
        "no foregrounds of Frying_nOn_nOff",
    ]


def test_sets_of_different_seeds_agree_on_which_sources_are_x_valid(tmp_path: Path) -> None:
    roots = write_edge_bank(tmp_path, validation_folder=False)
    sources = {
        split: {
            str(path)
            for seed in range(5)
            for path in sources_of(context_of(edge_job(roots, split=split, seed=seed)))
        }
        for split in ("train", "xvalid")
    }
    assert sources["train"] and sources["xvalid"] and not sources["train"] & sources["xvalid"]


def sources_of(context: SoundscapeContext) -> list[str]:
    bank = context.soundbank
    return [path for paths in bank.foreground.values() for path in paths] + list(bank.backgrounds)


def test_continuous_sources_that_are_too_short_are_told(edge_roots: Roots) -> None:
    job = edge_job(edge_roots)
    assert context_of(job).warnings == ()
    longer = job.model_copy(
        update={"features": job.features.model_copy(update={"duration_s": 16.0})}
    )
    (warning,) = context_of(longer).warnings
    assert "Frying_nOn_nOff/c_0.wav" in warning and "16 s" in warning


def test_labels_outside_soundbank_or_classes_are_refused(edge_roots: Roots, tmp_path: Path) -> None:
    job = edge_job(edge_roots)
    with pytest.raises(ValueError, match=r"'Speech' is not of the classes Dog, Frying"):
        context_of(job.model_copy(update={"classes": ("Dog", "Frying")}))
    content = json.loads(Path(edge_roots.cooccurrences, "event_occurences_train.json").read_text())
    content["Bird"] = content.pop("Dog")
    (tmp_path / "o.json").write_text(json.dumps(content))
    roots = edge_roots.model_copy(update={"cooccurrences": str(tmp_path / "o.json")})
    with pytest.raises(ValueError, match="'Bird' has no foreground folder"):
        context_of(edge_job(roots))


def test_a_source_that_is_no_audio_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no audio at all")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 16000)
    write_audio(tmp_path / "cut.wav", 2.0)
    whole = (tmp_path / "cut.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[:20_044])
    for name, fault in (
        ("text", "cannot be read as audio"),
        ("empty", "holds no samples"),
        ("cut", "ends after 10000 samples, its header says 32000"),
        ("absent", "cannot be read as audio"),
    ):
        with pytest.raises(ValueError, match=rf"{tmp_path}/{name}\.wav: {fault}"):
            source_info(str(tmp_path / f"{name}.wav"))
    write_audio(tmp_path / "good.wav", 0.5)
    assert source_info(str(tmp_path / "good.wav")).duration == 0.5
