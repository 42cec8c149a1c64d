"""The bounding boxes of any system's score files, and tables of boxes."""

from io import TextIOWrapper
from pathlib import Path

import numpy as np

from raysed.evaluation.detections.bounding_boxes import Boxes, BoxSettings, bounding_boxes
from raysed.evaluation.detections.event_table import COLUMNS
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.detections.frame_scores import (
    FRAME,
    FrameScores,
    read_score_folder,
    score_files,
)
from raysed.storage.tab_separated import read_table
from raysed.storage.whole_file import whole_file

BOX_COLUMNS = (*COLUMNS, "confidence")


def boxes_of_folder(
    folder: Path, out: Path, settings: BoxSettings
) -> tuple[Boxes, tuple[str, ...], tuple[str, ...]]:
    """Write the boxes of every score file of a folder; return them with the names of clips and classes.

    A clip is called as its file, without suffix. Raises ValueError, naming file and line, for scores that are
    no probabilities, and where the table would lie among the score files.
    """
    if out.resolve().is_relative_to(folder.resolve()):
        raise ValueError(
            f"{out}: lies in {folder}, where it would be taken for a score file; give a place outside of it"
        )
    settings.check()
    filenames, classes, scores = read_bare_scores(folder)
    boxes = bounding_boxes(scores, settings)
    write_boxes(out, boxes, filenames, classes)
    return boxes, filenames, classes


def read_bare_scores(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...], FrameScores]:
    """Read the scores of a folder without its ground truth: names of clips, names of classes, scores."""
    files = score_files(folder)
    if not files:
        raise ValueError(f"{folder}: no score file (*.tsv) in this folder")
    first = next(iter(files.values()))
    columns = read_table(first, FRAME).columns
    classes = tuple(column for column in columns if column not in FRAME)
    if {"filename", "event_label"} & {*columns} or not classes:
        raise ValueError(
            f"{first}, line 1: expected the columns onset, offset and one of scores for each class, "
            f"given {', '.join(columns)}; this is a table of events, not of scores"
        )
    filenames = tuple(sorted(files))
    unknown_N = np.full(len(filenames), np.nan)
    reference = Reference(filenames, unknown_N, classes, Events.sort([], [], [], []))
    return filenames, classes, read_score_folder(folder, reference)


def write_boxes(
    path: Path, boxes: Boxes, filenames: tuple[str, ...], classes: tuple[str, ...]
) -> None:
    """Write filename, onset, offset, event_label and confidence; the file appears whole or not at all."""
    events = boxes.events
    columns = (events.clip_E, events.onset_E, events.offset_E, events.label_E, boxes.confidence_E)
    with whole_file(path) as binary:
        file = TextIOWrapper(binary, "utf-8", newline="\n")
        file.write("\t".join(BOX_COLUMNS) + "\n")
        file.writelines(
            f"{filenames[n]}\t{time_text(onset)}\t{time_text(offset)}\t{classes[k]}\t{confidence!r}\n"
            for n, onset, offset, k, confidence in zip(*(c.tolist() for c in columns), strict=True)
        )
        file.detach()


def time_text(value: float) -> str:
    """Format a time: whole nanoseconds, without zeros at the end."""
    return f"{value:.9f}".rstrip("0").removesuffix(".")
