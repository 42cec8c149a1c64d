"""The output of prediction: events as TSV, JSON or Audacity labels, scores as sed_scores_eval's TSV.

Times are in seconds with all their digits: frame edges are whole samples.
"""

import json
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Literal

import numpy as np

from raysed.evaluation.detections.event_table import COLUMNS
from raysed.predict.recordings import RecordingScores
from raysed.predict.settings import PredictedEvent
from raysed.predict.sources import Recording, refuse_shared_outputs
from raysed.storage.folder import write_atomically
from raysed.storage.whole_file import whole_file

Format = Literal["tsv", "json", "audacity"]

EXTENSION: dict[Format, str] = {"tsv": ".tsv", "json": ".json", "audacity": ".txt"}
SIDECAR = "postprocessing.json"
MAKERS = ("checkpoint", "network", "raysed")
"""The others that made the events, as far as they are known."""
_ROWS_AT_ONCE = 10_000


class EventWriter:
    """Writes the events of one recording after the other: to standard output, one file, or a file for each.

    Standard output gets each recording's TSV as soon as it is known; a file appears whole or not at all.
    """

    def __init__(
        self,
        out: str | None,
        form: Format,
        sources: Sequence[Recording],
        postprocessing: dict[str, Any] | None = None,
    ) -> None:
        """Raises ValueError for Audacity labels of several recordings in one place, since labels do not name
        a recording.
        """
        self._form, self._out = form, Path(out) if out else None
        self._folder = self._out if self._out and _is_folder(out or "") else None
        if self._folder:
            refuse_shared_outputs(sources, str(out), EXTENSION[form])
        elif form == "audacity" and len(sources) > 1:
            raise ValueError(
                f"Audacity's labels do not say which of {len(sources)} recordings they are of: "
                "give --out a folder"
            )
        self._made_by = {} if postprocessing is None else {"postprocessing": postprocessing}
        boxes = postprocessing is not None and postprocessing["method"] == "boxes"
        columns = (*COLUMNS, "confidence") if boxes else COLUMNS
        self._lines: list[str] = [] if form != "tsv" else ["\t".join(columns)]
        self._files: list[dict[str, Any]] = []

    @property
    def sidecar(self) -> Path | None:
        """Return the file that says what made the events, where their format has no place for it.

        The field's readers take a comment line for the header of a TSV, and Audacity's labels have none.
        """
        if self._out is None or self._form == "json":
            return None
        return self._folder / SIDECAR if self._folder else self._out.with_suffix(f".{SIDECAR}")

    def files(self, sources: Sequence[Recording]) -> list[Path]:
        """Return the files that will be written; none for standard output."""
        if self._folder:
            return [self._folder / source.output(EXTENSION[self._form]) for source in sources]
        return [self._out] if self._out else []

    def write(
        self, source: Recording, events: list[PredictedEvent], duration_s: float, notes: list[str]
    ) -> None:
        """Write one recording's events."""
        if self._form == "json":
            self._files.append(_json_of(source, events, duration_s, notes))
        elif self._form == "audacity":
            self._lines += [f"{_s(on)}\t{_s(off)}\t{label}" for on, off, label, *_ in events]
        else:
            name = source.name
            self._lines += [
                "\t".join((name, _s(on), _s(off), label, *map(repr, confidence)))
                for on, off, label, *confidence in events
            ]
        if self._folder:
            text = (
                _dump(self._files[0] | self._made_by)
                if self._form == "json"
                else _text(self._lines)
            )
            write_atomically(self._folder / source.output(EXTENSION[self._form]), text.encode())
            self._files.clear()
            del self._lines[1 if self._form == "tsv" else 0 :]
        elif self._out is None and self._form != "json":
            sys.stdout.write(_text(self._lines))
            sys.stdout.flush()
            self._lines.clear()

    def close(self, about: dict[str, Any]) -> None:
        """Finish the one place that all events go to; `about` is the part of the JSON on the whole run."""
        if self._made_by and (path := self.sidecar):
            # Its keys are those that --postprocessing reads.
            made = {key: about[key] for key in MAKERS if key in about}
            write_atomically(path, _dump({**self._made_by["postprocessing"], **made}).encode())
        if self._folder:
            return
        text = _text(self._lines)
        if self._form == "json":
            text = _dump({**about, "files": self._files})
        if self._out:
            write_atomically(self._out, text.encode())
        else:
            sys.stdout.write(text)
            sys.stdout.flush()


def write_scores(
    folder: str, source: Recording, scores: RecordingScores, classes: Sequence[str]
) -> None:
    """Write `FOLDER/<recording>.tsv`: onset, offset and a column for each class, one row a frame.

    The scores should be smoothed, since readers compare them with a threshold without a filter. When they are
    read again, any decimal threshold splits them as it splits the float16 scores.
    """
    path = Path(folder, source.output(".tsv"))
    seconds_T1 = scores.edge_T1
    kept = np.flatnonzero(np.diff(seconds_T1) > 0)
    with whole_file(path) as binary:
        file = TextIOWrapper(binary, "utf-8", newline="\n")
        file.write("\t".join(("onset", "offset", *classes)) + "\n")
        for start in range(0, len(kept), _ROWS_AT_ONCE):
            rows = kept[start : start + _ROWS_AT_ONCE]
            # The shortest digits that read back as the same float16.
            text_RK = scores.scores_TK[rows].astype(np.float16).astype(str)
            file.writelines(
                "\t".join((_s(onset), _s(offset), *text_K)) + "\n"
                for onset, offset, text_K in zip(
                    seconds_T1[rows].tolist(),
                    seconds_T1[rows + 1].tolist(),
                    text_RK.tolist(),
                    strict=True,
                )
            )
        file.detach()


def _json_of(
    source: Recording, events: list[PredictedEvent], duration_s: float, notes: list[str]
) -> dict[str, Any]:
    return {
        "filename": source.name,
        "path": source.shown,
        "duration": duration_s,
        "notes": notes,
        "events": [
            {"onset": round(onset, 7), "offset": round(offset, 7), "event_label": label}
            | ({"confidence": confidence[0]} if confidence else {})
            for onset, offset, label, *confidence in events
        ],
    }


def _is_folder(out: str) -> bool:
    return out.endswith("/") or Path(out).is_dir() or not Path(out).suffix


def _s(seconds: float) -> str:
    """Format seconds; a sample at 16 kHz is 0.0000625 s."""
    return f"{seconds:.7f}".rstrip("0").removesuffix(".")


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _dump(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
