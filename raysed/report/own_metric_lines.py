"""The words about metrics of a user's own, which are computed by their files as they are now."""

from raysed.evaluation.metrics.registry import sources_of
from raysed.run.run_plan import RunPlan


def own_metric_lines(plan: RunPlan) -> list[str]:
    """Return a line for each such metric, with the hash of its file, and that of the run's plan where it is another."""
    lines = []
    for name, source in sources_of(plan.all_metrics).items():
        before = plan.metric_sources.get(name, source)
        changed = f"; the run began with another file, {before}" if before != source else ""
        lines.append(f"metric {name}: its file has the hash {source}{changed}")
    return lines
