"""The recordings of folders, globs and manifests, and audio that lies in Parquet."""

from pathlib import Path

import pytest

from raysed.data.recorded.audio_rows import Told, audio_rows, class_names, embedded_bytes
from raysed.storage.scratch_database import ScratchDatabase
from tests.data.recorded import forms


def listed(audio: Path | str) -> tuple[str, list[tuple], Told | None]:
    found = ScratchDatabase()
    root, told = audio_rows(str(audio), found)
    return root, list(found.rows("SELECT name, path, size FROM clip ORDER BY n")), told


def test_only_audio_that_can_be_read_is_listed_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("raysed.data.containers.ffmpeg.shutil.which", lambda program: None)
    for name in ("b.wav", "a.flac", "d/c.WAV"):
        forms.audio(tmp_path / name)
    forms.text(tmp_path / "e.m4a", "not read")
    root, rows, told = listed(tmp_path)
    assert (root, told) == (str(tmp_path), None)
    assert [name for name, *_ in rows] == ["a.flac", "b.wav", "d/c.WAV"]
    with pytest.raises(ValueError, match="holds no audio file that can be read"):
        listed(f"{tmp_path}/*.ogg")


@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_the_order_of_names_is_that_of_texts_however_files_are_listed(
    tmp_path: Path, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["b.wav", "a/x.wav", "a-b/y.wav", "a.wav", "é/z.wav", "Z.wav", "a/b/c.wav", "a/B.wav"]
    for name in names:
        forms.audio(tmp_path / name)
    monkeypatch.setattr("raysed.storage.files._ENTRIES_AT_ONCE", at_once)
    assert [name for name, *_ in listed(tmp_path)[1]] == sorted(names)


def test_a_manifest_may_not_leave_its_folder(tmp_path: Path) -> None:
    forms.audio(tmp_path / "a.wav")
    path = forms.text(tmp_path / "m/list.tsv", "filename\n../a.wav\n")
    with pytest.raises(ValueError, match=r"'\.\./a\.wav' leaves the manifest's folder"):
        listed(path)
    path = forms.text(tmp_path / "m/other.tsv", "name\na.wav\n")
    with pytest.raises(ValueError, match="has no column with file names, only name"):
        listed(path)


def test_files_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    forms.audio(tmp_path / "a.wav")
    path = forms.text(tmp_path / "list.tsv", "filename\na.wav\ngone.wav\n")
    _, rows, told = listed(path)
    assert rows == [("a.wav", None, (tmp_path / "a.wav").stat().st_size)]
    assert told is not None and sum(map(len, told())) == sum(map(len, told())) == 2


def test_a_manifest_may_name_a_file_twice_and_in_any_order(tmp_path: Path) -> None:
    sizes = [forms.audio(tmp_path / f"{n}.wav", 0.1 * n + 0.1).stat().st_size for n in range(3)]
    path = forms.text(tmp_path / "list.tsv", "filename\n2.wav\n0.wav\n2.wav\n\n1.wav\n")
    expected = [(f"{n}.wav", None, sizes[n]) for n in range(3)]
    assert listed(path)[1] == expected
    assert listed(f"file://{path}")[1] == expected


def test_none_of_a_manifests_files_is_there(tmp_path: Path) -> None:
    path = forms.text(tmp_path / "list.tsv", "filename\nb.wav\na.wav\nb.wav\n")
    with pytest.raises(ValueError, match=r"none of its 2 files is there, such as \['a\.wav'\]"):
        listed(path)


def test_rows_of_parquet_are_decoded_from_their_row_group(tmp_path: Path) -> None:
    path = forms.hugging_face(tmp_path / "t.parquet", clips=5)
    assert embedded_bytes(f"{path}#4") == forms.encoded(1.0, 4)
    assert embedded_bytes(f"{path}#0") == forms.encoded(1.0, 0)
    with pytest.raises(ValueError, match="has no row 9"):
        embedded_bytes(f"{path}#9")


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ('{"l": {"names": ["a"], "_type": "ClassLabel"}}', {"l": ["a"]}),
        (
            '{"l": {"feature": {"names": ["a"], "_type": "ClassLabel"}, "_type": "Sequence"}}',
            {"l": ["a"]},
        ),
        ('{"l": [{"names": ["a"], "_type": "ClassLabel"}]}', {"l": ["a"]}),
        ('{"l": {"dtype": "string", "_type": "Value"}}', {}),
    ],
)
def test_names_of_classes_stand_in_the_schema(features: str, expected: dict) -> None:
    assert (
        class_names({b"huggingface": f'{{"info": {{"features": {features}}}}}'.encode()})
        == expected
    )
    assert class_names({}) == {} and class_names({b"huggingface": b"no json"}) == {}
