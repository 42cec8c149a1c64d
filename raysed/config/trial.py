"""The configuration of one training: the data and settings of the mean teacher, and the sets that select and
evaluate it.

Every default is the published system's (Turpault & Serizel 2020, as its code runs). A trial plus a seed
decides a result, so everything that could change one is here and nothing else is.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from raysed.config.augmentation import Augmentation
from raysed.config.base import Config, Line, Name
from raysed.config.encoder import EmbeddingFusion
from raysed.config.network_class import OwnNetwork
from raysed.config.optimiser import Optimiser

SUBSETS = ("synthetic", "unlabelled", "weak")
STRONG = "strong."
"""Before the name of a further strongly labelled set, where subsets are told apart."""


_MOST_BLOCKS, _MOST_FILTERS = 64, 16_384


class Model(Config):
    """The CRNN (section 4 of the paper): 1,112,420 parameters at its defaults with 10 classes."""

    filters: tuple[int, ...] = (16, 32, 64, 128, 128, 128, 128)
    """Channels of each convolution block."""
    pooling: tuple[tuple[int, int], ...] = ((2, 2), (2, 2), (1, 2), (1, 2), (1, 2), (1, 2), (1, 2))
    """Time and frequency pooling of each block; frequency must end at one band."""
    pool: Literal["average", "max"] = "average"
    """The published code averages, the paper says max."""
    gru_units: int = Field(128, ge=1, le=16_384)
    """Units of each direction of the recurrent layers."""
    gru_layers: int = Field(2, ge=1, le=64)
    """Bidirectional GRU layers."""
    dropout: float = Field(0.5, ge=0, lt=1)
    """Dropout rate after each convolution block and after the GRU."""
    batchnorm_momentum: float = Field(0.99, gt=0, le=1)
    """torch's convention: the weight of the new batch."""
    batchnorm_eps: float = Field(1e-3, gt=0)
    """Added to the variance."""
    glu_std: float = Field(0.01, gt=0)
    """Standard deviation of the initial weights of every linear layer in the gated units."""
    attention_axis: Literal["class", "time"] = "class"
    """The axis of the attention softmax: `class` as in the published code, `time` is the other reading."""
    embedding: EmbeddingFusion | None = None
    """The rows of a pretrained encoder, joined with the convolutions' features before the GRU; null takes none."""
    own: OwnNetwork | None = None
    """A network of your own instead of this one; null is this one."""

    @model_validator(mode="after")
    def _one_pooling_per_block(self) -> "Model":
        if len(self.filters) != len(self.pooling):
            raise ValueError(f"filters has {len(self.filters)} blocks, pooling {len(self.pooling)}")
        if any(n < 1 for n in self.filters) or any(n < 1 for pair in self.pooling for n in pair):
            raise ValueError("filters and pooling must be positive")
        if len(self.filters) > _MOST_BLOCKS or max(self.filters) > _MOST_FILTERS:
            raise ValueError(
                f"more than {_MOST_BLOCKS} blocks or {_MOST_FILTERS:,} filters: no network of this kind"
            )
        return self

    @property
    def time_pooling(self) -> int:
        """Input frames to one output frame."""
        product = 1
        for time, _ in self.pooling:
            product *= time
        return product


class TrialData(Config):
    """Data sets by their names in the data job. A subset left out is not trained on."""

    synthetic: Name | None = None
    """Clips with strong labels, for the frame loss."""
    unlabelled: Name | None = None
    """Clips for the consistency of student and teacher alone."""
    weak: Name | None = None
    """Clips with weak labels, for the clip loss."""
    weak_xvalid: Name | None = None
    """Clips with weak labels that `selection.rule: xvalid_f1_plus_weak` scores beside the x-valid sets."""
    scaler: tuple[Name, ...] | None = None
    """Sets whose frames give the mean and deviation of each mel band; null takes all that are trained on."""
    xvalid: tuple[Name, ...] = Field(min_length=1)
    """Strongly labelled sets that choose the epoch: the best checkpoint of each is kept."""
    evaluation: tuple[Name, ...] = Field(min_length=1)
    """Sets that the selected models are scored on once, after training."""


