import os
import re
from collections import Counter

import pytest
import yaml

from raysed.config.fault import ConfigError
from raysed.config.layers import merge
from raysed.config.space import read_space
from raysed.config.trial import Trial
from tests.paths import ROOT

JOB = {
    "name": "tiny",
    "out": "out",
    "roots": {"recorded": "r", "soundbank": "s", "cooccurrences": "c"},
    "sets": {
        "train": {"kind": "synthetic", "split": "train", "count": 10},
        "dry": {"kind": "synthetic", "split": "xvalid", "count": 5},
        "plain": {"kind": "synthetic", "split": "xvalid", "count": 5, "pitch_shift_semitones": 0.0},
        "weak": {"kind": "recorded", "subset": "weak"},
        "unlabelled": {"kind": "recorded", "subset": "unlabelled"},
        "validation": {"kind": "recorded", "subset": "validation"},
    },
}
BASE = {
    "data": {
        "synthetic": "train",
        "weak": "weak",
        "unlabelled": "unlabelled",
        "evaluation": ["validation"],
    }
}


def cell(name, xvalid="dry", **change):
    return {"id": name, "table": "1", "column": name, "xvalid": xvalid, "set": change}


@pytest.fixture
def space_of(tmp_path):
    def resolve(cells, **change):
        (tmp_path / "job.yaml").write_text(yaml.safe_dump(JOB, sort_keys=False))
        space = {
            "name": "tiny",
            "data_job": str(tmp_path / "job.yaml"),
            "run": str(tmp_path / "run"),
            "seeds": [0],
            "base": BASE,
            "cells": cells,
            **change,
        }
        (tmp_path / "space.yaml").write_text(yaml.safe_dump(space, sort_keys=False))
        return read_space(tmp_path / "space.yaml")

    return resolve


def faults_of(space_of, cells, **change):
    with pytest.raises(ConfigError) as error:
        space_of(cells, **change)
    return error.value.faults


def test_cells_that_differ_in_xvalid_share_one_training(space_of):
    resolved = space_of(
        [
            cell("a"),
            cell("b", xvalid="plain"),
            cell("c", teacher={"snr_db": None}),
            cell("d", teacher={"snr_db": 30.0}),
        ]
    )
    assert [tuple(t.cells) for t in resolved.trainings] == [("a", "b", "d"), ("c",)]
    assert resolved.trainings[0].trial.data.xvalid == ("dry", "plain")
    assert resolved.training_of("b") is resolved.trainings[0]


def test_training_id_ignores_order_of_cells_and_defaults_written_out(space_of):
    first = space_of([cell("a"), cell("b", xvalid="plain")]).trainings[0].id
    again = space_of([cell("b", xvalid="plain", model={"dropout": 0.5})]).trainings[0].id
    assert first == again
    assert space_of([cell("b", model={"dropout": 0.4})]).trainings[0].id != first


def test_an_unused_subset_is_no_part_of_the_identity(space_of):
    alone = {"synthetic": 6, "unlabelled": 0, "weak": 0}
    with_names = space_of([cell("a", shares=alone)]).trainings[0].id
    without = space_of([cell("a", shares=alone, data={"weak": None, "unlabelled": None})])
    assert without.trainings[0].id == with_names


def test_data_sets_in_use(space_of):
    resolved = space_of([cell("a", shares={"synthetic": 6, "unlabelled": 0, "weak": 0})])
    assert resolved.data_sets() == ("train", "dry", "validation")


def test_a_job_that_is_not_there_is_named_with_its_line(tmp_path):
    content = {"name": "s", "data_job": "gone.yaml", "run": "r", "seeds": [0], "base": {}}
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump(content | {"cells": [cell("a")]}, sort_keys=False))
    with pytest.raises(ConfigError) as error:
        read_space(path)
    assert error.value.faults == [
        f"{path}:2: data_job: gone.yaml: no such file (relative to the working directory)"
    ]


def test_faults_of_all_cells_with_their_lines(space_of):
    faults = faults_of(
        space_of,
        [
            cell("a", model={"dropot": 0.5}),
            cell("b", xvalid="nowhere"),
            cell("c", xvalid="weak"),
            cell("d", data={"weak": None}),
        ],
    )
    text = "\n".join(faults)
    assert len(faults) == 5
    assert (
        "data.xvalid names weak, which is trained on: it cannot choose the epoch (cell c)" in text
    )
    assert "model.dropot: unknown key; did you mean dropout? (cell a)" in text
    assert re.search(
        r"data\.xvalid names nowhere, which the data job tiny lacks \(it has train, dry.*\(cell b\)",
        text,
    )
    assert "data.xvalid names weak, which has no strong labels (cell c)" in text
    assert "shares.weak is 6, but data.weak names no data set" in text
    assert all("space.yaml:" in fault for fault in faults)


