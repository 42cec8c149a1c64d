"""The pages of public data sets say where people get one, what its files look like, and a job that is read as it stands."""

import re
import textwrap
from pathlib import Path

import pytest

from raysed.config.annotated_set import AnnotatedSet
from raysed.config.data_job import DataJob
from raysed.config.reader import read_config
from raysed.config.trial import Shares
from tests.paths import ROOT

PAGES = sorted((ROOT / "docs/datasets").glob("*.md"))


def job_of(page: str) -> str:
    """Return the indented block below **Job.**"""
    below = page.partition("**Job.**")[2]
    return textwrap.dedent(re.findall(r"(?:^ {4}.*\n|^\n)+", below, flags=re.MULTILINE)[0])


def test_there_is_a_page_for_each_and_the_data_page_links_it() -> None:
    assert {page.stem for page in PAGES} == {
        *("desed", "desed_strong_real", "maestro_real", "audioset_strong"),
        *("urban_sed", "wild_desed", "hugging_face"),
    }
    listed = (ROOT / "docs/data.md").read_text()
    assert all(f"(datasets/{page.name})" in listed for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_job_of_a_page_is_read(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = page.read_text()
    assert all(f"**{part}**" in text for part in ("Where.", "Form.", "Job."))
    for name in re.findall(r"\$\{(\w+)\}", text):
        monkeypatch.setenv(name, f"/data/{name}")
    written = tmp_path / "job.yaml"
    written.write_text(f"name: page\nout: out\n{job_of(text)}")
    job = read_config(written, DataJob)
    places = [s.audio for s in job.sets.values() if isinstance(s, AnnotatedSet)]
    assert job.sets and not any("$" in place for place in places)
    for given in re.findall(r"`shares: (\{.*?\})`", text):
        written.write_text(given)
        assert read_config(written, Shares).labelled
