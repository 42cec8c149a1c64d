import pytest

from raysed.config.data_job import DataJob
from raysed.config.fault import ConfigError
from raysed.config.reader import check, read_config, read_yaml
from raysed.config.table import Claim

JOB = """
name: tiny
out: data/tiny
roots: {recorded: here}
sets:
  weak: {kind: recorded, subset: weak, part: train}
"""


def write(tmp_path, text):
    path = tmp_path / "job.yaml"
    path.write_text(text)
    return path


def faults_of(tmp_path, text, model=DataJob):
    with pytest.raises(ConfigError) as error:
        read_config(write(tmp_path, text), model)
    return error.value.faults


def test_reads_a_job(tmp_path):
    job = read_config(write(tmp_path, JOB), DataJob)
    assert job.features.n_frames == 628
    assert job.sets["weak"].part == "train"


def test_all_faults_at_once_with_file_line_key_and_nearest(tmp_path):
    faults = faults_of(
        tmp_path,
        JOB.replace("subset: weak, part: train", "subset: weak, prt: train, limit: many")
        + "shard_clip: 3\nmel: cuda\n",
    )
    path = tmp_path / "job.yaml"
    assert len(faults) == 4
    assert f"{path}:6: sets.weak.prt: unknown key; did you mean part?" in faults
    assert any(f.startswith(f"{path}:6: sets.weak.limit: ") and '"many"' in f for f in faults)
    assert f"{path}:7: shard_clip: unknown key; did you mean shard_clips?" in faults
    assert any(f.startswith(f"{path}:8: mel: ") and "'dali'" in f for f in faults)


def test_a_key_at_the_wrong_place_is_not_its_own_suggestion(tmp_path):
    (fault,) = faults_of(tmp_path, JOB + "count: 3\n")
    assert "count: unknown key" in fault and "did you mean count?" not in fault


def test_duplicate_keys_are_refused_with_both_lines(tmp_path):
    faults = faults_of(tmp_path, JOB + "name: other\n")
    assert faults == [f"{tmp_path / 'job.yaml'}:7: name: given twice (first on line 2)"]


def test_nested_duplicate_key_is_refused(tmp_path):
    faults = faults_of(tmp_path, JOB.replace("part: train", "part: train, part: xvalid"))
    assert "sets.weak.part: given twice" in faults[0]


def test_missing_key_is_named(tmp_path):
    assert faults_of(tmp_path, JOB.replace("out: data/tiny\n", "")) == [
        f"{tmp_path / 'job.yaml'}:2: out: missing"
    ]


def test_rule_between_keys_is_reported_where_it_stands(tmp_path):
    faults = faults_of(tmp_path, JOB + "features: {high_hz: 9000.0}\n")
    assert faults == [
        f"{tmp_path / 'job.yaml'}:7: features: high_hz 9000.0 is above half the sample rate 16000"
    ]


def test_unknown_set_kind(tmp_path):
    faults = faults_of(tmp_path, JOB.replace("kind: recorded", "kind: recoded"))
    assert "sets.weak" in faults[0] and "'recorded'" in faults[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1, 2", "not valid YAML"),
        ("", "empty"),
        ("- 1\n- 2\n", "object"),
        ("a: !!python/object:os.x {}", "not valid YAML: could not determine a constructor"),
    ],
)
def test_not_a_job(tmp_path, text, message):
    assert message in faults_of(tmp_path, text)[0]


def test_no_such_file(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.yaml: no such file"):
        read_config(tmp_path / "absent.yaml", DataJob)


def test_variables(tmp_path, monkeypatch):
    monkeypatch.setenv("HERE", "/data")
    monkeypatch.delenv("NOWHERE", raising=False)
    content, _ = read_yaml(write(tmp_path, "a: ${HERE}/x\nb: ['${NOWHERE:-default}']\n"))
    assert content == {"a": "/data/x", "b": ["default"]}
    with pytest.raises(
        ConfigError, match=r"job\.yaml:1: a: environment variable NOWHERE is not set"
    ):
        read_yaml(write(tmp_path, "a: ${NOWHERE}\n"))


def test_scientific_notation_is_a_number(tmp_path):
    content, _ = read_yaml(write(tmp_path, "a: 1e-3\nb: 1.5e3\nc: e3\n"))
    assert content == {"a": 1e-3, "b": 1500.0, "c": "e3"}


def test_merge_keys_are_not_duplicates(tmp_path):
    content, _ = read_yaml(write(tmp_path, "a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n"))
    assert content["b"] == {"x": 1, "y": 3}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: \x01", "not valid YAML"),
        ("a: &x [*x]", r"job\.yaml:1: an alias contains itself"),
        ("\na: 2020-13-45", r"job\.yaml:2: not valid YAML: '2020-13-45' is no timestamp"),
        ("a: !!int many", r"job\.yaml:1: not valid YAML: 'many' is no int"),
        ("a: !!bool maybe", r"job\.yaml:1: not valid YAML: 'maybe' is no bool"),
        ("a: " + "9" * 5000, r"job\.yaml:1: not valid YAML: '9+' is no int"),
        ("a: " + "[" * 600, "nested too deeply"),
        ("#" * 4_000_001, "4,000,001 bytes, more than a configuration ever has"),
    ],
)
def test_strange_files_are_faults(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        read_yaml(write(tmp_path, text))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("classes: [Cat, Dog, Cat]\n", ":7: classes: given twice: Cat"),
        ("classes: []\n", ":7: classes: an empty list"),
        ("classes:\n  - Cat\n  - ''\n", ":9: classes[1]: a text is expected, given ''"),
        ('classes: ["Cat\\tDog"]\n', ":7: classes[0]: 'Cat\\tDog' holds a tab"),
        ("shard_clips: 1000000000\n", ":7: shard_clips: Input should be less than"),
        ("features: {n_fft: 1000000000}\n", ":7: features.n_fft: Input should be less than"),
        (
            "features: {duration_s: 3600.0, hop: 1}\n",
            ":7: features: a clip of 57,600,001 frames x 128 mel bands (57,600,000 samples) is larger than",
        ),
    ],
)
def test_classes_and_sizes_have_limits(tmp_path, change, message):
    (fault,) = faults_of(tmp_path, JOB + change)
    assert fault.startswith(f"{tmp_path / 'job.yaml'}{message}")


def test_sets_that_differ_in_case_only_would_share_a_folder(tmp_path):
    other = "  Weak: {kind: recorded, subset: weak}\n"
    (fault,) = faults_of(tmp_path, JOB + other)
    assert "sets: weak, Weak: folders of one name where case does not count" in fault


def test_a_refused_item_does_not_make_its_list_too_short():
    """It said that the one metric which was given was none, beside what was wrong with it."""
    compared = {"comparisons": [{"cell": "x", "against": "y", "expect": "higher"}]}
    claim = {"id": "a", "text": "b", "evaluation": "c", **compared, "metrics": ["psds3"]}
    (fault,) = check(claim, Claim)[1]
    assert fault.text.startswith("metrics[0]: 'psds3' is no metric")
    (fault,) = check(claim | {"metrics": []}, Claim)[1]
    assert "metrics: " in fault.text and "at least 1 item" in fault.text
