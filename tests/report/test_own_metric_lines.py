"""A metric of one's own is told with the hash of its file, and with the one that the run began with."""

from types import SimpleNamespace

from raysed.report.own_metric_lines import own_metric_lines
from raysed.storage.own_python import own_hash


def test_the_file_of_a_metric_is_told():
    name = "json.decoder:scanstring"  # any function of a module that is a file
    now = own_hash(name)
    plan = SimpleNamespace(all_metrics=("psds", name), metric_sources={name: now})
    assert own_metric_lines(plan) == [f"metric {name}: its file has the hash {now}"]
    plan.metric_sources = {name: "0" * 12}
    (line,) = own_metric_lines(plan)
    assert line.endswith(f"the hash {now}; the run began with another file, 000000000000")
    assert own_metric_lines(SimpleNamespace(all_metrics=("psds",), metric_sources={})) == []