class Shares(Config):
    """Clips of each subset in a batch; 0 leaves the subset out.

    The published code takes 6, 12 and 6, the paper prints a third each.
    """

    synthetic: int = Field(6, ge=0, le=100_000)
    """Clips with strong labels."""
    unlabelled: int = Field(12, ge=0, le=100_000)
    """Clips without labels."""
    weak: int = Field(6, ge=0, le=100_000)
    """Clips with weak labels."""
    strong: dict[Name, Annotated[int, Field(ge=1, le=100_000)]] = Field({})
    """More sets with strong or soft labels, each with its clips in a batch: `{maestro: 6, desed_real: 6}`."""

    @property
    def labelled(self) -> int:
        """Clips with strong or soft labels in a batch, of all sets."""
        return self.synthetic + sum(self.strong.values())

    @property
    def total(self) -> int:
        """Clips in a batch."""
        return self.labelled + self.unlabelled + self.weak

    def of(self, subset: str) -> int:
        """Return the clips of a subset, by its name in `Trial.used_subsets`."""
        name = subset.removeprefix(STRONG)
        return self.strong[name] if subset.startswith(STRONG) else getattr(self, subset)

    @model_validator(mode="after")
    def _some_labels(self) -> "Shares":
        if self.labelled + self.weak == 0:
            raise ValueError("a batch needs synthetic or weak clips: nothing else has labels")
        return self


class Teacher(Config):
    """The mean teacher: an exponential moving average of the student."""

    ema_decay: float = Field(0.999, ge=0, lt=1)
    """Upper limit of the decay min(1 - 1/(step + 1), ema_decay)."""
    ema_every: Literal["step", "epoch"] = "step"
    """The published code updates per step, the paper says per epoch."""
    snr_db: float | None = 30.0
    """Noise on the teacher's input (the paper's Table 4); null gives the teacher the student's clean input."""
    noise_domain: Literal["mel", "waveform"] = "mel"
    """The domain of the noise: Gaussian on the linear mel, as published, at this SNR in each band; or white
    on the waveform (needs data sets with `features.waveforms`)."""


class Consistency(Config):
    """The weight of the student-teacher agreement."""

    weight: float = Field(2.0, ge=0)
    """Weight of both mean squared differences at the end of the ramp (the paper's Table 5)."""
    ramp: bool = True
    """Raise the weight over `ramp_epochs`; false keeps it constant."""
    class_weights: dict[Line, Annotated[float, Field(ge=0)]] = Field({})
    """Factors of single classes in both differences, by label: `{Speech: 0.5}`; classes that are not named have 1."""


class Schedule(Config):
    """The length of the training."""

    epochs: int = Field(200, ge=1, le=1_000_000)
    """Every epoch draws a fresh permutation of each subset; there is no early stopping."""
    ramp_epochs: int = Field(50, ge=1, le=1_000_000)
    """Length of the ramp exp(-5 (1 - t/T)^2), in epochs."""
    steps_per_epoch: int | None = Field(None, ge=1, le=100_000_000)
    """Fewer steps than a full epoch (rehearsals); null takes min over subsets of clips // share."""


class Selection(Config):
    """The choice of the epoch whose weights become the trial's model: the first maximum wins."""

    rule: Literal["xvalid_f1", "xvalid_f1_plus_weak", "last"] = "xvalid_f1"
    """Synthetic x-valid event-based macro-F1, that plus the weak x-valid macro-F1, or the last epoch."""
    network: Literal["student", "teacher"] = "student"
    """The network that is selected and evaluated."""


class PostProcessing(Config):
    """The steps from scores to events: a threshold, then a median filter of the binary map."""

    threshold: float = Field(0.5, gt=0, lt=1)
    """Scores at or above it are active, for F1; PSDS takes 50 operating points of its own."""
    median_window: int = Field(7, ge=1, le=100_001)
    """An odd number of output frames; 7 of 63.75 ms are 0.45 s. The paper's 27 frames are input frames."""

    @model_validator(mode="after")
    def _odd_window(self) -> "PostProcessing":
        if self.median_window % 2 == 0:
            raise ValueError(f"median_window must be odd, given {self.median_window}")
        return self


