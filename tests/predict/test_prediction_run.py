"""What `raysed predict` and `raysed export` write and return."""

import json
import os

import fsspec
import numpy as np
import pytest

from raysed.cli.predict_commands import export
from raysed.evaluation.detections.event_table import read_events_tsv
from raysed.evaluation.detections.events import Reference
from raysed.evaluation.detections.frame_scores import read_score_folder
from raysed.predict import prediction_run as run_module
from raysed.predict.detector import load_detector
from raysed.predict.output import EventWriter
from raysed.predict.settings import ClassPostProcessing
from raysed.predict.sources import Found, Recording, find_sources
from tests.predict.small import bursts, call, write


def test_tsv_on_standard_output(place, capsys):
    code, said = call(place, place / "audio")
    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert lines[0] == "filename\tonset\toffset\tevent_label"
    assert {line.split("\t")[0] for line in lines[1:]} == {
        "0.wav",
        "1.wav",
        "2.wav",
        "below/3.flac",
    }
    assert "4 recordings, 0.005 h" in said[-1] and "real-time factor" in said[-1]


def test_scores_read_again_give_the_events_at_any_threshold(place, tmp_path):
    files = [place / "audio" / f"{n}.wav" for n in range(3)]
    classes = load_detector(str(place / "best-dry.pt")).classes
    for threshold in ("0.5", "0.3", "0.7"):
        code, _ = call(
            place,
            *files,
            thresholds=(threshold,),
            out=str(tmp_path / "events.tsv"),
            scores=str(tmp_path / "scores"),
        )
        assert code == 0
        frame = read_events_tsv(tmp_path / "events.tsv")
        durations = {"0.wav": 5.0, "1.wav": 1.5, "2.wav": 9.0}
        reference = Reference.from_frame(frame, durations, classes)
        scores = read_score_folder(tmp_path / "scores", reference)
        found = scores.decode(float(threshold))
        assert len(found) == len(reference.events) > 0
        for field in ("clip_E", "onset_E"):
            np.testing.assert_allclose(
                getattr(found, field), getattr(reference.events, field), atol=1e-7
            )


def test_scores_in_sub_folders_are_found_by_score(place, tmp_path):
    """Writer and reader call a clip by its whole relative name without extension: one stem in two folders is two."""
    names = ("day1/take.wav", "day2/take.wav", "day2/Y1_30.000_40.000.wav", "b.FLAC")
    for n, name in enumerate(names):
        write(tmp_path / "audio" / name, bursts(3.0, seed=n))
    options = {"thresholds": ("0.5",), "out": str(tmp_path / "events.tsv")}
    code, _ = call(place, tmp_path / "audio", scores=str(tmp_path / "scores"), **options)
    assert code == 0
    written = sorted(
        p.relative_to(tmp_path / "scores").as_posix() for p in tmp_path.rglob("s*/*/*.tsv")
    )
    assert written == ["day1/take.tsv", "day2/Y1_30.000_40.000.tsv", "day2/take.tsv"]
    assert (tmp_path / "scores" / "b.tsv").is_file()
    classes = load_detector(str(place / "best-dry.pt")).classes
    durations = dict.fromkeys(names, 3.0)
    reference = Reference.from_frame(read_events_tsv(tmp_path / "events.tsv"), durations, classes)
    found = read_score_folder(tmp_path / "scores", reference).decode(0.5)
    assert len(found) == len(reference.events) > 0
    np.testing.assert_array_equal(found.clip_E, reference.events.clip_E)
    np.testing.assert_allclose(found.onset_E, reference.events.onset_E, atol=1e-7)


def test_two_recordings_of_one_score_file_are_refused_before_work(place, tmp_path, monkeypatch):
    for name in ("a.wav", "a.flac"):
        write(tmp_path / name, bursts(0.5))
    monkeypatch.setattr(run_module, "load_detector", pytest.fail)
    for options in ({"scores": str(tmp_path / "s")}, {"out": f"{tmp_path}/out/"}):
        with pytest.raises(ValueError, match=r"would both write a\.tsv"):
            call(place, tmp_path, **options)


def test_no_secret_of_an_address_is_written_or_said(place, tmp_path, monkeypatch):
    """Two addresses that nobody serves: one that is read, one of the checkpoint."""
    secret = "X-Amz-Signature=0123456789abcdef"
    url = f"http://user:word@127.0.0.1:9/day/take.wav?{secret}"
    good = str(place / "audio" / "1.wav")
    found = Found((Recording("take.wav", url), Recording("1.wav", good)))
    monkeypatch.setattr(run_module, "find_sources", lambda arguments: found)
    code, said = call(place, url, form="json", out=str(tmp_path / "all.json"))
    content = (tmp_path / "all.json").read_text()
    assert code == 3
    skipped = json.loads(content)["skipped"]
    assert [each["path"] for each in skipped] == ["http://127.0.0.1:9/day/take.wav?..."]
    for text in (content, *said):
        assert secret not in text and "word" not in text


