"""Draws from torch's global generators: each holder's are its own, whatever other threads draw."""

import threading

import torch

from raysed.draws import draws


def test_a_seed_gives_the_same_draws_and_without_one_they_go_on():
    with draws(3):
        first = torch.rand(2)
        with draws():
            second = torch.rand(2)
    torch.manual_seed(3)
    assert torch.equal(torch.cat([first, second]), torch.cat([torch.rand(2), torch.rand(2)]))


def test_another_thread_waits():
    entered, found = threading.Event(), []

    def other():
        entered.set()
        with draws(4):
            found.append(torch.rand(1))

    with draws(3):
        thread = threading.Thread(target=other)
        thread.start()
        assert entered.wait(60)
        thread.join(0.05)
        assert found == []
        ours = torch.rand(1)
    thread.join()
    torch.manual_seed(3)
    assert torch.equal(ours, torch.rand(1))
    torch.manual_seed(4)
    assert torch.equal(found[0], torch.rand(1))


def test_an_error_lets_go():
    try:
        with draws():
            raise ValueError
    except ValueError:
        pass
    thread = threading.Thread(target=draws().__enter__)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
