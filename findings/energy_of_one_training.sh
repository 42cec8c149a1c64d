#!/usr/bin/env bash
# Versions: codecarbon 3.3.2 (the tool whose kWh the DCASE task asks for), psutil 7.2.2.
# Input: two processes at once on one machine, 8 s each: one computes, one sleeps. Each has a tracker with the defaults,
#   as two trainings have that share a machine; then the same with tracking_mode="process". A machine without counters
#   of energy (RAPL), as containers and rented machines are; the script ends with 77 where there are some.
# Expected: a tracker gives the energy of its own process, or says that it cannot know it.
# Observed: by default each is charged for the whole machine: the sleeping process reports what the computing one does
#   (within 2 %), so a sum over trainings that share a machine counts everything as often as there are trainings. With
#   tracking_mode="process" the CPU's part follows the process, but the memory's is a model that never falls below two
#   modules of 5 W: that is nearly all of what the sleeping process reports, and more than what computing costs.
# Seen 2026-11-30 (2 threads, 24 GB; joules in 8 s, other work beside):
#   machine  computes: CPU 64.0, memory 159.1   sleeps: CPU 63.7, memory 160.0
#   process  computes: CPU 42.5, memory 73.9   sleeps: CPU 0.2, memory 79.9
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH
cd "$work"
if compgen -G "/sys/class/powercap/intel-rapl*" >/dev/null; then
  echo "this machine has counters of energy: the finding is about machines without" >&2
  exit 77
fi
"${PYTHON:-python3}" -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-compile \
  codecarbon==3.3.2 arrow==1.4.0 python-dateutil==2.9.0.post0 six==1.17.0 tzdata==2026.6 Authlib==1.9.10 joserfc==1.8.0 \
  cryptography==50.0.2 cffi==2.1.1 pycparser==3.12 click==8.5.1 pandas==3.1.1 numpy==2.3.5 psutil==7.2.2 \
  py-cpuinfo==9.0.0 pydantic==2.14.4 pydantic_core==2.50.5 annotated-types==0.8.0 typing-inspection==0.4.5 \
  typing_extensions==4.16.0 nvidia-ml-py==13.615.71 RapidFuzz==3.14.6 requests==2.34.2 urllib3==2.8.0 idna==3.20 \
  certifi==2026.10.18 charset-normalizer==3.5.2 questionary==2.1.1 prompt_toolkit==3.0.53 wcwidth==0.9.4 rich==15.0.0 \
  markdown-it-py==4.3.0 mdurl==0.1.2 Pygments==2.21.0 typer==0.29.2 shellingham==1.5.4 annotated-doc==0.0.7 \
  pycountry==26.2.16 prometheus_client==0.26.0

cat >tracked.py <<'PY'
import multiprocessing
import sys
import time

from codecarbon import OfflineEmissionsTracker

SPAN_S = 8.0
J_PER_KWH = 3.6e6


def track(computes: bool, mode: str, answers: multiprocessing.Queue) -> None:
    tracker = OfflineEmissionsTracker(
        country_iso_code="FRA",
        tracking_mode=mode,
        measure_power_secs=2,
        save_to_file=False,
        log_level="critical",
        allow_multiple_runs=True,
    )
    tracker.start()
    end_s = time.monotonic() + SPAN_S
    while computes and time.monotonic() < end_s:
        pass
    time.sleep(max(0.0, end_s - time.monotonic()))
    tracker.stop()
    data = tracker.final_emissions_data
    answers.put((computes, J_PER_KWH * data.cpu_energy, J_PER_KWH * data.ram_energy))


def both(mode: str) -> dict[bool, tuple[float, float]]:
    """Joules of CPU and memory of the process that computes (True) and the one that sleeps (False)."""
    answers = multiprocessing.Queue()
    processes = [
        multiprocessing.Process(target=track, args=(computes, mode, answers))
        for computes in (True, False)
    ]
    for process in processes:
        process.start()
    taken = [answers.get(timeout=120) for _ in processes]
    found = {computes: (cpu_j, memory_j) for computes, cpu_j, memory_j in taken}
    for process in processes:
        process.join()
    (cpu_j, memory_j), (idle_cpu_j, idle_memory_j) = found[True], found[False]
    print(
        f"{mode}  computes: CPU {cpu_j:.1f}, memory {memory_j:.1f}"
        f"   sleeps: CPU {idle_cpu_j:.1f}, memory {idle_memory_j:.1f}"
    )
    return found


if __name__ == "__main__":
    machine, process = both("machine"), both("process")
    if machine[False][0] < 0.7 * machine[True][0]:
        sys.exit("changed: by default a sleeping process no longer reports the machine's energy")
    if process[False][0] > 0.3 * process[True][0]:
        sys.exit("changed: tracking_mode='process' no longer follows the process")
    if process[False][1] < 5 * process[False][0]:
        sys.exit("changed: memory is no longer most of what a sleeping process reports")
PY
venv/bin/python -W ignore tracked.py