def test_cells_of_one_training_keep_their_own_evaluation_sets(space_of):
    other = cell("b", data={"evaluation": ["validation", "dry"]})
    training = space_of([cell("a"), other]).trainings[0]
    assert training.trial.data.evaluation == ("validation", "dry")
    assert training.cells == {"a": ("validation",), "b": ("validation", "dry")}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seeds": [-1]}, "seeds[0]: Input should be greater than or equal to 0, given -1"),
        ({"base": {"data": "weak"}}, "data: Input should be an object"),
        ({"resources": {"workers": 2, "gpus_per_worker": 0.5}}, "one whole GPU per rank"),
        (
            {"base": {"data": {**BASE["data"], "xvalid": ["dry"]}}},
            "each cell names its own x-valid set",
        ),
    ],
)
def test_impossible_spaces(space_of, change, message):
    assert message in faults_of(space_of, [cell("a")], **change)[0]


def test_two_cells_with_one_id(space_of):
    (fault,) = faults_of(space_of, [cell("a"), cell("a")])
    assert re.search(r"space\.yaml:\d+: cells: two cells have the id a$", fault)


@pytest.mark.parametrize(
    ("second", "fault"),
    [
        ({"id": "A"}, "the ids a, A differ in case only"),
        ({"table": "main"}, "the tables Main and main would both be tables/main.md"),
        ({"table": "Main!"}, "the tables Main and Main! would both be tables/main.md"),
        ({"table": "Claims"}, "a table Claims would be tables/claims.md, which is another file"),
    ],
)
def test_cells_that_would_write_one_file(space_of, second, fault):
    cells = [{**cell("a"), "table": "Main"}, {**cell("b"), "table": "Main", **second}]
    (found,) = faults_of(space_of, cells)
    assert re.search(r"space\.yaml:\d+: cells: ", found) and found.endswith(fault)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"table": "1\t2"}, r"cells\[0\]\.table: '1\\t2' holds a tab"),
        ({"column": ""}, r"cells\[0\]\.column: a text is expected, given ''"),
    ],
)
def test_tables_and_columns_are_one_line(space_of, change, fault):
    assert re.search(r"space\.yaml:\d+: " + fault, faults_of(space_of, [cell("a") | change])[0])


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"seeds": [0, 2**32]}, "seeds[1]: Input should be less than or equal to 4294967295"),
        (
            {"bootstrap_draws": 10**9},
            "bootstrap_draws: Input should be less than or equal to 1000000",
        ),
        ({"resources": {"workers": 10**6}}, "resources.workers: Input should be less than"),
        (
            {"base": {**BASE, "schedule": {"epochs": 10**9}}},
            "schedule.epochs: Input should be less",
        ),
        ({"base": {**BASE, "model": {"filters": [10**6], "pooling": [[1, 1]]}}}, "16,384 filters"),
    ],
)
def test_sizes_have_limits(space_of, change, fault):
    (found,) = faults_of(space_of, [cell("a")], **change)
    assert "space.yaml:" in found and fault in found


def test_trials_have_a_limit(space_of):
    searched = searching(samples=10_000) | {"seeds": list(range(11))}
    (fault,) = faults_of(space_of, [], **searched)
    assert fault.endswith("10,000 x 11 trials (cells x seeds) are more than 100,000")


def test_seeds_given_twice(space_of):
    (fault,) = faults_of(space_of, [cell("a")], seeds=[1, 1])
    # The line of the key: name, data_job and run stand before it.
    assert fault.endswith("space.yaml:4: seeds: given twice in [1, 1]")


def test_several_faults_are_told_at_once(space_of):
    faults = faults_of(space_of, [cell("a"), cell("a")], seeds=[1, 1])
    assert len(faults) == 2


def test_contrast_of_unknown_cell(space_of):
    faults = faults_of(space_of, [cell("a")], contrasts=[{"cell": "a", "against": "b"}])
    assert "no cell has the id b" in faults[0]


