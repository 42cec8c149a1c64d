"""Pictures of a data set: labels where they belong, files that stay small."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer import Exit

from raysed.config.data_job import Features
from raysed.data.features.store import open_dataset
from raysed.data.pictures import _label_bands, clips_to_show, draw, pictures
from tests.data.small_sets import write_set


@pytest.mark.parametrize("subset", ["synthetic", "weak", "unlabelled"])
def test_a_small_png(tmp_path: Path, subset: str) -> None:
    pictures(write_set(tmp_path / "set", subset), tmp_path / "docs/set.png", clips=3)
    with Image.open(tmp_path / "docs/set.png") as image:
        assert image.size == (800, 416) and len(np.unique(np.asarray(image))) > 10
    assert (tmp_path / "docs/set.png").stat().st_size < 150_000


def test_events_are_drawn_where_they_are(tmp_path: Path) -> None:
    found = open_dataset(write_set(tmp_path / "set"), tmp_path / "cache")
    assert clips_to_show(found, 9) == [0, 1, 3, 4]
    first, second = draw(found, [0, 2]).axes
    bar, edges = (collection.get_segments() for collection in first.collections)
    assert [x for x, _ in bar[0]] == [0.1, 0.4] and [e[0][0] for e in edges] == [0.1, 0.4]
    assert [text.get_text() for text in first.texts] == ["Cat"]
    assert not second.collections and not second.texts


def test_bands_are_labelled_in_hertz() -> None:
    from matplotlib.figure import Figure

    axis = Figure().subplots()
    _label_bands(axis, Features())
    hertz = [float(label.get_text()) for label in axis.get_yticklabels()]
    # Slaney's scale: 8 kHz is 45.2 mel, half of it 22.6.
    assert hertz[0] == 0 and hertz[-1] == 8000
    assert hertz[2] == pytest.approx(1000 * 6.4 ** ((45.245 / 2 - 15) / 27), abs=2)


def test_what_is_no_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Exit) as caught:
        pictures(str(tmp_path), tmp_path / "out.png")
    assert caught.value.exit_code == 2
