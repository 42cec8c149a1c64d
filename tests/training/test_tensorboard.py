"""A trial's epochs as curves that TensorBoard reads."""

import struct
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event, SessionLog  # type: ignore[missing-module-attribute]

from raysed.storage.folder import Folder
from raysed.training.tensorboard import TensorBoard

EPOCHS = [
    {"epoch": 0, "loss": 0.5, "xvalid_f1": {"dry": 0.25, "plain": 0.125}},
    {"epoch": 1, "loss": 0.25, "xvalid_f1": {"dry": 0.5, "plain": 0.75}},
]


def events(folder: Path) -> list[Event]:
    """The records of the event files: length, its checksum, content, its checksum."""
    found = []
    for path in sorted((folder / "tensorboard").iterdir()):
        content = path.read_bytes()
        while content:
            (length,) = struct.unpack("<Q", content[:8])
            found.append(Event.FromString(content[12 : 12 + length]))
            content = content[16 + length :]
    return found


def points(folder: Path) -> list[tuple[str, int, float]]:
    return [
        (value.tag, event.step, value.simple_value)
        for event in events(folder)
        for value in event.summary.value
    ]


def test_one_point_per_epoch_and_metric(tmp_path: Path) -> None:
    with TensorBoard(Folder(str(tmp_path)), 0) as board:
        for metrics in EPOCHS:
            board.write(metrics)
    assert points(tmp_path) == [
        ("epoch", 0, 0.0),
        ("loss", 0, 0.5),
        ("xvalid_f1/dry", 0, 0.25),
        ("xvalid_f1/plain", 0, 0.125),
        ("epoch", 1, 1.0),
        ("loss", 1, 0.25),
        ("xvalid_f1/dry", 1, 0.5),
        ("xvalid_f1/plain", 1, 0.75),
    ]


def test_a_resumed_trial_replaces_what_came_after_its_checkpoint(tmp_path: Path) -> None:
    with TensorBoard(Folder(str(tmp_path)), 3):
        pass
    starts = [e.step for e in events(tmp_path) if e.session_log.status == SessionLog.START]
    assert starts == [3]


@pytest.mark.parametrize("out", [None, Folder("s3://bucket/trial")])
def test_nothing_is_written_for_other_ranks_or_other_file_systems(out: Folder | None) -> None:
    with TensorBoard(out, 0) as board:
        board.write(EPOCHS[0])
        assert board.writer is None
