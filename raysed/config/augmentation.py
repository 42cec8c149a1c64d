"""The changes of a batch's clips before the networks see them: the recipes of 2021 to 2024, each off by default, since
the published system of 2020 has none.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from raysed.config.base import Config

_MOST_DB = 60.0
_Gain = Annotated[float, Field(ge=-_MOST_DB, le=_MOST_DB)]
_Share = Annotated[float, Field(gt=0, lt=1)]
_SETTINGS = {"mixup": ("mixup_probability", "mixup_beta"), "filter_augment": ("filter_db",)}
"""The keys that matter only where another is on."""


class Augmentation(Config):
    """Changes of the training clips and their labels, in this order: time shift, mixup, time mask, FilterAugment."""

    time_shift_s: float = Field(0.0, ge=0, le=3_600)
    """Standard deviation of a shift of each clip and its labels, around the clip's end (the baseline of 2021
    has code for 90 frames, 1.44 s); 0 shifts nothing."""
    mixup: Literal["soft", "hard"] | None = None
    """Mix labelled clips of the same set in pairs (the baseline of 2021 on): `soft` mixes the labels in the same
    proportion, `hard` keeps the labels of both; null mixes nothing."""
    mixup_probability: float = Field(0.5, gt=0, le=1)
    """Share of the steps that are mixed, where `mixup` is on."""
    mixup_beta: float = Field(0.2, gt=0, le=1_000)
    """Both parameters of the Beta distribution of the proportion, where `mixup` is on."""
    time_mask: tuple[_Share, _Share] | None = None
    """Silence a stretch of the strongly labelled clips, and its labels: the least and the largest share of the clip
    ([0.05, 0.2] in Nam et al. 2022); null masks nothing."""
    filter_augment: Literal["step", "linear"] | None = None
    """FilterAugment (Nam et al. 2022): a random gain for each of some random frequency bands, as steps or as lines
    in dB between the bands' edges, drawn for student and teacher apart; null filters nothing."""
    filter_db: tuple[_Gain, _Gain] = (-6.0, 6.0)
    """The least and the largest of these gains, where `filter_augment` is on."""

    @model_validator(mode="after")
    def _ranges(self) -> "Augmentation":
        for key in ("time_mask", "filter_db"):
            given = getattr(self, key)
            if given is not None and given[0] > given[1]:
                raise ValueError(
                    f"{key}: {list(given)} is not [least, largest]; give the smaller one first"
                )
        return self

    @model_validator(mode="after")
    def _what_is_off_has_no_settings(self) -> "Augmentation":
        """Set what an augmentation that is off would take to its default, so that it names no other trial."""
        for switch, settings in _SETTINGS.items():
            if getattr(self, switch) is None:
                for key in settings:
                    # The model is frozen for its users only.
                    self.__dict__[key] = type(self).model_fields[key].default
        return self

    @property
    def is_on(self) -> bool:
        """Tell whether anything is changed."""
        switches = (self.mixup, self.time_mask, self.filter_augment)
        return self.time_shift_s > 0 or any(switch is not None for switch in switches)
