"""The recordings to predict: files, folders and URLs of any fsspec file system."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import fsspec

EXTENSIONS = (
    *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".snd"),
    *(".caf", ".w64", ".rf64", ".sph", ".nist", ".voc", ".avr", ".paf", ".ircam", ".sf"),
)
"""Extensions that are looked for in folders; a file that is given by name is tried whatever its extension."""


@dataclass(frozen=True)
class Source:
    """A recording: its name in the output, and its place."""

    name: str
    """Unique in a run: the file's name, or its path within the folder that was given."""
    url: str
    """Absolute path or URL."""

    def output(self, extension: str) -> str:
        """Return the relative path of a file that is written about it."""
        return str(PurePosixPath(self.name).with_suffix(extension))


@dataclass(frozen=True)
class Found:
    """The recordings of a run, and the folders that hold none."""

    sources: tuple[Source, ...]
    empty: tuple[str, ...]


def find_sources(arguments: Sequence[str]) -> Found:
    """Expand files, folders (recursively, sorted) and URLs.

    Raises ValueError naming every argument that is not there.
    """
    sources: list[Source] = []
    empty, faults = [], []
    for argument in arguments:
        try:
            found = list(_expand(argument))
        except (ValueError, ImportError, OSError) as error:
            faults.append(f"{argument}: {error}")
            continue
        sources += found
        if not found:
            empty.append(argument)
    if faults:
        raise ValueError("\n  ".join(["these cannot be predicted:", *faults]))
    return Found(_unique(sources), tuple(empty))


def refuse_shared_outputs(sources: Sequence[Source], folder: str, extension: str) -> None:
    """Raise ValueError where two recordings would write the same file."""
    count = Counter(source.output(extension) for source in sources)
    for source in sources:
        if count[output := source.output(extension)] > 1:
            urls = [other.url for other in sources if other.output(extension) == output]
            raise ValueError(f"{folder}: {' and '.join(urls)} would both write {output}")


def _expand(argument: str) -> Iterator[Source]:
    if "://" not in argument:
        argument = str(Path(argument).expanduser().resolve())
    file_system, root = fsspec.core.url_to_fs(argument)
    if file_system.isfile(root):
        yield Source(PurePosixPath(root).name, argument)
        return
    if not file_system.isdir(root):
        raise ValueError("no such file or folder")
    root = root.rstrip("/")
    # What a chained URL is within (`zip://folder::s3://bucket/a.zip`).
    head, chain, rest = argument.partition("::")
    within = chain + rest if "://" in head else ""
    for path in sorted(file_system.find(root)):
        name = path.removeprefix(root).lstrip("/")
        if PurePosixPath(path).suffix.lower() in EXTENSIONS:
            url = path if "://" not in argument else file_system.unstrip_protocol(path)
            yield Source(name, url + within)


def _unique(sources: list[Source]) -> tuple[Source, ...]:
    """Return each recording once; where two have one name, both are named by their places."""
    sources = list({source.url: source for source in sources}.values())
    count = Counter(source.name for source in sources)
    return tuple(
        Source(source.url.lstrip("/").replace("://", "/"), source.url)
        if count[source.name] > 1
        else source
        for source in sources
    )
