"""Sentences on the looks of a run whose seeds grow: what they decided, and why it goes on or stops."""

from collections import Counter

from raysed.report.contrasts import about_both
from raysed.run.folders import trial_name
from raysed.run.run_plan import RunPlan
from raysed.run.seed_looks import Look, LookedQuestion, SeedLooks
from raysed.text import counted

_SHOWN = 6


def look_lines(plan: RunPlan, looks: SeedLooks) -> list[str]:
    """Return the sentences on every look so far, for log, tables and page; nothing where seeds are listed."""
    if not plan.looks:
        return []
    lines = [
        f"Seeds grow: looks after {', '.join(map(str, plan.looks))} seeds share the 5 % of error of the simultaneous"
        f" intervals ({about_both(plan)})."
    ]
    for number, look in enumerate(looks.done, 1):
        lines += about_look(plan, looks.planned, number, look)
    if not looks.done:
        lines.append(f"Nothing is judged before every cell has {counted(plan.looks[0], 'seed')}.")
    return lines


def about_look(plan: RunPlan, planned: tuple[int, ...], number: int, look: Look) -> list[str]:
    """Return what one look decided: counts, what is given up, and where seeds go or why there is an end."""
    states = Counter(q.state for q in look.questions)
    counts = ", ".join(
        f"{states[state]} {state}"
        for state in ("decided", "open", "hopeless", "not needed", "failed")
        if states[state]
    )
    lines = [
        f"Look {number} of at most {len(planned)}, after {counted(look.seeds, 'seed')} ({100 * look.spent:.1f} % of error spent):"
        f" {counted(len(look.questions), 'question')}: {counts}."
    ]
    if look.failed:
        lines.append(f"  made without what had failed: {_trials(plan, look)}")
    if states["failed"]:
        lines.append(f"  failed (no finished seed of both cells): {_named(look, 'failed')}")
    if states["hopeless"]:
        lines.append(
            f"  hopeless (less than 10 % chance of an answer with {planned[-1]} seeds): {_named(look, 'hopeless')}"
        )
    if look.further:
        more = planned[number] - look.seeds
        cells = [cell for training in look.further for cell in plan.cells_of(training)]
        lines += [
            f"  open: {_named(look, 'open')}",
            f"  so {counted(more, 'further seed')} for {counted(len(look.further), 'training')} of"
            f" {len(plan.trainings)}: {', '.join(cells)}",
        ]
    else:
        lines.append(f"  {_end(look, planned)}")
    return lines


def _end(look: Look, planned: tuple[int, ...]) -> str:
    """Say why no further seed is trained."""
    left = [q for q in look.questions if q.state in ("open", "hopeless", "failed")]
    if not left:
        return "stopped: every question is answered"
    if look.seeds == planned[-1]:
        return f"stopped: {planned[-1]} seeds are trained; without an answer: {_names(left)}"
    return "stopped: no question is left that more seeds are likely to answer"


def _trials(plan: RunPlan, look: Look) -> str:
    """Return the trials that a look lacks, by their cells and seeds."""
    names = {
        trial_name(training.id, seed): f"{'/'.join(plan.cells_of(training.id))} seed {seed}"
        for training in plan.trainings
        for seed in plan.seeds_of(training.id)
    }
    return ", ".join(names.get(name, name) for name in look.failed)


def _named(look: Look, state: str) -> str:
    return _names([q for q in look.questions if q.state == state])


def _names(found: list[LookedQuestion]) -> str:
    """Return the first names of questions, by claim or by their cells."""
    names = list(dict.fromkeys(q.claim or f"{q.cell} less {q.against}" for q in found))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