def test_pooling_must_end_at_one_band(space_of):
    faults = faults_of(space_of, [cell("a", model={"filters": [8], "pooling": [[2, 2]]})])
    assert "leaves 64 frequency bands" in faults[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shares": {"synthetic": 0, "weak": 0}}, "nothing else has labels"),
        ({"postprocessing": {"median_window": 4}}, "must be odd"),
        ({"model": {"pooling": [[2, 2]]}}, "7 blocks, pooling 1"),
        ({"schedule": {"epochs": 0}}, "schedule.epochs"),
        ({"teacher": {"snr_db": "30"}}, "teacher.snr_db"),
        ({"optimiser": {"betas": [1.5, 0.9]}}, "optimiser.betas"),
        ({"model": {"filters": [8], "pooling": [[1000, 128]]}}, "no output frame"),
    ],
)
def test_impossible_values(space_of, change, message):
    assert message in faults_of(space_of, [cell("a", **change)])[0]


def test_merge_lays_over_mapping_by_mapping():
    base = {"a": {"x": 1, "y": 2}, "b": [1]}
    assert merge(base, {"a": {"y": 3}, "b": [2]}) == {"a": {"x": 1, "y": 3}, "b": [2]}
    assert base == {"a": {"x": 1, "y": 2}, "b": [1]}


def claim(*pairs, name="K1", evaluation="validation"):
    comparisons = [{"cell": a, "against": b, "expect": "higher"} for a, b in pairs]
    return {"id": name, "text": "x", "evaluation": evaluation, "comparisons": comparisons}


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ([claim(("a", "z"))], "claim K1: no cell has the id z"),
        ([claim(("a", "a"))], "claim K1: a is compared with itself"),
        ([claim(("a", "b")), claim(("b", "a"))], "two claims have the id K1"),
        ([claim(("a", "b"), evaluation="vla")], "evaluation vla is no set"),
        ([{**claim(("a", "b")), "metrics": ["f1"]}], "claims[0].metrics[0]"),
        ([claim()], "claims[0].comparisons"),
    ],
)
def test_claims_that_cannot_be_judged(space_of, claims, message):
    faults = faults_of(space_of, [cell("a"), cell("b", xvalid="plain")], claims=claims)
    assert message in faults[0]
    assert "space.yaml:" in faults[0]


def test_claims_know_their_line(space_of, tmp_path):
    faults = faults_of(space_of, [cell("a")], claims=[claim(("a", "z"), ("y", "a"))])
    text = (tmp_path / "space.yaml").read_text().splitlines()
    for fault, cell_id in zip(faults, "zy", strict=True):
        line = int(fault.split("space.yaml:")[1].split(":")[0])
        key = "against: z" if cell_id == "z" else "cell: y"
        assert key in text[line - 1] or key in text[line]


def test_a_fault_of_the_base_is_told_once(space_of):
    base = {**BASE, "model": {"dropot": 0.1}}
    (fault,) = faults_of(space_of, [cell(name) for name in "abc"], base=base)
    assert "model.dropot: unknown key; did you mean dropout? (cell a and 2 more)" in fault


def line_of(text, path, after=""):
    """Where a text first stands in a file, below another one."""
    rows = path.read_text().splitlines()
    start = next(n for n, row in enumerate(rows) if after in row)
    return f"{path}:{1 + next(n for n, row in enumerate(rows) if n >= start and text in row)}: "


@pytest.mark.parametrize(
    ("change", "key", "message"),
    [
        ({"data": {"weak": "nowhere"}}, "weak: nowhere", "data.weak names nowhere, which the data"),
        (
            {"data": {"evaluation": ["weak"]}},
            "evaluation:",
            "data.evaluation names weak, which has",
        ),
        ({"model": {"filters": [8], "pooling": [[2, 2]]}}, "pooling:", "model.pooling leaves 64"),
        # Faults of no single key stand at the base itself.
        ({"data": {"weak": None}}, "base:", "shares.weak is 6, but data.weak names no data set"),
    ],
)
@pytest.mark.parametrize("own", [{}, {"model": {"dropout": 0.1}, "data": {"scaler": ["weak"]}}])
def test_what_the_base_alone_has_wrong_is_told_once_where_it_stands(
    space_of, tmp_path, change, key, message, own
):
    cells = [cell("a", **own), cell("b"), cell("c")]
    (fault,) = faults_of(space_of, cells, base=merge(BASE, change))
    place = line_of(key, tmp_path / "space.yaml", after="base:")
    assert fault.startswith(place + message)
    assert fault.endswith("(cell a and 2 more)")


