"""The five lines at the end of the demo: what was found, what was not, and the page to open."""

from raysed.report.contrasts import ContrastValue
from raysed.report.report import Report
from raysed.report.table_metrics import TABLE_METRICS, signed, signed_interval
from raysed.run.folders import PAGE


def closing_lines(report: Report) -> list[str]:
    """Return five lines for people who have read no table."""
    decided = [each for each in report.contrasts if each.outcome != "undecided"]
    open_ones = [each for each in report.contrasts if each.outcome == "undecided"]
    ran = sum(trial.state == "finished" for trial in report.trials.values())
    return [
        f"The demo in five lines ({ran} of {len(report.trials)} trials):",
        f"  found: {'; '.join(map(_decided, decided)) or 'no difference whose interval leaves out zero'}",
        f"  not found: {'; '.join(map(_undecided, open_ones)) or 'every planned difference was'}",
        f"  learnt: {_learnt(report)}; made-up sounds, a small model and two seeds say nothing about the paper",
        f"  open this page: {report.run.url}/{PAGE}",
    ]


def _decided(each: ContrastValue) -> str:
    """Return a difference whose interval leaves out zero, in words: S 17.7 points below SUW in event F1."""
    amount = signed(abs(each.difference), each.metric).lstrip("+")
    points = " points" if TABLE_METRICS[each.metric].scale == 100 else ""
    where = "above" if each.difference > 0 else "below"
    return f"{each.cell} {amount}{points} {where} {each.against} in {_name(each)}"


def _undecided(each: ContrastValue) -> str:
    """Return a difference whose interval holds zero, with that interval."""
    interval = signed_interval(each.simultaneous_low, each.simultaneous_high, each.metric)
    return f"whether {each.cell} differs from {each.against} in {_name(each)} ({interval})"


def _name(each: ContrastValue) -> str:
    return TABLE_METRICS[each.metric].column.removesuffix(" %")


def _learnt(report: Report) -> str:
    if not report.learnt:
        return "no, the best cell is not above a detector that is always on"
    return f"yes, {report.checks[0].cell} is above a detector that is always on"
