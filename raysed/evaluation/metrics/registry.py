"""The metrics by name: this is the one place where a metric is added. One of a user's own is called
`package.module:function`, and is known wherever a name is asked for (raysed.evaluation.metrics.own_metric).

A metric is a function of the counts of each clip and of how often each clip was drawn. From that it gets intervals,
paired tests and simultaneous intervals; its name is then known to `raysed score`, spaces, published values, contrasts,
claims, tables, the page and the figures. The functions are named and not imported, so that configurations, which hold
names of metrics, are read without the packages that compute them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from importlib import import_module
from typing import Any, Literal

import numpy as np

from raysed.evaluation.metrics.own_metric import OWN_MARK, facts_of, own_function
from raysed.storage.own_python import own_hash

MEDIANS_S = tuple(step / 5 for step in range(11))
"""The running medians of the post-processing-independent PSDS: none, then 0.2 to 2 s, as in sed_scores_eval's tests."""

Values = Callable[[Any, np.ndarray | None], np.ndarray]
"""(statistics, weights_BN or None) -> values (B,)."""


@dataclass(frozen=True)
class NamedMetric:
    """A metric from 0 to 1; calling it computes it."""

    name: str
    title: str
    """The name in full, as `raysed score` prints it."""
    column: str
    """The head of its column in tables, with the unit."""
    scale: float
    """The factor that a value is multiplied by where it stands in a table."""
    digits: int
    margin: float
    """Smaller differences do not count, as a fraction: for claims of no difference."""
    needs: Literal["counts", "scores"]
    """Counts at operating points are stored for every trial; `scores` needs every frame's score."""
    by: str
    """The function, `module.function` of this package, or `package.module:function` of a user's own. It returns values (B,), or a pair of values (B,) and values
    of each class (B, K)."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the function."""
    higher_is_better: bool = True
    by_class: str = ""
    """A function of its own for the values of each class (B, K), where `by` returns values alone."""
    needs_durations: bool = False
    """True where a value depends on the seconds of the clips."""

    def __call__(self, statistics: Any, weights_BN: np.ndarray | None = None) -> np.ndarray:
        """Return values (B,) of B weighted resamples, None the set itself (B = 1); NaN where nothing is defined."""
        found = self._function(statistics, weights_BN, **self.options)
        return found[0] if isinstance(found, tuple) else found

    def per_class(self, statistics: Any, weights_BN: np.ndarray | None = None) -> np.ndarray | None:
        """Return the values of each class (B, K), or None for a metric that has none."""
        if self.by_class:
            return _function_of(self.by_class)(statistics, weights_BN, **self.options)
        found = self._function(statistics, weights_BN, **self.options)
        return found[1] if isinstance(found, tuple) else None

    def with_classes(self, statistics: Any, weights_BN: np.ndarray | None = None) -> np.ndarray:
        """Return the values and those of each class behind them (B, 1 + K), for a metric whose function gives both."""
        return np.column_stack(self._function(statistics, weights_BN, **self.options))

    @cached_property
    def _function(self) -> Callable[..., Any]:
        return _function_of(self.by)


def _function_of(place: str) -> Callable[..., Any]:
    if OWN_MARK in place:
        return own_function(place)
    module, name = place.rsplit(".", 1)
    return getattr(import_module(f"{__package__}.{module}"), name)


def _f1(name: str, title: str, column: str, **more: Any) -> NamedMetric:
    about: dict[str, Any] = {"margin": 0.024, "needs": "counts", "by": f"event_f1.{name}"}
    return NamedMetric(name, title, column, scale=100.0, digits=1, **about | more)


def _psds(name: str, title: str, column: str, **more: Any) -> NamedMetric:
    about: dict[str, Any] = {"margin": 0.03, "needs": "counts", "by": "psds.psds"}
    about["needs_durations"] = True
    about["options"] = {"definition": name}
    about["by_class"] = "" if "by" in more else "psds.class_psds"
    return NamedMetric(name, title, column, scale=1.0, digits=3, **about | more)


def _all(name: str, title: str, column: str) -> NamedMetric:
    about: dict[str, Any] = {"needs": "scores", "by": "threshold_free.psds_all"}
    about["options"] = {"definition": name}
    return _psds(
        f"{name}_all", f"{title} over all thresholds", f"{column}, all thresholds", **about
    )


