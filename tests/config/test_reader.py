import pytest

from raysed.config.data_job import DataJob
from raysed.config.fault import ConfigError
from raysed.config.reader import read_config, read_yaml

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
    ("text", "message"), [("a: \x01", "not valid YAML"), ("a: &x [*x]", "contains itself")]
)
def test_strange_files_are_faults(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        read_yaml(write(tmp_path, text))
