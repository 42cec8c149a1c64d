import pytest

from raysed.config.encoder import Encoder, EncoderFacts
from raysed.config.fault import ConfigError
from raysed.config.reader import validate

FACTS = EncoderFacts(
    encoder={"kind": "beats"},
    layers=None,
    sha256="0",
    sample_rate_hz=16000,
    hop=2560,
    width=8,
    licence="MIT",
)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"kind": "onnx", "path": "a"}, "needs sample_rate_hz, hop"),
        ({"kind": "beats", "path": "a", "hop": 3}, "knows its own hop"),
        ({"kind": "beats"}, "needs `path`"),
        ({"kind": "python", "path": "a"}, "package.module:Class"),
        ({"kind": "cnn14", "path": "a", "python": "a:B"}, "package.module:Class"),
    ],
)
def test_keys_of_another_kind_are_refused(content, told):
    with pytest.raises(ConfigError, match=told):
        validate(content, Encoder, source="here")


@pytest.mark.parametrize(
    ("seconds", "rows"), [(10.0, 63), (0.16, 1), (0.161, 2), (0.0, 1), (9.92, 62)]
)
def test_the_last_row_may_begin_just_before_the_end(seconds, rows):
    assert FACTS.rows(seconds) == rows


def test_the_licence_decides_no_byte():
    assert FACTS.decides() == FACTS.model_copy(update={"licence": "another"}).decides()
    assert FACTS.decides() != FACTS.model_copy(update={"sha256": "1"}).decides()
    assert EncoderFacts.of(FACTS.model_dump(mode="json")) == FACTS
