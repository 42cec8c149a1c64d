#!/usr/bin/env bash
# Versions: ray 2.58.0. No GPU is needed: Ray is told of two, and only hands out their numbers.
# Input: an idle node of two GPUs; a placement group with one bundle for each rank of a distributed training, where a rank
#   asks for half a GPU (two ranks of 0.5, or of 0.6 and 0.4) or for 0.6, by PACK and by SPREAD.
# Expected: SPREAD gives ranks cards of their own where there are enough; or a rank is never put on a card that another
#   rank of the same group has, since NCCL wants one card for each rank.
# Observed: PACK and SPREAD are about nodes. In a node bundles fill the first card before the second is begun: ranks of
#   0.5 + 0.5 or 0.6 + 0.4 get the same card, by SPREAD too, and the other card idles; 0.6 + 0.6 get one each. So whether
#   a training of two ranks is possible hangs on whether the fractions add up to more than 1.
# Seen 2026-11-30:
#   PACK    0.5 + 0.5: cards 0, 0   0.6 + 0.4: cards 0, 0   0.6 + 0.6: cards 0, 1
#   SPREAD  0.5 + 0.5: cards 0, 0   0.6 + 0.4: cards 0, 0   0.6 + 0.6: cards 0, 1
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH RAY_ADDRESS CUDA_VISIBLE_DEVICES
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-compile \
  ray==2.58.0 click==8.5.1 filelock==4.3.1 jsonschema==4.26.0 jsonschema-specifications==2025.9.1 referencing==0.37.0 \
  rpds-py==2026.9.1 attrs==26.1.0 msgpack==1.2.4 packaging==26.3 protobuf==7.36.2 PyYAML==6.0.3 requests==2.34.2 \
  urllib3==2.8.0 idna==3.20 certifi==2026.10.18 charset-normalizer==3.5.2 typing_extensions==4.16.0

export RAY_USAGE_STATS_ENABLED=0 RAY_raylet_start_wait_time_s=180
venv/bin/python -W ignore - <<'PY'
import sys

import ray
from ray.util.placement_group import placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

SHARES = ((0.5, 0.5), (0.6, 0.4), (0.6, 0.6))


@ray.remote(num_cpus=0)
class Rank:
    def cards(self) -> list[int]:
        return ray.get_gpu_ids()


def cards_of(shares: tuple[float, ...], strategy: str) -> list[int]:
    """The card that each rank of a group gets on the idle node."""
    group = placement_group([{"GPU": share, "CPU": 1} for share in shares], strategy=strategy)
    ray.get(group.ready(), timeout=120)
    ranks = [
        Rank.options(
            num_gpus=share,
            scheduling_strategy=PlacementGroupSchedulingStrategy(
                group, placement_group_bundle_index=n
            ),
        ).remote()
        for n, share in enumerate(shares)
    ]
    found = ray.get([rank.cards.remote() for rank in ranks], timeout=120)
    remove_placement_group(group)
    return [card for (card,) in found]


ray.init(
    num_cpus=4, num_gpus=2, include_dashboard=False, logging_level="error", log_to_driver=False
)
for strategy in ("PACK", "SPREAD"):
    found = {shares: cards_of(shares, strategy) for shares in SHARES}
    texts = [
        f"{' + '.join(map(str, shares))}: cards {', '.join(map(str, cards))}"
        for shares, cards in found.items()
    ]
    print(f"{strategy:<7} {'   '.join(texts)}")
    if found[(0.6, 0.6)] != [0, 1]:
        sys.exit("changed: shares that do not fit one card no longer get one each")
    if any(len(set(found[shares])) > 1 for shares in ((0.5, 0.5), (0.6, 0.4))):
        sys.exit("changed: ranks that fit one card no longer share it")
PY
