"""The places of a job mean the same from everywhere."""

from pathlib import Path

import pytest

from raysed.config.annotated_set import AnnotatedSet
from raysed.config.data_job import Roots
from raysed.data.build.absolute_roots import with_absolute_roots
from tests.data.recorded_tree import weak_job


def test_paths_are_made_absolute_and_urls_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = AnnotatedSet(kind="annotated", audio="rec/*.wav", type="none")
    roots = Roots(recorded="dataset", soundbank="s3://lab/bank/", rir="gs://lab/rir")
    job = with_absolute_roots(weak_job(tmp_path, tmp_path, roots=roots, sets={"own": own}))
    assert job.roots.recorded == str(tmp_path / "dataset")
    assert (job.roots.soundbank, job.roots.rir) == ("s3://lab/bank", "gs://lab/rir")
    assert job.sets["own"].audio == str(tmp_path / "rec/*.wav")


@pytest.mark.parametrize("url", ["s3://me:secret@lab/bank", "https://lab/bank?signature=secret"])
def test_a_root_that_holds_a_secret_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ValueError, match="in the URL of a folder") as refusal:
        with_absolute_roots(weak_job(tmp_path, tmp_path, roots=Roots(recorded=url)))
    assert "secret" not in str(refusal.value)
