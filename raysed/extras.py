"""The optional parts of an installation, and the one that a missing package belongs to.

`pip install raysed` scores, reports and predicts; everything else is an extra of pyproject.toml. Only the standard
library is imported.
"""

EXTRAS: dict[str, tuple[str, ...]] = {
    "data": ("ray", "grpc", "scaper", "soxbindings", "sox", "jams", "pyloudnorm"),
    "tune": ("ray", "grpc", "tensorboardX"),
    "gpu": ("nvidia", "pynvml"),
    "reference": ("psds_eval", "sed_eval", "sed_scores_eval"),
    "onnx": ("onnx", "onnxruntime"),
    "hub": ("safetensors",),
    "tracking": ("wandb", "mlflow", "sqlalchemy", "alembic"),
}
"""Extra -> the modules that it brings."""
NEEDS: dict[str, tuple[str, ...]] = {
    "data": ("data",),
    "tune": ("tune",),
    "demo": ("data", "tune"),
    "predict": ("tune",),
}
"""Command -> the extras that it cannot do without; `predict` needs its own for several workers only."""


def extras_of(module: str, command: str = "") -> tuple[str, ...]:
    """Return the extras to install where `command` lacks `module`; none where no extra brings it."""
    bringing = [extra for extra, modules in EXTRAS.items() if module.split(".")[0] in modules]
    needed = NEEDS.get(command, ())
    if not bringing or {*bringing} & {*needed}:
        return needed if bringing else ()
    return (*needed, bringing[0]) if command != "predict" else (bringing[0],)


def advice(module: str, command: str = "") -> str | None:
    """Return what to install where `command` lacks `module`, or None where it is no package of an extra."""
    extras = extras_of(module, command)
    if not extras:
        return None
    user = f"`raysed {command}`" if command else "this"
    return (
        f"{user} needs more than the base installation: pip install 'raysed[{','.join(extras)}]'"
        " (in a checkout, `make setup` installs everything)"
    )


def missing(module: str) -> ModuleNotFoundError:
    """Return the error of a package that is not there, as an import raises it."""
    return ModuleNotFoundError(f"No module named {module!r}", name=module)
