"""What a configuration leaves out of an encoder's rows follows from what it gives."""

from raysed.config.encoder import Encoder
from raysed.data.encoders.given_rows import GivenRows


def rows(**fields) -> GivenRows:
    given = {"path": "net.onnx", "kind": "onnx", "sample_rate_hz": 16000, "hop": 320} | fields
    return GivenRows(Encoder.model_validate(given))


def test_a_row_hears_its_own_step_around_its_middle() -> None:
    found = rows()
    assert (found.span, found.centre, found.window, found.fixed) == (320, 160, None, False)
    assert found.licence == "not given" and found.path == "net.onnx"


def test_what_is_given_counts() -> None:
    found = rows(span=400, centre=0, fixed_length=16000, licence="MIT")
    assert (found.span, found.centre, found.window, found.fixed) == (400, 0, 16000, True)
    assert found.licence == "MIT"
