"""The commands that use a trained model; raysed/cli/commands.py registers them."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from raysed.exit_codes import CHECK_FAILED, DONE
from raysed.interrupts import interruptible

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
AddressOption = Annotated[
    str | None, typer.Option(help="Ray cluster to join (default: RAY_ADDRESS, else this machine).")
]
CheckpointArgument = Annotated[
    str, typer.Argument(help="RUN/trials/<training>-seed<N>/checkpoints/best-<x-valid>.pt.")
]
SettingsOption = Annotated[
    str | None,
    typer.Option(
        help="raw, median (as trained), hysteresis, boxes, or a JSON file of settings for each class."
    ),
]
OutOption = Annotated[
    str | None,
    typer.Option(help="A file, or a folder for one file a recording (default: standard output)."),
]
NetworkOption = Annotated[
    Literal["student", "teacher"] | None, typer.Option(help="Default: the trial's choice.")
]
EncoderOption = Annotated[
    str | None,
    typer.Option(help="File of the encoder whose embeddings the network takes (docs/encoders.md)."),
]


def predict_command(  # noqa: PLR0913 - each is an option
    checkpoint: CheckpointArgument,
    audio: Annotated[
        list[str], typer.Argument(help="Files, folders or fsspec URLs; any length and sample rate.")
    ],
    out: OutOption = None,
    form: Annotated[
        Literal["tsv", "json", "audacity"], typer.Option("--format", help="Of the events.")
    ] = "tsv",
    scores: Annotated[
        str | None, typer.Option(help="Folder for frame scores, as sed_scores_eval's TSV.")
    ] = None,
    threshold: Annotated[
        list[str] | None, typer.Option(help="0.4, or Speech=0.4 for one class; repeatable.")
    ] = None,
    postprocessing: SettingsOption = None,
    network: NetworkOption = None,
    encoder: EncoderOption = None,
    workers: Annotated[
        int, typer.Option(min=1, max=10_000, help="Processes, over Ray where more than one.")
    ] = 1,
    address: AddressOption = None,
) -> None:
    """Sound events of recordings; 0 all predicted, 2 none or wrong input, 3 some were skipped."""
    from raysed.predict.prediction_run import PredictRequest, run

    request = PredictRequest(
        checkpoint,
        tuple(audio),
        out=out,
        form=form,
        scores=scores,
        thresholds=tuple(threshold or ()),
        postprocessing=postprocessing,
        network=network,
        encoder=encoder,
        workers=workers,
        address=address,
    )
    with interruptible():
        code = run(request, _say)
    raise typer.Exit(code)


def export(
    checkpoint: CheckpointArgument,
    out: Annotated[Path | None, typer.Argument(help="The .onnx file to write.")] = None,
    hub: Annotated[
        Path | None,
        typer.Option(help="Instead: a folder for safetensors with a model card (raysed[hub])."),
    ] = None,
    network: NetworkOption = None,
    encoder: EncoderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write ONNX (linear mel in, scores out) and compare it with torch, 1 where they differ; or a folder for a
    model hub.
    """
    if (out is None) == (hub is None):
        raise ValueError("give the .onnx file to write, or --hub FOLDER")
    if hub is not None:
        from raysed.predict.detector import read_checkpoint
        from raysed.predict.hub import write_hub

        files = write_hub(read_checkpoint(checkpoint), hub)
        _say(f"wrote {', '.join(files)} to {hub}")
        if as_json:
            print(json.dumps({"folder": str(hub), "files": files}))
        return
    assert out is not None, "one of both is given"
    from raysed.predict.detector import load_detector
    from raysed.predict.export import TOLERANCE, encoder_beside, export_onnx
    from raysed.predict.window_encoder import TunedWindowEncoder

    if Path(checkpoint).resolve() == out.resolve():
        raise ValueError(f"{out}: is the checkpoint itself; give another file")
    detector = load_detector(checkpoint, network, device="cpu", encoder=encoder)
    parity = export_onnx(detector, out)
    _say(
        f"largest difference {parity.error:.1e} over {parity.clips} windows with scores from "
        f"{parity.lowest:.3f} to {parity.highest:.3f} (limit {TOLERANCE:.0e})"
    )
    _say(f"wrote {out}" if parity.ok else f"not written: {out}")
    if parity.ok and isinstance(detector.encoder, TunedWindowEncoder):
        _say(f"wrote {encoder_beside(out)}, the encoder as it was trained with the network")
    if as_json:
        file = str(out) if parity.ok else None
        print(json.dumps({"file": file, **asdict(parity), "limit": TOLERANCE}))
    raise typer.Exit(DONE if parity.ok else CHECK_FAILED)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