def _best(matching: str, title: str, **more: Any) -> NamedMetric:
    about: dict[str, Any] = {"needs": "scores", "by": "best_f1.best_f1", **more}
    about["options"] = {"matching": matching}
    return _f1(
        f"best_{matching}_f1",
        f"best {title}, thresholds by class",
        f"best {matching} F1 %",
        **about,
    )


def _any_median(name: str, title: str, column: str) -> NamedMetric:
    about: dict[str, Any] = {"needs": "scores", "by": "threshold_free.psds_all"}
    about["options"] = {"definition": name, "windows_s": MEDIANS_S}
    return _psds(
        f"pi_{name}",
        f"{title} independent of post-processing (medians of 0 to 2 s)",
        f"pi-{column}",
        **about,
    )


_METRICS = (
    _f1("event_f1", "event-based F1", "event F1 %"),
    _f1("intersection_f1", "intersection-based F1", "intersection F1 %"),
    _f1("segment_f1", "segment-based F1 (1 s)", "segment F1 %"),
    _f1("tagging_f1", "clip-level F1", "clip F1 %"),
    _psds("psds", "PSDS (psds_eval 0.5.3: over K - 1)", "PSDS (K - 1)"),
    _psds("psds_2020", "PSDS (psds_eval 0.3, 2020: over K)", "PSDS"),
    _psds("psds1", "PSDS1", "PSDS1"),
    _psds("psds2", "PSDS2", "PSDS2"),
    _all("psds", "PSDS (over K - 1)", "PSDS (K - 1)"),
    _all("psds_2020", "PSDS (over K)", "PSDS"),
    _all("psds1", "PSDS1", "PSDS1"),
    _all("psds2", "PSDS2", "PSDS2"),
    _best("event", "event-based F1"),
    _best("intersection", "intersection-based F1"),
    _best("segment", "segment-based F1 (1 s)", needs_durations=True),
    _any_median("psds", "PSDS (over K - 1)", "PSDS (K - 1)"),
    _any_median("psds1", "PSDS1", "PSDS1"),
    _any_median("psds2", "PSDS2", "PSDS2"),
    _psds(
        "segment_mpauc",
        "segment-based mean partial AUC (1 s, FPR to 0.1)",
        "segment mpAUC",
        needs="scores",
        by="partial_auc.segment_mpauc",
        options={},
    ),
)


class Metrics(dict[str, NamedMetric]):
    """Metrics by name; one of a user's own is added when it is first asked for."""

    def __missing__(self, name: str) -> NamedMetric:
        """Make the metric of a user's own. Raises KeyError for a name that is none, ValueError for a faulty one."""
        if OWN_MARK not in name:
            raise KeyError(name)
        self[name] = NamedMetric(name=name, by=name, **facts_of(name))
        return self[name]


METRICS = Metrics((metric.name, metric) for metric in _METRICS)
"""The margins of event F1 and PSDS are half the true 95 % interval of one system on the paper's set; the others'
follow these, by what they are: an F1 or an area."""

COUNT_METRICS = tuple(name for name, metric in METRICS.items() if metric.needs == "counts")
"""The metrics of the counts that every trial stores."""


def known_metric(name: str) -> str:
    """Return the name. Raises ValueError, with the nearest known name, for another one, and for a metric of one's own that
    is not found or is faulty.
    """
    if name in METRICS or (OWN_MARK in name and METRICS[name]):
        return name
    near = get_close_matches(name, METRICS, n=1)
    hint = f" did you mean {near[0]}?" if near else ""
    raise ValueError(
        f"{name!r} is no metric;{hint} known are {', '.join(METRICS)}, and functions of your own as package.module:function"
    )


def sources_of(names: Iterable[str]) -> dict[str, str]:
    """Return the hash of the file of each metric of a user's own among the names."""
    return {name: own_hash(name) for name in names if OWN_MARK in name}


def metric_names(names: str | Iterable[str]) -> tuple[str, ...]:
    """Return the names once each, in their order; a text has them separated by commas. Raises ValueError for unknown ones,
    and for none.
    """
    given = names.split(",") if isinstance(names, str) else names
    found = tuple(dict.fromkeys(known_metric(name.strip()) for name in given))
    if not found:
        raise ValueError(f"no metric is named; known are {', '.join(METRICS)}")
    return found
