"""Trials as threads of one process: how they get there, and that a run of them is bitwise one of processes, also where
their process or that of one trial is killed in mid-work.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest
from ray.exceptions import RayActorError

from raysed.config.space import read_space
from raysed.config.trial_resources import Resources
from raysed.run.run_plan import RunPlan
from raysed.run.trial_plan import plan_trials
from raysed.storage.folder import Folder
from raysed.training.ranks import Ranks
from raysed.tune import card_hosts
from raysed.tune.card_hosts import own_stream
from raysed.tune.trial_job import job_of, train_rank
from tests.data.processes import kill_in_mid_work, workers
from tests.tune.runs import Saboteur, assert_same_results, epochs_of, run
from tests.tune.test_faults import EPOCHS, TRIAL, trial_of
from tests.tune.tiny import space_content, write_space

HOST = "ray::CardHost."


class Stream:
    def __init__(self, broken=False):
        self.broken, self.waits = broken, 0

    def synchronize(self):
        self.waits += 1
        if self.broken:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")


def stream_of(free, broken=False, seen=None):
    @contextmanager
    def used(stream):
        if seen is not None:
            seen.append(stream)
        yield

    return own_stream(free, lambda: Stream(broken), used)


def test_a_stream_is_used_again_and_by_one_thread_at_a_time():
    free, seen = [], []
    with stream_of(free, seen=seen), stream_of(free, seen=seen):
        assert seen[0] is not seen[1] and free == []
    with stream_of(free, seen=seen):
        assert seen[2] in seen[:2]
    assert len(free) == 2 and [s.waits for s in {*seen}] in ([1, 2], [2, 1])


def test_a_trial_that_fails_gives_its_stream_back():
    free = []
    with pytest.raises(ValueError, match="diverged"), stream_of(free):
        raise ValueError("diverged")
    assert len(free) == 1


def test_a_card_that_is_broken_for_good_ends_its_process(monkeypatch):
    class EndedError(BaseException):
        pass

    def end(code):
        assert code == 1
        raise EndedError

    monkeypatch.setattr(card_hosts.os, "_exit", end)
    with pytest.raises(EndedError), stream_of([], broken=True):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")


class Actor:
    """Ray's side of a host: made with a card on a node, and dead once somebody says so."""

    made: ClassVar[list["Actor"]] = []

    def __init__(self, kind):
        self.__ray_ready__ = self
        self.dead = False

    def options(self, **options):
        self.node = options["scheduling_strategy"].node_id
        assert options["num_cpus"] == 0
        return self

    def remote(self, *card):
        if card:
            self.card = card[0]
            Actor.made.append(self)
        return self


def test_a_card_has_a_host_for_each_kind_of_product_and_a_new_one_once_it_is_dead(monkeypatch):
    def get(actor):
        if actor.dead:
            raise RayActorError

    monkeypatch.setattr(Actor, "made", [])
    monkeypatch.setattr(card_hosts, "ray", SimpleNamespace(remote=Actor, get=get))
    monkeypatch.setattr(card_hosts, "_on", lambda node: SimpleNamespace(node_id=node))
    hosts = card_hosts.CardHosts(4)
    first = hosts.host("node", "0", True)
    assert hosts.host("node", "0", True) is first and (first.node, first.card) == ("node", "0")
    others = [("node", "0", False), ("node", "1", True), ("other", "0", True), ("node", None, True)]
    assert len({first, *(hosts.host(*key) for key in others)}) == 5 == len(Actor.made)
    first.dead = True
    again = hosts.host("node", "0", True)
    assert again is not first and hosts.host("node", "0", True) is again


def test_a_host_sees_its_card_and_ends_an_attempt_before_the_next_one(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    host, ended, job = card_hosts.CardHost("3"), [], {"out": "t", "name": "t", "gpus": 0}
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "3"

    def trained(job, ranks, address, report, each_step):
        report({"epoch": 0})
        try:
            while not ended:
                each_step()
        finally:
            ended.append(True)

    monkeypatch.setattr(card_hosts, "train_rank", trained)
    lost = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    host.start(job, lost.pid)
    assert host.next("t") == {"epoch": 0}
    host.trials["t"]._asked.release()
    lost.kill()
    lost.wait()
    host.start(job, os.getpid())
    assert ended == [True]
    assert host.next("t") == {"epoch": 0} and host.next("t") is None


def test_trials_that_are_processes_need_no_host():
    with card_hosts.card_hosts(Resources(), 4) as name:
        assert name is None


class Watched:
    """Two trials that are threads of one process, each as it is alone, and runs of both on Ray."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self.hosts: set[int] = set()
        self.over = threading.Event()

    def space(self, name: str) -> Path:
        base = space_content(self.tree, self.tree / "job.yaml")["base"]
        base["schedule"] = {"epochs": EPOCHS, "steps_per_epoch": 4, "ramp_epochs": 1}
        cells = [
            {"id": i, "table": "1", "column": i, "xvalid": "dry", "set": changed}
            for i, changed in (("narrow", {}), ("wide", {"model": {"gru_units": 8}}))
        ]
        changed = {"base": base, "cells": cells, "seeds": [0], "contrasts": []}
        return write_space(self.tree, name, resources={"trials_as": "threads"}, **changed)

    def run(self, name: str, deed: Callable[[], object]) -> list[str]:
        """The lines of a run; the deed is done once a trial has two epochs, in mid-work."""
        space = self.space(name)
        trial = trial_of(space, "narrow")
        looking = threading.Thread(target=self._look)
        looking.start()
        saboteur = Saboteur(trial, 2, deed)
        try:
            code, said = run(space)
        finally:
            self.over.set()
            looking.join()
        saboteur.assert_mid_work(EPOCHS)
        assert code == 0 and workers(HOST) == []
        assert epochs_of(trial)[: len(saboteur.then)] == saboteur.then
        return [line.split()[0] for line in said if "its process died; another one" in line]

    def _look(self) -> None:
        while not self.over.wait(0.2):
            self.hosts.update(workers(HOST))

    def alone(self, name: str, out: Path) -> Path:
        """The trials of a run, trained in this process one after the other."""
        resolved, folder = read_space(self.space(name)), Folder(str(self.tree / name))
        urls = {each.name: str(each.url) for each in RunPlan.require(folder).datasets}
        for trial in plan_trials(resolved, folder):
            own = str(out / "trials" / trial.name)
            train_rank(job_of(trial, resolved, urls, None) | {"out": own}, Ranks(), "")
        return out


@pytest.mark.ray
@pytest.mark.slow
def test_kill_9_of_a_trial_and_of_the_process_of_all(
    tree: Path, ray_session: None, tmp_path: Path
) -> None:
    one = Watched(tree)
    lost = one.run("killed_thread", lambda: kill_in_mid_work(f"{TRIAL}.train"))
    assert len(lost) == 1, "the other trial goes on"
    assert len(one.hosts) == 1, "both trained in one process"
    alone = one.alone("killed_thread", tmp_path)
    assert_same_results(tree / "killed_thread", alone)
    lost = Watched(tree).run("killed_host", lambda: kill_in_mid_work(HOST))
    assert "narrow" in lost and set(lost) <= {"narrow", "wide"}
    assert_same_results(tree / "killed_host", alone)
