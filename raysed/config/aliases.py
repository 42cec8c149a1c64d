"""The size of a YAML document with its aliases written out, told before anything is written out.

Ten lines of aliases of aliases are a billion values. The parsed nodes are shared, so their size is a sum over
the file as it stands.
"""

import yaml

from raysed.config.fault import ConfigError

LARGEST = 1_000_000
"""The most values of one file, aliases written out; the paper's whole ablation has about a thousand."""


def check_size(root: yaml.Node, source: str) -> None:
    """Raise ConfigError, with the line, for an alias that contains itself or that makes too many values."""
    _size(root, source, {})


def _size(node: yaml.Node, source: str, known: dict[int, int | None]) -> int:
    """Return the number of values in a node; `known` has those of other nodes, None of those around it."""
    if id(node) in known:
        size = known[id(node)]
        if size is None:
            raise ConfigError([f"{source}:{_line(node)}: an alias contains itself"])
        return size
    known[id(node)] = None
    total = 1
    for child in _children(node):
        total += _size(child, source, known)
        if total > LARGEST:
            raise ConfigError(
                [
                    f"{source}:{_line(node)}: more than {LARGEST:,} values where its aliases are written"
                    " out; a configuration has some thousand"
                ]
            )
    known[id(node)] = total
    return total


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [each for pair in node.value for each in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1
