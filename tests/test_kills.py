"""The campaign of kills: its table, and that the page shows the stored one."""

from collections import Counter
from pathlib import Path

from benchmarks.kills import DATA, Stage
from benchmarks.kills_table import PAGE, stored_table, table


def test_the_page_shows_the_stored_campaign() -> None:
    assert stored_table() in PAGE.read_text()


def test_a_row_tells_kills_ends_and_bytes() -> None:
    stage = Stage(
        "data",
        "raysed.data",
        Path("job.yaml"),
        DATA,
        "out",
        files=3,
        compared_bytes=1234,
        same=True,
    )
    stage.killed = Counter({"raylet": 1, "ray::_make_clips": 2})
    stage.ends = Counter({0: 1, -9: 2, 3: 1})
    row = table([stage.as_json()]).splitlines()[-1]
    assert (
        row
        == "| data | 3 | 2 _make_clips, 1 raylet | 2 with -9, 1 with 0, 1 with 3 | 3 | 1,234 | yes |"
    )
    stage.same = False
    assert "| NO |" in table([stage.as_json()])
