#!/usr/bin/env bash
# Versions: dcase_util 0.2.20, sed_eval 0.2.1, sed_scores_eval 0.0.4, pandas 2.3.3, numpy 2.3.5.
# Input: two events as a tab-separated table (filename, onset, offset, event_label): as it is, with the line
#   `# made by a detector` above its header, and with a further column `made_by` instead.
# Expected: readers skip a line that begins with `#`, as numpy.loadtxt does, or refuse the file.
# Observed: dcase_util and pandas take the comment for the header, without a warning. For dcase_util, and sed_eval, which reads by
#   it, the table then has three rows of one field and no event: a system that finds all of the truth has an F-score of NaN. For
#   pandas the last field of each row, the real header among them, is a column of the comment's name, and the other three are its
#   index. sed_scores_eval reads by pandas, looks at the column names and raises a ValueError. A further column bothers none of
#   them. `comment="#"` makes pandas skip the line, and cuts later fields at their first `#`: `take#2.wav` becomes `take`.
# Seen 2026-11-30:
#   as it is         sed_eval: 2 events, F 1.0; pandas: filename, onset, offset, event_label; sed_scores_eval: 2 events
#   comment line     sed_eval: 0 events, F nan; pandas: # made by a detector; sed_scores_eval: ValueError
#   further column   sed_eval: 2 events, F 1.0; pandas: the four and made_by; sed_scores_eval: 2 events
#   pandas, comment="#": take#2.wav is read as take
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH
export MPLCONFIGDIR="$work"
cd "$work"
"${PYTHON:-python3}" -m venv venv
# sed_scores_eval comes as source and is compiled here (needs a C compiler).
venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-compile \
  sed_scores_eval==0.0.4 sed_eval==0.2.1 dcase_util==0.2.20 numpy==2.3.5 scipy==1.17.1 \
  pandas==2.3.3 pytz==2026.6 tzdata==2026.6 python-dateutil==2.9.0.post0 six==1.17.0 future==1.0.0 \
  setuptools==65.5.0 PyYAML==6.0.3 validators==0.36.0 einops==0.8.2 lazy-dataset==0.0.15 librosa==0.11.0 \
  lazy-loader==0.6 packaging==26.3 soundfile==0.14.0 cffi==2.1.1 pycparser==3.12 typing_extensions==4.16.0 \
  matplotlib==3.11.2 contourpy==1.3.3 cycler==0.12.1 fonttools==4.68.0 kiwisolver==1.5.1 pillow==13.0.0 \
  pyparsing==3.3.3 requests==2.34.2 urllib3==2.8.0 idna==3.20 certifi==2026.10.18 charset-normalizer==3.5.2

venv/bin/python -W ignore - <<'PY'
import io
import sys
from pathlib import Path

import pandas as pd
import sed_eval
from dcase_util.containers import MetaDataContainer
from sed_eval.sound_event import EventBasedMetrics
from sed_scores_eval.base_modules.io import read_ground_truth_events

EVENTS = [("a.wav", 1.0, 2.0, "Dog"), ("b.wav", 4.0, 5.0, "Cat")]
COLUMNS = ("filename", "onset", "offset", "event_label")


def table(columns: tuple[str, ...], *more: str) -> str:
    rows = [columns, *((*event, *more) for event in EVENTS)]
    return "".join("\t".join(map(str, row)) + "\n" for row in rows)


def by_sed_eval(path: str) -> str:
    """The events of the table, and the event-based F-score of a system that found these where they are the truth."""
    read = sed_eval.io.load_event_list(path, csv_header=True, file_format="CSV", delimiter="\t")
    truth = MetaDataContainer([dict(zip(COLUMNS, event, strict=True)) for event in EVENTS])
    metrics = EventBasedMetrics(event_label_list=["Cat", "Dog"])
    for name in truth.unique_files:
        metrics.evaluate(truth.filter(filename=name), read.filter(filename=name))
    found = sum("event_label" in item for item in read)
    return f"{found} events, F {metrics.results_overall_metrics()['f_measure']['f_measure']}"


def by_sed_scores_eval(path: str) -> str:
    try:
        return f"{sum(map(len, read_ground_truth_events(path).values()))} events"
    except ValueError:
        return "ValueError"


texts = {
    "as it is": table(COLUMNS),
    "comment line": "# made by a detector\n" + table(COLUMNS),
    "further column": table((*COLUMNS, "made_by"), "a detector"),
}
found = []
for name, text in texts.items():
    Path("events.tsv").write_text(text)
    columns = ", ".join(pd.read_csv("events.tsv", sep="\t").columns)
    columns = columns.replace(f"{', '.join(COLUMNS)}, ", "the four and ")
    line = f"sed_eval: {by_sed_eval('events.tsv')}; pandas: {columns}"
    found.append(f"{name:<15}  {line}; sed_scores_eval: {by_sed_scores_eval('events.tsv')}")
    print(found[-1])
cut = pd.read_csv(io.StringIO("filename\ntake#2.wav\n"), sep="\t", comment="#").filename[0]
print(f'pandas, comment="#": take#2.wav is read as {cut}')
names = ", ".join(COLUMNS)
expected = [
    f"as it is         sed_eval: 2 events, F 1.0; pandas: {names}; sed_scores_eval: 2 events",
    "comment line     sed_eval: 0 events, F nan; pandas: # made by a detector; sed_scores_eval: ValueError",
    "further column   sed_eval: 2 events, F 1.0; pandas: the four and made_by; sed_scores_eval: 2 events",
]
if found != expected or cut != "take":
    sys.exit("changed: not what was seen when this was written")
PY
