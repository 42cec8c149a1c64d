"""The post-processings of a finished trial's stored scores: what the cells of a space ask for, without training.

1168 clips and ten classes take some seconds for each way of tuning. N clips, K classes.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from raysed.config.cell_postprocessing import CellPostProcessing
from raysed.config.trial import PostProcessing
from raysed.data.features.store import FeatureSet
from raysed.evaluation.postprocessing.comparison import JudgedSet, chosen_of
from raysed.evaluation.postprocessing.methods import METHODS
from raysed.evaluation.postprocessing.setting_search import Choice, SettingSearch, cross_fit
from raysed.predict.settings import ClassPostProcessing
from raysed.predict.stored_scores import stored_scores
from raysed.predict.trial_groups import groups_hash, with_groups_of_run
from raysed.predict.tuning import judged_set, own_settings
from raysed.run.folders import best_checkpoint, fitted, scores_file, statistics_file
from raysed.run.postprocessing_record import FORMAT, PostProcessingRecord, hashes
from raysed.storage.folder import Folder
from raysed.training.checkpoint import Predictor, load_predictor
from raysed.training.scoring import encode_statistics, reference_of


@dataclass(frozen=True, order=True)
class WantedColumn:
    """One post-processing of one evaluation set, by the model that an x-valid set selected."""

    xvalid: str
    evaluation: str
    method: str
    tuned_for: str
    tuned_on: str

    @property
    def postprocessing(self) -> CellPostProcessing:
        """Return it as a cell names it."""
        tuned = {"tuned_for": self.tuned_for, "tuned_on": self.tuned_on} if self.tuned_for else {}
        return CellPostProcessing.model_validate({"method": self.method, **tuned})

    @classmethod
    def of(cls, xvalid: str, evaluation: str, asked: CellPostProcessing) -> "WantedColumn":
        """Return what a cell asks for on one of its evaluation sets."""
        how = (asked.tuned_for, asked.tuned_on) if asked.is_tuned else ("", "")
        return cls(xvalid, evaluation, asked.method, *how)


def missing_columns(trial: Folder, wanted: Iterable[WantedColumn]) -> list[WantedColumn]:
    """Return those that are not stored, or were made of other scores, in order and once each."""
    return [column for column in sorted({*wanted}) if not _is_stored(trial, column)]


def _is_stored(trial: Folder, column: WantedColumn) -> bool:
    name = column.postprocessing.name
    record = PostProcessingRecord.read(trial, column.evaluation, column.xvalid, name)
    same = column.tuned_on != "evaluation" or (record and record.groups) == groups_hash(trial)
    return record is not None and record.is_current(trial) and same


def postprocess_trial(
    trial: Folder,
    own: PostProcessing,
    wanted: Iterable[WantedColumn],
    sets: Mapping[str, FeatureSet],
    say: Callable[[str], None],
) -> None:
    """Count what is wanted and store it; the same wanted again is replaced.

    Raises ValueError for sets that cannot be tuned on: too few clips for five folds, or an x-valid set that does not
    annotate a class of the evaluation set.
    """
    sources: dict[str, _TrialSets] = {}
    for column in wanted:
        source = sources.setdefault(
            column.xvalid, _TrialSets(trial, own, column.xvalid, sets, say, {}, {})
        )
        _postprocess(source, column)


@dataclass(frozen=True)
class _TrialSets:
    """The scored sets of a trial for one x-valid set, each read once, and the searches on them."""

    trial: Folder
    own: PostProcessing
    xvalid: str
    sets: Mapping[str, FeatureSet]
    say: Callable[[str], None]
    judged: dict[str, JudgedSet]
    searches: dict[tuple[str, str], SettingSearch]

    @cached_property
    def predictor(self) -> Predictor:
        return load_predictor(self.trial, best_checkpoint(self.xvalid))

    def search(self, name: str, method: str) -> SettingSearch:
        """Return the search of a method on a set."""
        if name not in self.judged:
            used = self.sets[name]
            scores = stored_scores(self.trial, used, self.xvalid, lambda: self.predictor, self.say)
            reference = with_groups_of_run(self.trial, reference_of(used), lambda line: None)
            self.judged[name] = judged_set(scores, reference)
        if (name, method) not in self.searches:
            self.searches[name, method] = SettingSearch.of(
                METHODS[method], *self.judged[name], own_settings(self.own)
            )
        return self.searches[name, method]


def _postprocess(source: _TrialSets, column: WantedColumn) -> None:
    asked = column.postprocessing
    search, goal = source.search(column.evaluation, asked.method), asked.tuned_for
    used = [column.evaluation]
    fit = _whole(search, goal)
    tuned, choice = (search, fit), fit
    if asked.is_tuned and asked.tuned_on == "xvalid":
        of_xvalid = source.search(column.xvalid, asked.method)
        used.append(column.xvalid)
        tuned = of_xvalid, _whole(of_xvalid, goal)
        choice = _for_classes_of(search, *tuned)
    elif asked.is_tuned:
        choice = cross_fit(search, goal)
    trial, name = source.trial, asked.name
    counts = encode_statistics(search.statistics(choice))
    trial.write(statistics_file(column.evaluation, column.xvalid, name), counts)
    if asked.is_tuned:
        claimed = encode_statistics(search.statistics(fit))
        trial.write(statistics_file(column.evaluation, column.xvalid, fitted(name)), claimed)
    classes = tuned[0].reference.classes
    settings = ClassPostProcessing.uniform(classes, source.own).with_chosen(chosen_of(*tuned))
    PostProcessingRecord(
        format=FORMAT,
        name=name,
        scores=hashes(trial, *(scores_file(each, column.xvalid) for each in used)),
        tuned_on=used[-1] if asked.is_tuned else "",
        groups=groups_hash(trial) if column.tuned_on == "evaluation" else "",
    ).write(trial, column.evaluation, column.xvalid, settings.as_json())


def _whole(search: SettingSearch, goal: str) -> Choice:
    return search.choose(goal, [np.ones(len(search.reference.filenames), bool)])[0]


def _for_classes_of(search: SettingSearch, tuned_on: SettingSearch, choice: Choice) -> Choice:
    """Return a choice that was made on another set for the classes of this one."""
    known, asked = tuned_on.reference.classes, search.reference.classes
    if missing := [label for label in asked if label not in known]:
        raise ValueError(
            f"the x-valid set does not annotate {', '.join(missing)}, so nothing can be tuned for them there;"
            " give tuned_on: evaluation"
        )
    places = [known.index(label) for label in asked]
    return Choice(choice.setting[places], choice.threshold[places])
