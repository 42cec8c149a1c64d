"""A folder with a predictable name among those of others."""

import stat
from pathlib import Path

import pytest

from raysed.storage import private_folder as module
from raysed.storage.private_folder import private_folder


@pytest.fixture
def everyones(tmp_path: Path) -> Path:
    """Like the system's temporary folder."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_made_for_its_owner_alone(everyones: Path) -> None:
    assert mode(private_folder(everyones / "cache")) == 0o700
    assert mode(private_folder(everyones / "cache")) == 0o700


def test_one_of_ours_that_others_could_write_is_closed(everyones: Path) -> None:
    (everyones / "cache").mkdir()
    (everyones / "cache").chmod(0o777)
    assert mode(private_folder(everyones / "cache")) == 0o700


@pytest.mark.parametrize("kind", ["link", "file", "somebody else's"])
def test_what_is_not_ours_is_refused_and_untouched(
    everyones: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, elsewhere = everyones / "cache", everyones / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    if kind == "link":
        path.symlink_to(elsewhere)
    elif kind == "file":
        path.write_text("mine")
    else:
        path.mkdir(mode=0o755)
        monkeypatch.setattr(module, "getuid", lambda: path.stat().st_uid + 1)
    before = mode(path)
    with pytest.raises(ValueError, match=r"cache: is not a folder of your own.*RAYSED_CACHE"):
        private_folder(path)
    assert mode(path) == before and list(elsewhere.iterdir()) == []


def test_where_only_the_owner_makes_names_a_shared_folder_or_a_link_is_their_choice(
    tmp_path: Path,
) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk").chmod(0o775)
    (tmp_path / "cache").symlink_to(tmp_path / "disk")
    assert private_folder(tmp_path / "cache") == tmp_path / "cache"
    assert mode(tmp_path / "disk") == 0o775