def test_what_is_left_out_of_a_folder_is_said_once(place, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("raysed.data.containers.ffmpeg.shutil.which", lambda program: None)
    write(tmp_path / "a.wav", bursts(0.5))
    for name in ("._a.wav", ".Trash/b.wav", "c.m4a", "d.webm"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / "pipe.wav")
    code, said = call(place, tmp_path, form="json")
    content = json.loads(capsys.readouterr().out)
    assert code == 0 and [file["filename"] for file in content["files"]] == ["a.wav"]
    assert len(content["left_out"]) == 3
    assert [line for line in said if "left out" in line] == [
        f"note: {n}" for n in content["left_out"]
    ]


def test_recordings_at_a_lower_rate_are_counted_once(place, tmp_path, capsys):
    for n in range(3):
        write(tmp_path / f"{n}.wav", bursts(1.0, rate_hz=4000), 4000)
    code, said = call(place, tmp_path, place / "audio" / "1.wav", form="json")
    files = json.loads(capsys.readouterr().out)["files"]
    assert code == 0
    (line,) = [line for line in said if "lower rate" in line]
    assert line.startswith("note: 3 of 4 recordings are at a lower rate than the model's")
    notes = [file["notes"] for file in files]
    assert notes == [["at a lower rate than the model's (4000 Hz): nothing above 2000 Hz"]] * 3 + [
        []
    ]


def test_json_says_what_became_of_everything(place, tmp_path, capsys):
    (tmp_path / "text.wav").write_text("no audio" * 100)
    (tmp_path / "empty").mkdir()
    code, _ = call(
        place, place / "audio" / "1.wav", tmp_path / "text.wav", tmp_path / "empty", form="json"
    )
    content = json.loads(capsys.readouterr().out)
    assert code == 3
    (file,) = content["files"]
    assert file["filename"] == "1.wav" and file["duration"] == 1.5 and file["events"]
    assert {skipped["path"].split("/")[-1] for skipped in content["skipped"]} == {
        "text.wav",
        "empty",
    }
    assert content["network"] == "student" and content["real_time_factor"] > 0


def test_audacity_labels_one_file_a_recording(place, tmp_path):
    code, _ = call(place, place / "audio", form="audacity", out=str(tmp_path / "labels"))
    written = sorted(str(p.relative_to(tmp_path / "labels")) for p in tmp_path.rglob("*.txt"))
    assert code == 0 and written == ["0.txt", "1.txt", "2.txt", "below/3.txt"]
    onset, offset, label = (tmp_path / "labels/0.txt").read_text().splitlines()[0].split("\t")
    assert 0 <= float(onset) < float(offset) <= 5.0 and label in ("Cat", "Dog")


def test_what_is_read_is_not_overwritten(place, tmp_path):
    """A recording after --out by mistake, or the checkpoint, and one folder for events and scores."""
    wave = tmp_path / "0.wav"
    content = (place / "audio" / "0.wav").read_bytes()
    wave.write_bytes(content)
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    for out in (wave, tmp_path / "link" / "0.wav", place / "best-dry.pt"):
        with pytest.raises(ValueError, match="--out or --scores would overwrite what is read"):
            call(place, wave, out=str(out))
    with pytest.raises(ValueError, match="--out and --scores would both write it"):
        call(place, wave, out=str(tmp_path), scores=str(tmp_path / "link"))
    assert call(place, wave, out=str(tmp_path), form="audacity", scores=str(tmp_path))[0] == 0
    assert wave.read_bytes() == content
    with pytest.raises(ValueError, match="is the checkpoint itself"):
        export(str(place / "best-dry.pt"), place / "best-dry.pt")


def test_labels_of_many_recordings_in_one_place_are_refused(place):
    with pytest.raises(ValueError, match="give --out a folder"):
        call(place, place / "audio", form="audacity")


def test_nothing_usable_is_2(place, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    code, said = call(place, tmp_path / "empty")
    assert code == 2 and "holds no audio file" in said[0]
    (tmp_path / "text.wav").write_text("no audio" * 100)
    assert call(place, tmp_path / "text.wav")[0] == 2


def test_absent_paths_are_refused_together_before_work(place, monkeypatch):
    monkeypatch.setattr(run_module, "load_detector", pytest.fail)
    with pytest.raises(ValueError, match=r"(?s)a\.wav: no such.*nowhere://b"):
        call(place, "/absent/a.wav", "nowhere://b/c.wav", place / "audio")


def test_urls(place):
    memory = fsspec.filesystem("memory")
    memory.pipe("/predict/deep/a.wav", (place / "audio" / "0.wav").read_bytes())
    found = find_sources(["memory://predict"])
    assert [source.name for source in found.sources] == ["deep/a.wav"]
    assert call(place, "memory://predict")[0] == 0


def test_equal_names_are_told_apart(place):
    for folder in ("x", "y"):
        write(place / folder / "same.wav", bursts(0.5))
    names = [s.name for s in find_sources([str(place / f / "same.wav") for f in "xy"]).sources]
    assert [name.split("/")[-2:] for name in names] == [["x", "same.wav"], ["y", "same.wav"]]


def test_two_recordings_do_not_write_one_file(tmp_path):
    for name in ("a.wav", "a.flac"):
        write(tmp_path / name, bursts(0.5))
    sources = find_sources([str(tmp_path)]).sources
    with pytest.raises(ValueError, match=r"would both write a\.tsv"):
        EventWriter(str(tmp_path / "out/"), "tsv", sources)


@pytest.mark.parametrize(
    ("text", "message"),
    [("Cta=0.3", "did you mean Cat"), ("1.5", "expected 0 to 1"), ("Cat=x", "expected 0.4, or")],
)
def test_wrong_thresholds(place, text, message):
    with pytest.raises(ValueError, match=message):
        call(place, place / "audio", thresholds=(text,))


def test_settings_go_through_json():
    own = ClassPostProcessing(("Cat", "Dog"), (0.5, 0.5), (7, 7))
    changed = own.with_thresholds(["0.4", "Dog=0.2"]).with_value("median_window", "Cat", 9, "test")
    assert changed.threshold == (0.4, 0.2) and changed.median_window == (9, 7)
    assert own.updated(json.loads(json.dumps(changed.as_json())), "file") == changed
    for wrong in ({"threshold": {"Cat": 2}}, {"median_window": {"Cat": 4}}, {"nothing": 1}, []):
        with pytest.raises(ValueError, match="file: "):
            own.updated(wrong, "file")