def test_what_only_some_cells_leave_wrong_of_the_base_is_told_of_them(space_of, tmp_path):
    base = merge(BASE, {"data": {"weak": "nowhere"}})
    mended = cell("b", data={"weak": "weak"})
    (fault,) = faults_of(space_of, [cell("a"), mended, cell("c")], base=base)
    assert fault.endswith("(cell a and 1 more)")
    cells = [cell("a", data={"weak": "nowhere"}), cell("b")]
    (fault,) = faults_of(space_of, cells)
    assert fault.startswith(line_of("weak: nowhere", tmp_path / "space.yaml", after="cells:"))
    assert fault.endswith("(cell a)")


def test_a_fault_of_the_base_of_a_search_is_told_once(space_of, tmp_path):
    space = searching()
    space["base"]["data"]["xvalid"] = ["nowhere"]
    (fault,) = faults_of(space_of, [], **space)
    assert fault.startswith(line_of("xvalid:", tmp_path / "space.yaml"))
    assert "data.xvalid names nowhere" in fault and "(cell s00 and 19 more)" in fault


def test_a_claim_is_not_at_fault_where_no_cell_can_be_read(space_of):
    base = {**BASE, "model": {"dropot": 0.1}}
    cells = [cell("a"), cell("b", xvalid="plain")]
    (fault,) = faults_of(space_of, cells, base=base, claims=[claim(("a", "b"))])
    assert "model.dropot" in fault


def test_changes_of_single_cells(space_of):
    resolved = space_of([cell("a"), cell("b")], change={"b": {"model": {"dropout": 0.1}}})
    assert [t.trial.model.dropout for t in resolved.trainings] == [0.5, 0.1]
    assert "change: no cell has the id c" in faults_of(space_of, [cell("a")], change={"c": {}})[0]
    faults = faults_of(space_of, [cell("a")], change={"a": {"model": {"dropout": 2.0}}})
    assert "model.dropout" in faults[0]


@pytest.fixture
def layered(space_of, tmp_path):
    """A space with cells a and b, and a function that reads one that extends it."""
    space_of([cell("a"), cell("b", model={"dropout": 0.1})])

    def resolve(text):
        path = tmp_path / "upper.yaml"
        path.write_text(f"extends: {tmp_path / 'space.yaml'}\n{text}")
        return read_space(path)

    return resolve


def test_a_space_that_extends_another(layered):
    resolved = layered("name: upper\nseeds: [3]\nbase: {model: {gru_units: 8}}\n")
    assert (resolved.space.name, resolved.space.seeds) == ("upper", (3,))
    assert [c.id for c in resolved.space.cells] == ["a", "b"]
    assert {t.trial.model.gru_units for t in resolved.trainings} == {8}
    assert {t.trial.data.weak for t in resolved.trainings} == {"weak"}
    fewer = layered("cells: [{id: c, table: '1', column: c, xvalid: plain}]\n")
    assert [c.id for c in fewer.space.cells] == ["c"]


def test_faults_name_the_file_they_stand_in(layered, tmp_path):
    with pytest.raises(ConfigError) as error:
        layered("base: {model: {gru_unit: 8}}\n")
    assert f"{tmp_path / 'upper.yaml'}:2: model.gru_unit: unknown key" in error.value.faults[0]
    text = (tmp_path / "space.yaml").read_text()
    (tmp_path / "space.yaml").write_text(text.replace("dropout", "dropot"))
    with pytest.raises(ConfigError) as error:
        layered("seeds: [3]\n")
    line = 1 + next(n for n, row in enumerate(text.splitlines()) if "dropout" in row)
    assert f"{tmp_path / 'space.yaml'}:{line}: model.dropot: unknown key" in error.value.faults[0]
    with pytest.raises(ConfigError) as error:
        layered("cells: [{id: c, table: '1', column: c}]\n")
    assert (
        f"{tmp_path / 'upper.yaml'}:2: cells[0]: c: give either xvalid, the"
        in error.value.faults[0]
    )


SEARCH = {
    "samples": 20,
    "seed": 1,
    "parameters": {
        "optimiser.learning_rate": {"log_uniform": [1e-4, 1e-2]},
        "consistency.weight": {"uniform": [1.0, 2.0]},
        "teacher.snr_db": {"choice": [30.0, None]},
        "shares": {"choice": [{"synthetic": 6, "unlabelled": 6, "weak": 6}]},
    },
}


def searching(**change):
    base = {**BASE, "data": {**BASE["data"], "xvalid": ["dry"]}}
    return {"base": base, "search": {**SEARCH, **change}}


