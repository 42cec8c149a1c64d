"""Files laid over each other: what is merged, and where each key then stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysed.config.fault import ConfigError, place_of
from raysed.config.layers import merge, read_layers

LEAVES = st.none() | st.integers() | st.lists(st.integers(), max_size=2)
MAPPINGS = st.recursive(
    st.dictionaries(st.sampled_from("abc"), LEAVES, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner | LEAVES, max_size=3),
    max_leaves=6,
)


def test_mappings_merge_and_the_rest_replaces():
    base = {"a": {"x": 1, "y": [1, 2]}, "b": 1, "c": {"x": 1}}
    change = {"a": {"y": [3]}, "b": {"x": 2}, "c": None, "d": 4}
    assert merge(base, change) == {"a": {"x": 1, "y": [3]}, "b": {"x": 2}, "c": None, "d": 4}


@given(MAPPINGS, MAPPINGS)
def test_merging_changes_neither_and_twice_is_once(base, change):
    before = repr((base, change))
    merged = merge(base, change)
    assert repr((base, change)) == before
    assert merge(merged, change) == merged
    assert merge({}, change) == change and merge(base, {}) == base
    assert merged.keys() == base.keys() | change.keys()


@given(MAPPINGS, MAPPINGS, MAPPINGS)
def test_a_key_is_that_of_the_last_layer_that_has_it(first, second, third):
    merged = merge(merge(first, second), third)
    for key, value in third.items():
        if not isinstance(value, dict):
            assert merged[key] == value


@pytest.fixture
def layers(tmp_path, monkeypatch):
    """Writes files of the working directory, and reads the first one."""
    monkeypatch.chdir(tmp_path)

    def read(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.yaml").write_text(text)
        return read_layers(f"{next(iter(texts))}.yaml")

    return read


def test_three_files_and_the_places_of_their_keys(layers):
    content, places = layers(
        top="extends: middle.yaml\nb: {y: 3}\n",
        middle="extends: low.yaml\na: [2]\n",
        low="a: [1, 1]\nb:\n  x: 1\n  y: 1\nc: 1\n",
    )
    assert content == {"a": [2], "b": {"x": 1, "y": 3}, "c": 1}
    assert places["b", "y"] == "top.yaml:2"
    assert places["a", 0] == "middle.yaml:2"
    assert places["b", "x"] == "low.yaml:3" and places["c",] == "low.yaml:5"
    # The second item of the list that was replaced stands nowhere any more.
    assert place_of(("a", 1), places) == "middle.yaml:2"


@pytest.mark.parametrize(
    ("texts", "fault"),
    [
        ({"a": "extends: 1\n"}, "a.yaml:1: extends: a path is expected, given 1"),
        ({"a": "\nextends: b.yaml\n"}, "a.yaml:2: extends: b.yaml: no such file"),
        ({"a": "extends: b.yaml\n", "b": "- 1\n"}, "a.yaml:1: extends: b.yaml holds no mapping"),
        ({"a": "extends: a.yaml\n"}, "in a circle, a.yaml -> a.yaml"),
        (
            {"a": "extends: b.yaml\n", "b": "extends: ./a.yaml\n"},
            "b.yaml:1: extends: in a circle, a.yaml -> b.yaml -> a.yaml",
        ),
    ],
)
def test_what_cannot_be_laid_over(layers, texts, fault):
    with pytest.raises(ConfigError) as error:
        layers(**texts)
    assert fault in error.value.faults[0]
