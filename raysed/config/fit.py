"""Checks that a data job has what a trial needs: sets with labels, waveforms and mels of the right size."""

from collections.abc import Iterator

from raysed.config.annotated_set import AnnotatedSet
from raysed.config.data_job import DataJob, RecordedSet, SyntheticSet
from raysed.config.encoder import TRAINED_KINDS, Embeddings
from raysed.config.fault import Fault
from raysed.config.trial import SUBSETS, Trial


def misfits(trial: Trial, job: DataJob) -> list[Fault]:
    """List the keys of the trial that the job does not serve."""
    return [
        *_set_misfits(trial, job),
        *_class_misfits(trial, job),
        *_feature_misfits(trial, job),
        *_embedding_misfits(trial, job),
        *_finetune_misfits(trial, job),
    ]


def _set_misfits(trial: Trial, job: DataJob) -> Iterator[Fault]:
    """Yield unknown sets, sets without the labels that they need, and x-valid sets that are trained on."""
    data = trial.data
    wanted = [(subset, getattr(data, subset), subset) for subset in SUBSETS]
    wanted += [("strong", name, "strong") for name in trial.shares.strong]
    wanted += [("xvalid", name, "strong") for name in data.xvalid]
    wanted += [("evaluation", name, "strong") for name in data.evaluation]
    wanted += [("scaler", name, "any") for name in data.scaler or ()]
    wanted += [("weak_xvalid", data.weak_xvalid, "weak")]
    for name in data.xvalid:
        if name in trial.used_subsets().values():
            yield Fault(
                ("data", "xvalid"),
                f"data.xvalid names {name}, which is trained on: it cannot choose the epoch",
            )
    for key, name, role in wanted:
        if name is None:
            continue
        part = "shares" if key == "strong" else "data"
        if name not in job.sets:
            yield unknown_set(part, key, name, job)
        elif not fits(job.sets[name], role):
            yield Fault((part, key), f"{part}.{key} names {name}, which has no {role} labels")


def unknown_set(part: str, key: str, name: str, job: DataJob) -> Fault:
    """Return the fault of a name that is no set of the job."""
    known = ", ".join(job.sets)
    return Fault(
        (part, key),
        f"{part}.{key} names {name}, which the data job {job.name} lacks (it has {known})",
    )


def unknown_xvalid(xvalid: str | None, job: DataJob) -> list[Fault]:
    """Return the fault of an x-valid set that the job lacks, which is told also where the trial has other faults."""
    known = xvalid is None or xvalid in job.sets
    return [] if known else [unknown_set("data", "xvalid", xvalid or "", job)]


def _class_misfits(trial: Trial, job: DataJob) -> Iterator[Fault]:
    """Yield class weights of no class of the job, where the job lists its classes."""
    for label in trial.consistency.class_weights:
        if job.classes is not None and label not in job.classes:
            yield Fault(
                ("consistency", "class_weights", label),
                f"consistency.class_weights names {label}, which is no class of the data job {job.name}"
                f" (it has {', '.join(job.classes)})",
            )


def _feature_misfits(trial: Trial, job: DataJob) -> Iterator[Fault]:
    """Yield waveforms that are not there and poolings that do not fit the mel."""
    if trial.noise_on_waveforms and not job.features.waveforms:
        yield Fault(
            ("teacher", "noise_domain"),
            "teacher.noise_domain is waveform, but the data sets hold mels only: set"
            f" features.waveforms: true in the data job {job.name}",
        )
    if trial.tunes_encoder and not job.features.waveforms:
        yield Fault(
            ("model", "embedding", "finetune"),
            "model.embedding.finetune hears waveforms, but the data sets hold mels only: set"
            f" features.waveforms: true in the data job {job.name}",
        )
    pooled = job.features.n_mels
    for _, frequency in trial.model.pooling:
        pooled //= frequency
    if job.features.n_frames < trial.model.time_pooling:
        yield Fault(
            ("model", "pooling"),
            f"model.pooling leaves no output frame of the job's {job.features.n_frames} frames",
        )
    if pooled != 1 and trial.model.own is None:
        yield Fault(
            ("model", "pooling"),
            f"model.pooling leaves {pooled} frequency bands of the job's {job.features.n_mels} mel bands;"
            " it must end at 1",
        )


def _embedding_misfits(trial: Trial, job: DataJob) -> Iterator[Fault]:
    """Yield sets without the rows that the network takes, and sets with those of another encoder."""
    names = [name for name in trial.set_names() if name in job.sets]
    if trial.model.embedding is None or not names:
        return
    first = job.sets[names[0]].embeddings
    for name in names:
        found = job.sets[name].embeddings
        if found is None:
            yield Fault(
                ("model", "embedding"),
                f"model.embedding needs the rows of an encoder, which {name} lacks: give sets.{name}.embeddings in the"
                f" data job {job.name}",
            )
        elif first is not None and found != first:
            yield Fault(
                ("model", "embedding"),
                f"model.embedding needs one encoder: {names[0]} stores {first.encoder}, {name} {found.encoder}, or"
                " other layers of it",
            )


def _finetune_misfits(trial: Trial, job: DataJob) -> Iterator[Fault]:
    """Yield an encoder that cannot learn with the network, or not at the rate of the stored waveforms."""
    named = {each.encoder for name in trial.set_names() if (each := _rows_of(job, name))}
    if not trial.tunes_encoder:
        return
    for name in sorted(named & job.encoders.keys()):
        encoder, rate_hz = job.encoders[name], job.features.sample_rate_hz
        key = ("model", "embedding", "finetune")
        if encoder.kind not in TRAINED_KINDS:
            yield Fault(
                key,
                f"model.embedding.finetune cannot train {name}, an encoder of kind {encoder.kind}: it can train"
                f" {', '.join(TRAINED_KINDS)}",
            )
            continue
        own_hz = encoder.sample_rate_hz or TRAINED_KINDS[encoder.kind] or rate_hz
        if own_hz != rate_hz:
            yield Fault(
                key,
                f"model.embedding.finetune needs waveforms at the {own_hz} Hz of {name}, not at {rate_hz}: set"
                f" features.sample_rate_hz in the data job {job.name}",
            )


def _rows_of(job: DataJob, name: str) -> Embeddings | None:
    return job.sets[name].embeddings if name in job.sets else None


def fits(data_set: RecordedSet | SyntheticSet | AnnotatedSet, role: str) -> bool:
    """Tell whether a set has the labels that a role needs: synthetic, strong, weak, unlabelled or any."""
    if isinstance(data_set, AnnotatedSet):
        subset = data_set.type
    else:
        subset = "synthetic" if isinstance(data_set, SyntheticSet) else data_set.subset
    strong = subset in ("synthetic", "validation", "eval", "strong", "soft")
    match role:
        case "synthetic" | "strong":
            return strong
        case "weak":
            return strong or subset == "weak"
    return True
