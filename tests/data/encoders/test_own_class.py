import pytest

from raysed.config.encoder import Encoder
from raysed.data.encoders.own_class import own_encoder
from tests.data.encoders import small


def config(name):
    return Encoder(kind="python", python=name)


def test_what_a_class_leaves_out_has_a_default():
    made = own_encoder(config(f"{small.__name__}:Centred"), None, "cpu")
    assert (made.span, made.centre, made.window, made.fixed) == (400, 0, None, False)
    assert made.licence == "not given"


def test_what_cannot_be_is_refused():
    for name in ("no.such.module:Class", f"{small.__name__}:Absent", "nothing"):
        with pytest.raises(ValueError, match=r"expected package\.module:Name"):
            own_encoder(config(name), None, "cpu")
    with pytest.raises(ValueError, match="NoWidth: its instances lack width"):
        own_encoder(config(f"{small.__name__}:NoWidth"), None, "cpu")
