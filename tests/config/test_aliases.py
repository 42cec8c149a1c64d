"""Aliases of aliases are refused by their size, before they are written out."""

import pytest
import yaml

from raysed.config.aliases import LARGEST, check_size
from raysed.config.fault import ConfigError
from raysed.config.reader import read_yaml


def levels(count, width=10):
    """A list of `width` texts, and `count` lists of `width` aliases of the one before each."""
    rows = [f"a0: &a0 [{', '.join(['x'] * width)}]"]
    rows += [f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * width)}]" for n in range(count)]
    return "\n".join(rows) + "\n"


def test_a_few_aliases_are_read(tmp_path):
    (tmp_path / "a.yaml").write_text(levels(2))
    content, places = read_yaml(tmp_path / "a.yaml")
    assert len(content["a2"]) == len(content["a2"][0]) == len(content["a2"][0][0]) == 10
    assert places["a2", 0].endswith("a.yaml:2")


def test_aliases_of_aliases_are_refused_with_their_line(tmp_path):
    # Level n holds more than 10^(n + 1) values: the fifth passes a million, on line 6.
    (tmp_path / "a.yaml").write_text(levels(8))
    with pytest.raises(ConfigError, match=rf"a\.yaml:6: more than {LARGEST:,} values"):
        read_yaml(tmp_path / "a.yaml")


def test_merge_keys_count_too(tmp_path):
    rows = ["a0: &a0 {x: 1}"]
    rows += [f"a{n + 1}: &a{n + 1} {{<<: [{', '.join([f'*a{n}'] * 10)}]}}" for n in range(8)]
    (tmp_path / "a.yaml").write_text("\n".join(rows))
    with pytest.raises(ConfigError, match=r"a\.yaml:\d: more than"):
        read_yaml(tmp_path / "a.yaml")


def test_an_alias_that_contains_itself_has_a_line():
    root = yaml.SafeLoader("b: 1\na: &x [*x]").get_single_node()
    with pytest.raises(ConfigError, match=r"^job:2: an alias contains itself$"):
        check_size(root, "job")
