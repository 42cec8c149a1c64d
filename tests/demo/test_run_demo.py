"""The order of the demo's work and its exit codes; the work itself is faked."""

from types import SimpleNamespace

import pytest

from raysed.demo import run_demo as module
from raysed.demo.run_demo import run_demo
from raysed.exit_codes import CHECK_FAILED, DONE, HOLES
from tests.paths import ROOT


@pytest.fixture
def faked(monkeypatch):
    """The demo without its work; returns what was called and what each part shall return."""
    calls, returns = [], {"faults": [], "code": DONE, "learnt": True}
    report = SimpleNamespace(lines=["| a table |"], learnt=True)

    def fake(name, result=None):
        def call(*arguments, **options):
            calls.append(name)
            if name == "run_space":
                returns["folder"] = arguments[2].url
                return returns["code"]
            if name == "write_report":
                report.learnt = returns["learnt"]
                return report
            return returns["faults"] if name == "place_faults" else result

        monkeypatch.setattr(module, name, call)

    for name in ("place_faults", "write_demo_tree", "run_space", "write_report"):
        fake(name)
    fake("write_page", ["wrote a page"])
    fake("closing_lines", ["The demo in five lines"])
    monkeypatch.chdir(ROOT)
    return calls, returns


def test_the_whole_way_in_order(faked, tmp_path, capsys):
    calls, returns = faked
    assert run_demo(str(tmp_path / "run")) == DONE
    way = ["place_faults", "write_demo_tree", "run_space", "write_report", "write_page"]
    assert calls == [*way, "closing_lines"]
    assert returns["folder"] == str(tmp_path / "run")
    shown = capsys.readouterr()
    assert shown.out == "| a table |\nThe demo in five lines\n" and "wrote a page" in shown.err


def test_without_a_folder_it_is_the_spaces_own(faked):
    run_demo(None)
    assert faked[1]["folder"] == str(ROOT / "runs/demo")


@pytest.mark.parametrize(
    ("code", "learnt", "expected"),
    [(DONE, False, CHECK_FAILED), (HOLES, True, HOLES), (HOLES, False, HOLES)],
)
def test_holes_go_before_the_check_of_learning(faked, code, learnt, expected):
    faked[1].update(code=code, learnt=learnt)
    assert run_demo(None) == expected


def test_nothing_is_written_where_the_run_cannot_be(faked):
    calls, returns = faked
    returns["faults"] = ["x: denied", "x: full"]
    with pytest.raises(ValueError, match=r"^x: denied; x: full$"):
        run_demo(None)
    assert calls == ["place_faults"]


def test_from_another_folder_it_says_where_it_belongs(faked, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"tune_spaces/demo\.yaml is not here: run the demo from"):
        run_demo(None)
    assert faked[0] == []


def test_the_demo_runs_where_dali_is_not_installed(faked, monkeypatch):
    jobs = []
    monkeypatch.setattr(
        module, "run_space", lambda resolved, *_, **__: jobs.append(resolved.job) or DONE
    )
    run_demo(None)
    monkeypatch.setattr(module, "is_installed", lambda mel: False)
    monkeypatch.setenv("RAYSED_MEL", "torchaudio")  # taken back after the test
    monkeypatch.delenv("RAYSED_MEL")
    run_demo(None)
    assert [job.mel for job in jobs] == ["dali", "torchaudio"]