def test_a_search_draws_its_cells(space_of):
    resolved = space_of([], **searching())
    again = space_of([], **searching())
    assert [t.id for t in resolved.trainings] == [t.id for t in again.trainings]
    assert [c.id for c in resolved.space.cells[:2]] == ["s00", "s01"]
    assert len(resolved.trainings) == 20 and resolved.space.search is not None
    trials = [t.trial for t in resolved.trainings]
    rates = [t.optimiser.learning_rate for t in trials]
    assert all(1e-4 <= rate <= 1e-2 for rate in rates)
    assert 5 <= sum(rate < 1e-3 for rate in rates) <= 15
    assert all(1 <= t.consistency.weight <= 2 and t.shares.total == 18 for t in trials)
    assert {t.teacher.snr_db for t in trials} == {30.0, None}
    first = resolved.space.cells[0]
    assert f"learning rate {rates[0]:g}" in first.column and "shares 6/6/6" in first.column
    assert all(t.trial.data.xvalid == ("dry",) for t in resolved.trainings)
    other = space_of([], **searching(seed=2))
    assert {t.id for t in resolved.trainings}.isdisjoint(t.id for t in other.trainings)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"a": {"uniform": [2, 1]}}, "[2, 1] is not [low, high]"),
        ({"a": {"log_uniform": [0, 1]}}, "0 has no logarithm"),
        ({"a": {"uniform": [0, 1], "choice": [1]}}, "given uniform, choice"),
        ({"a": {}}, "given none"),
        ({"shares": {"choice": [{}]}, "shares.weak": {"choice": [1]}}, "shares.weak is inside"),
        ({"optimiser.learning_rat": {"choice": [1.0]}}, "did you mean learning_rate?"),
        ({"model.dropout": {"choice": [2.0]}}, "model.dropout"),
    ],
)
def test_impossible_searches(space_of, parameters, message):
    (fault,) = faults_of(space_of, [], **searching(parameters=parameters))
    assert message in fault
    assert "space.yaml:" in fault


def test_cells_and_search_exclude_each_other(space_of):
    assert "not both" in faults_of(space_of, [cell("a")], search=SEARCH)[0]
    assert "either cells or a search" in faults_of(space_of, [])[0]
    assert "a search needs the one set" in faults_of(space_of, [], search=SEARCH)[0]


@pytest.fixture
def at_root(monkeypatch):
    """Shipped spaces name their files from the project's root."""
    monkeypatch.chdir(ROOT)
    for name in ("DESED_ROOT", "DESED_METADATA"):
        monkeypatch.setenv(name, os.environ.get(name, "/nowhere"))


def configurations(resolved):
    """What a cell is, by content: its weights and the x-valid set that selects."""
    return {(resolved.training_of(c.id).id, c.xvalid) for c in resolved.space.cells}


@pytest.mark.parametrize("name", ["ablation", "mini_desed_ablation"])
def test_the_ablation_of_the_paper(at_root, name):
    resolved = read_space(f"tune_spaces/{name}.yaml")
    cells, space = resolved.space.cells, resolved.space
    # The paper's 26 columns, 21 configurations, 16 trainings, and the baseline that it compares with.
    assert len(cells) == 26 + 1
    assert len(configurations(resolved)) == 21 + 1
    assert len(resolved.trainings) == 16 + 1
    tables = {}
    for c in cells:
        tables.setdefault(c.table, []).append(c.id)
    assert tables == {
        "1": ["B", "T1-S", "T1-SU", "T1-W", "T1-WU", "T1-SW"],
        "2": ["T2-00", "T2-01", "B-2"],
        "3": ["T3-11", "T3-01", "B-3"],
        "4": ["T4-0", "T4-15", "B-4", "T4-inf"],
        "5": ["T5-a", "T5-b", "T5-c", "T5-d", "T5-e", "B-5"],
        "6": ["T6-11", "T6-10", "T6-01", "T6-00"],
        "baseline": ["DCASE2020"],
    }
    official = resolved.training_of("DCASE2020").trial.data
    assert (official.synthetic, official.xvalid) == ("train_same_bank", ("xvalid_same_bank",))
    b = resolved.training_of("B")
    assert set(b.cells) == {"B", "B-2", "B-3", "B-4", "B-5", "T3-01"}
    assert set(resolved.training_of("T4-inf").cells) == {"T4-inf", *tables["6"]}
    assert resolved.training_of("T2-00") is resolved.training_of("T2-01")
    against = Counter(contrast.against for contrast in space.contrasts)
    assert against == {"B": 17, "T4-inf": 3}
    assert [claim.id for claim in space.claims] == [f"K{n}" for n in range(1, 18)]
    assert all("val" in c.published for c in cells)
    assert [c.id for c in cells if "eval" in c.published] == tables["6"]


