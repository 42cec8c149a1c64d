"""`raysed init` says what it guessed and what comes next."""

from pathlib import Path

from typer.testing import CliRunner

from raysed.cli.commands import app
from tests.data.recorded import forms


def test_init_tells_and_writes(tmp_path: Path) -> None:
    forms.esc_folders(tmp_path / "esc", clips=30, seconds=0.2)
    done = CliRunner().invoke(app, ["init", str(tmp_path / "esc"), "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "2 folders, whose names are taken for classes: dog, rain" in done.output
    assert (
        "2 classes: dog, rain" in done.output
        and f"raysed data {tmp_path}/esc_data.yaml" in done.output
    )
    assert "note: set" not in done.output
    assert (tmp_path / "esc_data.yaml").is_file() and (tmp_path / "esc_space.yaml").is_file()


def test_init_says_which_classes_are_never_scored(tmp_path: Path) -> None:
    forms.esc_folders(tmp_path / "esc", clips=30, seconds=0.2)
    forms.audio(tmp_path / "esc/cat/0.wav", 0.2)
    done = CliRunner().invoke(app, ["init", str(tmp_path / "esc"), "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert done.output.count("note: set") >= 1 and "no event of cat" in done.output
