#!/usr/bin/env bash
# Versions: torch 2.13.0 on the CPU, torchmetrics 1.9.0, numpy 2.3.5. torch comes with all it asks for: some GB, from a package
#   index that has only its CUDA build.
# Input: clip probabilities of a tagger whose head pools frames by attention: the sum over 156 frames of probabilities times a
#   softmax over time. 1,000 clips and 10 classes, many of them certain, labels drawn by these probabilities; macro F at a
#   threshold of 0.5 and macro mAP by torchmetrics, given in batches.
# Expected: an average of probabilities lies in 0 to 1; what a metric over all clips is does not depend on the batches.
# Observed: a softmax adds up to 1 within a rounding error, so where all frames are certain the average may be 1.0000001. torchmetrics
#   takes a batch with any value above 1 for logits and puts a sigmoid on all of it: every probability of the batch becomes 0.5 or
#   more, and every class of every clip is found. 9 values of 10,000 bring F from 0.894 to 0.827 in batches of 24, and to 0.662
#   at once; mAP mixes scores with and without a sigmoid and falls by up to 2 points, but not at once, as a sigmoid keeps the order.
#   With values cut to 1 nothing depends on batches. (That logits within 0 to 1 are not taken for logits is known; here, nobody
#   gave any.) An attention that divides by the sum of its weights never exceeds 1.
# Seen 2026-12-01:
#   largest probability: 1 + 2.4e-07, 9 of 10000 above 1
#   batches of 24    F 0.827  mAP 0.950   cut to 1: F 0.894  mAP 0.966
#   batches of 64    F 0.753  mAP 0.943   cut to 1: F 0.894  mAP 0.966
#   batches of 1000  F 0.662  mAP 0.966   cut to 1: F 0.894  mAP 0.966
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/python -m pip install -qq --disable-pip-version-check --no-compile \
  torch==2.13.0 torchmetrics==1.9.0 lightning-utilities==0.15.3 numpy==2.3.5

venv/bin/python -W ignore - <<'PY'
import sys

import torch
from torchmetrics.classification import MultilabelAveragePrecision, MultilabelF1Score

CLIPS, FRAMES, CLASSES = 1000, 156, 10
torch.manual_seed(0)
torch.set_num_threads(1)
of_clips = 6 * torch.randn(CLIPS, 1, CLASSES)
frame_BTK = torch.sigmoid(of_clips + torch.randn(CLIPS, FRAMES, CLASSES))
attention_BTK = torch.softmax(torch.randn(CLIPS, FRAMES, CLASSES), dim=1)
clip_BK = (attention_BTK * frame_BTK).sum(1)
label_BK = (torch.rand(CLIPS, CLASSES) < clip_BK).int()


def scored(given_BK: torch.Tensor, batch: int) -> tuple[float, float]:
    """Macro F and macro mAP over all clips, given in batches."""
    metrics = [kind(CLASSES, average="macro") for kind in (MultilabelF1Score, MultilabelAveragePrecision)]
    for part_BK, labels_BK in zip(given_BK.split(batch), label_BK.split(batch), strict=True):
        for metric in metrics:
            metric.update(part_BK, labels_BK)
    f_score, average_precision = (round(float(metric.compute()), 3) for metric in metrics)
    return f_score, average_precision


above = int((clip_BK > 1).sum())
print(f"largest probability: 1 + {float(clip_BK.max()) - 1:.1e}, {above} of {clip_BK.numel()} above 1")
cut_BK = clip_BK.clamp(max=1)
found, cut = [], set()
for batch in (24, 64, 1000):
    found.append(scored(clip_BK, batch))
    cut.add(scored(cut_BK, batch))
    values = [f"F {f_score:.3f}  mAP {mean:.3f}" for f_score, mean in (found[-1], scored(cut_BK, batch))]
    print(f"{f'batches of {batch}':<16} {values[0]}   cut to 1: {values[1]}")
if not (0 < above < 100 and float(clip_BK.max()) < 1 + 1e-6):
    sys.exit("changed: an attention's average of probabilities no longer exceeds 1 by a rounding error")
((right, _),) = cut
if not all(f_score < right - 0.03 for f_score, _ in found):
    sys.exit("changed: a probability a hair above 1 no longer changes the rest of its batch")
PY
