"""The recordings of a command line: names, places, and what is shown of them."""

import io
import os
import zipfile
from pathlib import Path

import fsspec
import pytest

from raysed.predict import sources as sources_module
from raysed.predict.sources import Recording, find_sources, refuse_shared_outputs

SECRET = "X-Amz-Signature=0123456789abcdef"


class Web:
    """A file system in which every address is a file."""

    def isfile(self, root: str) -> bool:
        return True


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources_module.fsspec.core, "url_to_fs", lambda url: (Web(), url))


def test_a_signed_address_is_read_and_never_shown(web: None) -> None:
    url = f"https://user:word@host.example/day%201/take%C3%A9.wav?{SECRET}&x=a/b.wav#part"
    (source,) = find_sources([url]).sources
    assert source.name == "takeé.wav" and source.url == url
    assert source.shown == "https://host.example/day%201/take%C3%A9.wav?..."
    assert source.output(".tsv") == "takeé.tsv"


def test_equal_names_of_addresses_are_told_apart_without_their_queries(web: None) -> None:
    found = find_sources([f"https://host.example/{day}/a.wav?{SECRET}" for day in "12"])
    assert [source.name for source in found.sources] == [
        "https/host.example/1/a.wav",
        "https/host.example/2/a.wav",
    ]
    with pytest.raises(ValueError, match="2 URLs that differ in their query only") as refused:
        find_sources([f"https://host.example/a.wav?n={n}&{SECRET}" for n in (1, 2)])
    assert SECRET not in str(refused.value)


def test_an_address_that_is_not_there_is_named_without_its_query() -> None:
    with pytest.raises(ValueError, match=r"nowhere://host/a\.wav\?\.\.\.: ") as refused:
        find_sources([f"nowhere://user:word@host/a.wav?{SECRET}"])
    assert SECRET not in str(refused.value) and "word" not in str(refused.value)


@pytest.mark.parametrize(
    "name", ["a::b.wav", "zip::c.wav", "what?.wav", "100%25.wav", "#1.wav", "~x.wav"]
)
def test_the_disk_is_asked_before_a_name_is_read_as_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    for argument in (name, str(tmp_path / name), str(tmp_path)):
        (source,) = find_sources([argument]).sources
        assert (source.name, source.url) == (
            name,
            str(tmp_path / name),
        ) and source.shown == source.url
        assert source.output(".txt") == f"{name.removesuffix('.wav')}.txt"


def test_what_is_neither_there_nor_an_address(tmp_path: Path) -> None:
    long = f"https-{'x' * 300}.wav"
    with pytest.raises(
        ValueError, match=r"(?s)a::b\.wav: no such file or folder.*x\.wav: .*too long"
    ):
        find_sources([str(tmp_path / "a::b.wav"), str(tmp_path / long)])


def test_a_pipe_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    for argument in (str(tmp_path / "pipe.wav"), f"file://{tmp_path}/pipe.wav"):
        with pytest.raises(ValueError, match=r"pipe\.wav: is no regular file"):
            find_sources([argument])


def archive(*names: str) -> str:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name in names:
            file.writestr(name, b"")
    fsspec.filesystem("memory").pipe("/sources/a.zip", content.getvalue())
    return "zip://::memory://sources/a.zip"


@pytest.mark.parametrize("name", ["../evil.wav", "a/../../evil.wav", "a\\..\\evil.wav"])
def test_members_that_leave_their_archive_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="leaves its folder"):
        find_sources([archive("good.wav", name)])


def test_an_archive_of_a_mac(tmp_path: Path) -> None:
    found = find_sources(
        [archive("day/good.wav", "__MACOSX/day/._good.wav", "day/film.mp4", "/abs.wav")]
    )
    assert [source.name for source in found.sources] == ["abs.wav", "day/good.wav"]
    assert len(found.notes) == 2 and all("a.zip: left out" in note for note in found.notes)


def test_names_that_no_table_holds_are_skipped_and_the_others_found(tmp_path: Path) -> None:
    for name in ("a\tb.wav", "c\nd.wav", "good.wav"):
        (tmp_path / name).touch()
    found = find_sources([str(tmp_path)])
    assert [source.name for source in found.sources] == ["good.wav"]
    assert [reason for _, reason in found.skipped] == [
        "its name holds a tab, a line break or another control character"
    ] * 2
    assert not any("\t" in place or "\n" in place for place, _ in found.skipped)


def test_a_folder_without_recordings_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").touch()
    found = find_sources([str(tmp_path)])
    assert found.skipped == ((str(tmp_path), "holds no audio file that can be read"),)
    assert "1 .mp4" in found.notes[0]


def test_two_recordings_of_one_output() -> None:
    sources = [Recording(f"a{end}", f"/x/a{end}") for end in (".wav", ".flac", ".b.wav")]
    assert [source.output(".tsv") for source in sources] == ["a.tsv", "a.tsv", "a.b.tsv"]
    with pytest.raises(ValueError, match=r"out: /x/a\.wav and /x/a\.flac would both write a\.tsv"):
        refuse_shared_outputs(sources, "out", ".tsv")
    refuse_shared_outputs(sources[1:], "out", ".tsv")


def test_only_an_audio_suffix_is_taken_off_a_name() -> None:
    assert Recording("day1/Y1_30.000_40.000", "").output(".tsv") == "day1/Y1_30.000_40.000.tsv"
    assert Recording("day1/Y1_30.000_40.000.WAV", "").output(".tsv") == "day1/Y1_30.000_40.000.tsv"
