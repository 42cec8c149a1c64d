"""Intervals over groups of clips: against formulas, against none, and in everything that a report writes."""

import shutil

import numpy as np
import pytest

from raysed.evaluation.counts.statistics import collect
from raysed.evaluation.detections.events import Events, Reference
from raysed.evaluation.intervals.bootstrap import jackknife_se
from raysed.page.content import page_content
from raysed.report.grouped_results import read_grouped, with_groups
from raysed.report.report import write_report
from raysed.report.results import Measured, Result, read_results
from raysed.run.run_plan import RunPlan
from raysed.storage.folder import Folder
from raysed.storage.json_file import write_json
from tests.old_run.old import HERE
from tests.report.made_up import CLIPS, changed_plan

NAMES = [f"clip{n:02d}.wav" for n in range(CLIPS)]


def table(group_of) -> str:
    rows = (f"{name}\t{group_of(n)}\n" for n, name in enumerate(NAMES))
    return "filename\tgroup\n" + "".join(rows)


def give_groups(run: Folder, group_of) -> None:
    """As `raysed tune` leaves a run of a space with groups."""
    run.write("groups.tsv", table(group_of).encode())
    write_json(run, "plan.json", changed_plan(run, groups="mine.tsv").as_json())


def ends(report):
    return [(value.value, value.low, value.high) for value in report.cells]


def half_right() -> Result:
    """One event and one detection a clip, right in every second pair of clips: event F1 is the share of these."""
    clip_N, onset_N = np.arange(CLIPS), np.ones(CLIPS)
    label_N = np.zeros(CLIPS, int)
    truth = Reference(
        tuple(NAMES), np.full(CLIPS, 10.0), ("Dog",), Events.sort(clip_N, label_N, onset_N, onset_N + 1)
    )  # fmt: skip
    late_N = onset_N + 5 * (clip_N // 2 % 2)
    found = collect(truth, Events.sort(clip_N, label_N, late_N, late_N + 1))
    return Result("a", "1", "t", "dry", 0, "val", found, {}, None)


def test_two_identical_clips_in_a_group_widen_the_interval_as_half_as_many_clips_do(tmp_path):
    """The jackknife's standard error of a share p of J independent ones is sqrt(p (1 - p) / (J - 1))."""
    path = tmp_path / "groups.tsv"
    path.write_text(table(lambda n: f"source{n // 2}"))
    alone = half_right()
    (paired,) = with_groups([alone], path)
    one, two = (Measured([each], 2000).drawn(each, "event_f1") for each in (alone, paired))
    assert one.value == two.value == 0.5
    assert jackknife_se(one.left_out_J) == pytest.approx(np.sqrt(0.25 / (CLIPS - 1)))
    assert jackknife_se(two.left_out_J) == pytest.approx(np.sqrt(0.25 / (CLIPS / 2 - 1)))
    assert one.values_B.std() == pytest.approx(np.sqrt(0.25 / CLIPS), rel=0.05)
    assert two.values_B.std() == pytest.approx(np.sqrt(0.25 / (CLIPS / 2)), rel=0.05)


def test_clips_that_are_each_a_group_are_drawn_as_without(run):
    before = write_report(run)
    give_groups(run, lambda n: f"source{n}")
    after = write_report(run)
    assert ends(after) == ends(before)
    pairs = zip(before.contrasts, after.contrasts, strict=True)
    assert all((a.low, a.simultaneous_high, a.p) == (b.low, b.simultaneous_high, b.p) for a, b in pairs)  # fmt: skip
    assert after.checks == before.checks


def test_groups_enter_every_interval_and_the_words_beside_it(claimed, tmp_path):
    before = write_report(claimed)
    give_groups(claimed, lambda n: f"source{n // 4}")
    after = write_report(claimed)
    for old, new in zip(before.cells, after.cells, strict=True):
        assert old.value == new.value and (old.low, old.high) != (new.low, new.high)
        assert new.as_row()["about"] == "other groups of clips, these seeds given"
    for old, new in zip(before.contrasts, after.contrasts, strict=True):
        assert old.difference == new.difference and old.tie == new.tie
        assert old.tie or (old.low, old.p) != (new.low, new.p)
    assert [c.low for c in before.checks] != [c.low for c in after.checks]
    widths = [
        [row["half_width"] for claim in r.claims_json for row in claim["power"]["comparisons"]]
        for r in (before, after)
    ]
    assert widths[0] != widths[1]
    assert after.as_json()["groups"] == "mine.tsv" and "groups" not in before.as_json()
    assert "over other groups of clips, these trained models" in "\n".join(after.lines)
    assert r"95\,\% over groups of clips" in (tmp_path / "claimed/tables/1.tex").read_text()
    page = page_content(after)
    assert page["run"]["drawn"] == "groups of clips"
    assert page_content(before)["roc"]["curves"][0] != page["roc"]["curves"][0]


def test_a_report_follows_the_key(run):
    """Nothing of the intervals is kept in the run: other groups are other intervals, no groups the first ones."""
    first = ends(write_report(run))
    give_groups(run, lambda n: f"source{n // 2}")
    pairs = ends(write_report(run))
    give_groups(run, lambda n: f"source{n // 8}")
    assert len({tuple(first), tuple(pairs), tuple(ends(write_report(run)))}) == 3
    write_json(run, "plan.json", changed_plan(run, groups=None).as_json())
    assert ends(write_report(run)) == first


def test_cells_of_one_system_still_share_what_is_drawn(claimed):
    give_groups(claimed, lambda n: n // 2)
    measured = Measured(read_grouped(claimed, RunPlan.require(claimed)), 100)
    fair, again = (measured.by_seed(cell, "val")[0] for cell in ("fair", "fair-2"))
    assert fair.statistics is again.statistics


def test_what_lacks_a_clip_or_is_gone_is_refused_by_name(run, tmp_path):
    give_groups(run, lambda n: n // 2)
    path = tmp_path / "run/groups.tsv"
    path.write_text(path.read_text().replace("clip07.wav", "other.wav"))
    with pytest.raises(
        ValueError, match=r"run/groups\.tsv: no group for clip clip07\.wav \(1 such"
    ):
        write_report(run)
    path.unlink()
    with pytest.raises(
        ValueError, match=r"run/groups\.tsv is missing, .*\(mine\.tsv\): raysed tune"
    ):
        write_report(run)


def test_a_run_of_earlier_code_takes_groups(tmp_path):
    shutil.copytree(HERE / "runs/finished", tmp_path / "old")
    run = Folder(str(tmp_path / "old"))
    without = read_results(run, RunPlan.require(run))
    names = without[0].statistics.filenames
    rows = "".join(f"{name}\t{n // 2}\n" for n, name in enumerate(names))
    run.write("groups.tsv", f"filename\tgroup\n{rows}".encode())
    found = read_grouped(run, changed_plan(run, groups="mine.tsv"))
    for old, new in zip(without, found, strict=True):
        one, two = (Measured([each], 200).drawn(each, "event_f1") for each in (old, new))
        assert one.value == two.value and len(two.left_out_J) == -(-len(names) // 2)
