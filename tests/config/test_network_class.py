"""A network of one's own is part of a trial's id, with the file that holds it."""

import pytest

from raysed.config.fault import ConfigError
from raysed.config.network_class import OwnNetwork
from raysed.config.reader import validate
from raysed.config.trial import Model
from raysed.storage.own_python import own_hash
from tests.training.tiny import trial

NAME = "tests.model.own_nets:Frames"


def test_the_file_is_in_the_id():
    assert "own" not in Model().identity()
    config = trial(model=Model(own=OwnNetwork(python=NAME, settings={"scale": 2.0})))
    expected = {"python": NAME, "settings": {"scale": 2.0}, "source": own_hash(NAME)}
    assert config.training_identity()["model"]["own"] == expected


def test_what_is_stored_keeps_its_file():
    stored = {"python": NAME, "settings": {}, "source": "0123456789ab"}
    assert validate(stored, OwnNetwork, source="config.json").source == "0123456789ab"
    gone = {**stored, "python": "gone.nets:Net"}
    assert validate(gone, OwnNetwork, source="config.json").python == "gone.nets:Net"


def test_a_class_that_is_not_there_is_refused_where_the_space_is_read():
    with pytest.raises(ConfigError, match=r"gone\.nets:Net: gone\.nets is not found"):
        validate({"python": "gone.nets:Net"}, OwnNetwork, source="space.yaml")
