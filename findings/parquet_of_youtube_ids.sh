#!/usr/bin/env bash
# Versions: pandas 2.3.3, pyarrow 26.0.1, fsspec 2026.9.0, numpy 2.3.5.
# Input: frame scores of 64 clips, a Parquet file each, named by the clips' YouTube ids as AudioSet's are: 11 of A-Z, a-z, 0-9, - and
#   _, here with each of the 64 in front once.
# Expected: a folder that is read as a whole has all its files in it, or one that is left out is named.
# Observed: pandas.read_parquet and pyarrow.dataset leave out what begins with _ (or with a dot), without a word: Hadoop's rule for its
#   own files. Of 64 clips 63 are read. Of AudioSet strong's 16,996 evaluation clips about 265 would be gone, and with them their
#   events or their false alarms. A list of the same files, by Python's glob or fsspec's, is read whole, and so is the file alone;
#   a folder that begins with _ is passed over with all that is in it. DESED's names begin with Y and do not show it.
# Seen 2026-12-01:
#   pandas.read_parquet(folder): 63 clips    pyarrow.dataset(folder): 63 clips
#   pandas.read_parquet(list of files): 64   fsspec's glob: 64 files
#   _b2rcOmxL3b.parquet alone: 1 clip        a folder _fold0 of 64 files: 0 of them
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-compile \
  pandas==2.3.3 pyarrow==26.0.1 fsspec==2026.9.0 numpy==2.3.5 pytz==2026.6 tzdata==2026.6 \
  python-dateutil==2.9.0.post0 six==1.17.0

venv/bin/python -W ignore - <<'PY'
import shutil
import string
import sys
from pathlib import Path

import fsspec
import pandas as pd
import pyarrow.dataset

LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
folder = Path("scores")
folder.mkdir()
for letter in LETTERS:
    clip = f"{letter}b2rcOmxL3b"
    scores = pd.DataFrame({"clip": clip, "onset": [0.0, 0.5], "offset": [0.5, 1.0], "Dog": [0.1, 0.9]})
    scores.to_parquet(folder / f"{clip}.parquet")


def clips(frame: pd.DataFrame) -> int:
    return frame["clip"].nunique()


by_pandas = clips(pd.read_parquet("scores"))
by_arrow = clips(pyarrow.dataset.dataset("scores").to_table().to_pandas())
listed = clips(pd.read_parquet(sorted(map(str, folder.glob("*.parquet")))))
by_fsspec = len(fsspec.filesystem("file").glob("scores/*.parquet"))
alone = clips(pd.read_parquet("scores/_b2rcOmxL3b.parquet"))
shutil.copytree(folder, "folds/_fold0")
shutil.copytree(folder, "folds/fold1")
of_fold0 = sum("_fold0" in file for file in pyarrow.dataset.dataset("folds").files)
print(f"{f'pandas.read_parquet(folder): {by_pandas} clips':<40} pyarrow.dataset(folder): {by_arrow} clips")
print(f"{f'pandas.read_parquet(list of files): {listed}':<40} fsspec's glob: {by_fsspec} files")
print(f"{f'_b2rcOmxL3b.parquet alone: {alone} clip':<40} a folder _fold0 of 64 files: {of_fold0} of them")
if (by_pandas, by_arrow, listed, by_fsspec, alone, of_fold0) != (63, 63, 64, 64, 1, 0):
    sys.exit("changed: not what was seen when this was written")
PY
