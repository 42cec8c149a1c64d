#!/bin/bash
# raysed on Slurm: one Ray over the allocation, gone with it. From the project's root:
#   sbatch cluster/slurm.sh tune_spaces/ablation.yaml [--run URL]
# Submitted again, it goes on where it was. Slurm interrupts it two minutes before the time limit, which leaves a true
# status.json behind. DESED_ROOT, DESED_METADATA and RAYSED_DATA come from the environment.
#SBATCH --job-name=raysed
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=32
#SBATCH --gpus-per-node=8
#SBATCH --time=24:00:00
#SBATCH --signal=B:TERM@120
#SBATCH --output=raysed-%j.log
set -euo pipefail

cd "${SLURM_SUBMIT_DIR:-.}"
# shellcheck source=/dev/null
source .venv/bin/activate

# Other users share these nodes: nobody joins this Ray without the token, which the nodes read from the shared home.
umask 077
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH="$HOME/.raysed-token-${SLURM_JOB_ID:?run this with sbatch}"
# All nodes go at once, so none has another one to hand its work to: Ray would try for 30 s, after which Slurm kills it and
# what removes its folder.
export RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S=0
export RAY_USAGE_STATS_ENABLED=0 RAYSED_CACHE="${RAYSED_CACHE:-${TMPDIR:-/tmp}/raysed-cache-$USER}"
head -c 32 /dev/urandom | sha256sum | cut -d' ' -f1 > "$RAY_AUTH_TOKEN_PATH"
trap 'rm -f "$RAY_AUTH_TOKEN_PATH"' EXIT

# The batch script runs on the first node; two jobs on one node need two ports.
# (No `| head` here: it ends the writer with SIGPIPE, and so, by pipefail, now and then the job.)
mapfile -t hosts < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
head_node=${hosts[0]:?scontrol names no node}
head_ip=$(getent ahostsv4 "$head_node" | awk 'NR == 1 {print $1}')
export RAY_ADDRESS="$head_ip:$((20000 + SLURM_JOB_ID % 20000))"

# Ray puts sockets into its folder, whose paths hold at most 107 bytes; a job's own TMPDIR is often too long for that. A
# node's folder goes with its step, after Ray, whose end the shell awaits.
# shellcheck disable=SC2016  # the nodes expand it
node='folder=$(mktemp -d "${RAY_TMPDIR:-/tmp}/raysed-$SLURM_JOB_ID-XXXXXX"); trap "rm -rf \"$folder\"" EXIT; trap : TERM
ray start --temp-dir="$folder" --block "$@"'
srun --overlap --nodes=1 --ntasks=1 --nodelist="$head_node" \
  bash -c "$node" ray --head --node-ip-address="$head_ip" --port="${RAY_ADDRESS##*:}" --include-dashboard=false &
if [ "$SLURM_JOB_NUM_NODES" -gt 1 ]; then
  srun --overlap --nodes=$((SLURM_JOB_NUM_NODES - 1)) --exclude="$head_node" \
    bash -c "until ray status >/dev/null 2>&1; do sleep 2; done; $node" ray --address="$RAY_ADDRESS" &
fi

nodes() {
  python -c 'import ray; ray.init(logging_level="error", log_to_driver=False); print(sum(n["Alive"] for n in ray.nodes()))' \
    2>/dev/null || echo 0
}
for _ in $(seq 60); do
  [ "$(nodes)" -ge "$SLURM_JOB_NUM_NODES" ] && break
  sleep 5
done
[ "$(nodes)" -ge "$SLURM_JOB_NUM_NODES" ] || { echo "not all $SLURM_JOB_NUM_NODES nodes joined Ray in time" >&2; exit 3; }

# Its exit code is the job's; the steps with Ray end with the job.
python -m raysed.tune "$@" &
driver=$!
trap 'kill -TERM "$driver"' TERM
code=0
wait "$driver" || code=$?
# The signal ends `wait` before the driver has written its status.
while kill -0 "$driver" 2>/dev/null; do
  code=0
  wait "$driver" || code=$?
done
exit "$code"