class Trial(Config):
    """A training configuration; with a seed it decides a result."""

    data: TrialData
    """The data sets."""
    shares: Shares = Shares()
    """The batch (the paper's Table 1)."""
    model: Model = Model()
    """The network."""
    teacher: Teacher = Teacher()
    """The mean teacher."""
    augmentation: Augmentation = Augmentation()
    """The changes of the clips of a batch."""
    consistency: Consistency = Consistency()
    """The agreement of student and teacher."""
    optimiser: Optimiser = Optimiser()
    """Adam."""
    schedule: Schedule = Schedule()
    """The length of the training."""
    precision: Literal["auto", "tf32", "float32", "bfloat16", "float16"] = "auto"
    """Precision of products in the forward pass and its gradient; each gives another result. `auto` is `tf32` on a
    GPU, as torch's own default there, and `float32` on a CPU. `tf32` (GPUs only) rounds the factors of
    convolutions, recurrent layers and gated units to 10 bits, `float32` is exact, the half precisions also store
    less (autocast)."""
    selection: Selection = Selection()
    """The choice of the epoch that is kept."""
    postprocessing: PostProcessing = PostProcessing()
    """The steps from scores to events."""

    @model_validator(mode="after")
    def _shares_have_data(self) -> "Trial":
        for subset in SUBSETS:
            if getattr(self.shares, subset) and getattr(self.data, subset) is None:
                raise ValueError(
                    f"shares.{subset} is {getattr(self.shares, subset)}, but data.{subset} names no"
                    " data set (set the share to 0 or name one)"
                )
        if self.selection.rule == "xvalid_f1_plus_weak" and self.data.weak_xvalid is None:
            raise ValueError("selection.rule xvalid_f1_plus_weak needs data.weak_xvalid")
        return self

    @model_validator(mode="after")
    def _stored_rows_keep_their_time(self) -> "Trial":
        moved = [key for key in ("time_shift_s", "time_mask") if getattr(self.augmentation, key)]
        if self.model.embedding is not None and moved:
            raise ValueError(
                f"augmentation.{moved[0]} changes the mel's time, and stored embeddings keep theirs: leave out one of"
                " it and model.embedding"
            )
        if self.tunes_encoder and self.augmentation.mixup:
            raise ValueError(
                "augmentation.mixup mixes mels, and model.embedding.finetune hears each clip's own waveform: leave out one"
                " of them"
            )
        return self

    def on(self, device: str) -> "Trial":
        """Return the trial as it trains on a device (`cpu`, `cuda`, `cuda:1`): `precision: auto` is settled."""
        if self.precision != "auto":
            return self
        return self.model_copy(
            update={"precision": "tf32" if device.startswith("cuda") else "float32"}
        )

    def used_subsets(self) -> dict[str, str]:
        """Return the data-set name of each subset that has a share."""
        used = {s: getattr(self.data, s) for s in SUBSETS if getattr(self.shares, s)}
        first = {s: name for s, name in used.items() if s == "synthetic"}
        return first | {f"{STRONG}{name}": name for name in self.shares.strong} | used

    @property
    def noise_on_waveforms(self) -> bool:
        """Tell whether the teacher's noise is added to waveforms."""
        return self.teacher.snr_db is not None and self.teacher.noise_domain == "waveform"

    @property
    def tunes_encoder(self) -> bool:
        """Tell whether an encoder learns with the network."""
        return self.model.embedding is not None and self.model.embedding.finetune is not None

    @property
    def reads_waveforms(self) -> bool:
        """Tell whether training needs waveforms, which the data sets must then hold."""
        return self.noise_on_waveforms or self.tunes_encoder

    def set_names(self) -> list[str]:
        """Every data set that the trial reads."""
        data = self.data
        extra = [data.weak_xvalid] if data.weak_xvalid else []
        names = [*self.used_subsets().values(), *extra, *(data.scaler or ())]
        return list(dict.fromkeys([*names, *data.xvalid, *data.evaluation]))

    def training_identity(self) -> dict[str, Any]:
        """Return everything that decides the weights and the selection: all but the sets that are only
        scored.
        """
        identity = self.identity()
        if self.precision in ("auto", "float32"):
            # What is trained was float32 before there was a choice, and keeps its id.
            identity.pop("precision", None)
        used = self.used_subsets()
        chosen = {
            key: value for key in ("weak_xvalid", "scaler") if (value := getattr(self.data, key))
        }
        identity["data"] = used | chosen
        return identity