def test_published_values_are_the_papers(at_root):
    cells = {c.id: c.published for c in read_space("tune_spaces/ablation.yaml").space.cells}
    of_b = [cells[c]["val"] for c in ("B", "B-2", "B-3", "B-4", "B-5")]
    assert {(m["event_f1"], m["psds"]) for m in of_b} == {(0.3414, 0.502)}
    assert cells["T4-inf"]["val"] == cells["T6-01"]["val"]
    assert cells.pop("DCASE2020") == {"val": {"event_f1": 0.348, "psds": 0.524}}
    val = [m["val"] for m in cells.values()]
    sums = [sum(metrics.get(key) or 0.0 for metrics in val) for key in ("event_f1", "psds")]
    # The 22 rows of the specification, B five times.
    assert sums == [pytest.approx(7.5253), pytest.approx(11.380)]
    assert sum(
        cells[c]["eval"]["event_f1"] or 0.0 for c in cells if c.startswith("T6")
    ) == pytest.approx(1.494)


def test_b_is_the_published_system(at_root):
    resolved = read_space("tune_spaces/ablation.yaml")
    b = resolved.training_of("B").trial
    assert b == Trial(data=b.data).on("cpu")
    assert b.data.synthetic == "train_pitch_dry"
    assert resolved.training_of("T1-SU").trial.shares.model_dump(exclude={"strong"}) == {
        "synthetic": 6,
        "unlabelled": 18,
        "weak": 0,
    }


@pytest.mark.parametrize(
    "name",
    [
        "variants",
        "variants_waveform",
        "search",
        "demo",
        "mini_desed",
        "mini_desed_curve",
        "mini_desed_full",
    ],
)
def test_shipped_spaces_resolve(at_root, name):
    resolved = read_space(f"tune_spaces/{name}.yaml")
    assert resolved.space.name == name
    assert resolved.space.run == f"runs/{name}"


def test_variants_differ_from_b(at_root):
    variants = read_space("tune_spaces/variants.yaml")
    ablation = read_space("tune_spaces/ablation.yaml")
    assert variants.training_of("B").id == ablation.training_of("B").id
    new = {t.id for t in variants.trainings} - {t.id for t in ablation.trainings}
    assert len(new) == len(variants.trainings) - 2


def test_metrics_of_a_space_are_names_of_the_registry(at_root):
    assert read_space("tune_spaces/ablation.yaml").space.metrics == ("event_f1", "psds")


def test_claims_mean_their_sentences(at_root):
    claims = {claim.id: claim for claim in read_space("tune_spaces/ablation.yaml").space.claims}
    expect = {id: {c.expect for c in claim.comparisons} for id, claim in claims.items()}
    far = {id for id, found in expect.items() if found == {"far_lower"}}
    assert far == {id for id, claim in claims.items() if "far worse" in claim.text}
    k17 = claims["K17"]
    assert k17.evaluations == ("val", "eval")
    assert [(c.cell, c.against) for c in k17.comparisons] == [("T6-01", "DCASE2020")]


def test_the_literal_columns_of_table_6_and_the_ratios(at_root):
    variants = read_space("tune_spaces/variants.yaml")
    literal = [c for c in variants.space.cells if c.id.endswith("-literal")]
    assert [c.id.removesuffix("-literal") for c in literal] == ["T6-11", "T6-10", "T6-01", "T6-00"]
    by_id = {c.id: c for c in variants.space.cells}
    for cell in literal:
        plain = by_id[cell.id.removesuffix("-literal")]
        assert (cell.xvalid, cell.published) == (plain.xvalid, plain.published)
        assert variants.training_of(cell.id).trial.data.synthetic == "train_nopitch_dry"
    # All four select their epochs in one training.
    assert len({variants.training_of(c.id).id for c in literal}) == 1
    ratios, ablation = (read_space(f"tune_spaces/{n}.yaml") for n in ("ratios", "ablation"))
    assert len(ratios.trainings) == 9
    for paper, first in (("T1-SU", "SU-1-3"), ("T1-WU", "WU-1-3"), ("T1-SW", "SW-1-1")):
        assert ratios.training_of(first).id == ablation.training_of(paper).id
    for claim in ratios.space.claims:
        assert {c.expect for c in claim.comparisons} == {"not_higher"} and len(
            claim.comparisons
        ) == 2
