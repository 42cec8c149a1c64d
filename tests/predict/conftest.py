import pytest

from tests.predict.small import bursts, checkpoint, write


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("predict")
    checkpoint(folder)
    for n, seconds in enumerate((5.0, 1.5, 9.0)):
        write(folder / "audio" / f"{n}.wav", bursts(seconds, seed=n))
    write(folder / "audio" / "below" / "3.flac", bursts(2.5, seed=9))
    return folder
