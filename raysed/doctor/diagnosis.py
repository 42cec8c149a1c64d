"""The findings of the doctor: counts of every part of a data tree, problems and remarks; as tables or JSON."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from raysed.data.build.leakage import Leak
from raysed.data.clip import Event
from raysed.data.lengths import WHOLE_CLIP_S


@dataclass
class AudioCheck:
    """Headers of a group of files."""

    files: int = 0
    rates_hz: dict[int, int] = field(default_factory=dict)
    """Files of each sample rate."""
    stereo: int = 0
    """Files of more than one channel."""
    shortest_s: float = 0.0
    longest_s: float = 0.0
    hours: float = 0.0
    unreadable: list[str] = field(default_factory=list)
    doubtful: int = 0
    """Files whose header does not say how long they are: a cut would not be seen."""


@dataclass
class SubsetCheck:
    """A recorded subset, or a set of ready-made soundscapes."""

    name: str
    tsv: str
    listed: int = 0
    missing: int = 0
    """Clips that are listed without audio."""
    unlisted: list[str] = field(default_factory=list)
    """Audio files that no row lists, relative to the root."""
    eventless: int = 0
    """Labelled clips without an event."""
    overlaps: int = 0
    """Neighbouring events of one class that overlap."""
    past_end: int = 0
    """Events that begin within their clip and end after it."""
    unheard: int = 0
    """Events that begin after their clip has ended."""
    first_unheard: str = ""
    """The first of them, in words."""
    per_class: dict[str, int] = field(default_factory=dict)
    """Events of each class, of weakly labelled clips the clips."""
    audio: AudioCheck = field(default_factory=AudioCheck)

    def look_at_times(self, name: str, events: Iterable[Event], duration_s: float | None) -> None:
        """Count the events of a clip that reach past its end, where its length is known."""
        if duration_s is None:
            return
        for event in events:
            if event.onset >= duration_s:
                self.unheard += 1
                if self.unheard == 1:
                    self.first_unheard = f"{event.onset:g} s in {name}, of {duration_s:g} s"
            elif duration_s < event.offset < WHOLE_CLIP_S:
                self.past_end += 1


@dataclass
class BankCheck:
    """The soundbank of a split."""

    split: str
    foregrounds: dict[str, int]
    """Files of each class, suffixed folders included."""
    sources: int
    backgrounds: int
    without: list[str]
    """Classes that have no foreground here."""
    audio: AudioCheck


@dataclass
class SetCheck:
    """A data set of a job."""

    name: str
    state: str
    clips: int


@dataclass
class Diagnosis:
    """All findings; healthy when there are no problems."""

    target: str
    subsets: list[SubsetCheck] = field(default_factory=list)
    soundbank: list[BankCheck] = field(default_factory=list)
    rooms: dict[str, int] = field(default_factory=dict)
    """Impulse-response rooms of each split."""
    sets: list[SetCheck] = field(default_factory=list)
    leaks: list[Leak] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Problems that break a job, or the trust in its results."""
    remarks: list[str] = field(default_factory=list)
    """Remarks that a person should know, though a job copes with them."""

    @property
    def healthy(self) -> bool:
        """Tell whether no problems were found."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """Return all findings as JSON, with `ok`."""
        return {"ok": self.healthy, **asdict(self)}


def print_diagnosis(diagnosis: Diagnosis, console: Console) -> None:
    """Print tables of what there is, then problems and remarks, one a line."""
    if diagnosis.subsets:
        console.print(_subset_table(diagnosis.subsets))
        console.print(_class_table(diagnosis.subsets, diagnosis.soundbank))
    if diagnosis.soundbank:
        console.print(_bank_table(diagnosis.soundbank, diagnosis.rooms))
    if diagnosis.sets:
        console.print(
            _table(
                "data sets",
                ("set", "state", "clips"),
                [(s.name, s.state, s.clips) for s in diagnosis.sets],
            )
        )
    for word, lines in (("problem", diagnosis.problems), ("remark", diagnosis.remarks)):
        for line in lines:
            console.print(f"{word}: {line}", markup=False, highlight=False, soft_wrap=True)
    count = len(diagnosis.problems)
    console.print("healthy" if diagnosis.healthy else f"{count} problem{'s' * (count > 1)}")


def _table(title: str, columns: Iterable[str], rows: Iterable[tuple[object, ...]]) -> Table:
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    return table


def _subset_table(subsets: list[SubsetCheck]) -> Table:
    columns = (
        "subset",
        "listed",
        "there",
        "missing",
        "unreadable",
        "Hz",
        "seconds",
        "hours",
        "overlaps",
    )
    rows = [
        (
            s.name,
            s.listed,
            s.audio.files,
            s.missing,
            len(s.audio.unreadable),
            _rates(s.audio),
            _seconds(s.audio),
            f"{s.audio.hours:.1f}",
            s.overlaps,
        )
        for s in subsets
    ]
    return _table("recorded subsets and ready-made soundscapes", columns, rows)


def _class_table(subsets: list[SubsetCheck], banks: list[BankCheck]) -> Table:
    labelled = [s for s in subsets if s.per_class]
    classes = sorted(
        {c for s in labelled for c in s.per_class} | {c for b in banks for c in b.foregrounds}
    )
    columns = ("class", *(s.name for s in labelled), *(f"bank {b.split}" for b in banks))
    rows = [
        (
            label,
            *(s.per_class.get(label, 0) for s in labelled),
            *(b.foregrounds.get(label, 0) for b in banks),
        )
        for label in classes
    ]
    return _table("events (weak: clips) and foreground files of each class", columns, rows)


def _bank_table(banks: list[BankCheck], rooms: dict[str, int]) -> Table:
    columns = (
        "soundbank",
        "foregrounds",
        "sources",
        "backgrounds",
        "unreadable",
        "Hz",
        "seconds",
        "rooms",
    )
    rows = [
        (
            b.split,
            sum(b.foregrounds.values()),
            b.sources,
            b.backgrounds,
            len(b.audio.unreadable),
            _rates(b.audio),
            _seconds(b.audio),
            rooms.get(b.split, 0),
        )
        for b in banks
    ]
    return _table("soundbank and rooms", columns, rows)


def _rates(audio: AudioCheck) -> str:
    return " ".join(str(rate) for rate in sorted(audio.rates_hz)) or "-"


def _seconds(audio: AudioCheck) -> str:
    return f"{audio.shortest_s:.1f}-{audio.longest_s:.1f}" if audio.files else "-"
