from raysed.config.annotated_set import AnnotatedSet
from raysed.config.data_job import RecordedSet, SyntheticSet
from raysed.config.encoder import Embeddings
from raysed.data.build.set_identity import set_as_stored, set_identity

ROWS = Embeddings(encoder="beats", layers=(12,))


def test_encoders_and_places_are_no_part_of_it():
    plain = {
        "recorded": RecordedSet(kind="recorded", subset="weak"),
        "synthetic": SyntheticSet(kind="synthetic", split="train", count=3),
        "annotated": AnnotatedSet(kind="annotated", audio="here", type="none"),
    }
    for data_set in plain.values():
        with_rows = data_set.model_copy(update={"embeddings": ROWS})
        assert set_identity(with_rows) == set_identity(data_set)
        assert set_as_stored(with_rows) == set_as_stored(data_set)
    assert set_identity(plain["annotated"]) == {"kind": "annotated", "type": "none"}
    assert "part" not in set_as_stored(plain["synthetic"]) and "audio" not in set_as_stored(
        plain["annotated"]
    )
