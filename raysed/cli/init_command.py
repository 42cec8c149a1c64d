"""`raysed init`: a first job and space for a folder of one's own."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer


def init(
    folder: Annotated[
        Path, typer.Argument(help="A folder with recordings and labels of any form.")
    ],
    out: Annotated[Path, typer.Option(help="The folder that receives the two files.")] = Path(),
) -> None:
    """Look at a folder, say what it seems to hold, and write a data job and a space for a first table."""
    # Arrow and the audio headers take half a second to load.
    from raysed.config.data_job import DataJob
    from raysed.config.reader import read_config
    from raysed.data.build.dataset_plan import plan
    from raysed.data.build.silent_classes import silence_remark
    from raysed.doctor.guess import look_at
    from raysed.doctor.starter import clip_seconds, write_start

    found = look_at(folder)
    job, space, start = write_start(found, out)
    scored = [start.xvalid.name, start.evaluation.name]
    remarks = filter(None, map(silence_remark, plan(read_config(job, DataJob), scored)))
    print(f"{found.root} seems to hold:")
    for line in (*(s.about for s in found.sets), *start.told, *found.notes):
        print(f"  {line}")
    shown = ", ".join(found.classes[:10]) + (" ..." if len(found.classes) > 10 else "")
    print(f"  {len(found.classes)} classes: {shown}")
    print(f"  clips of {clip_seconds(found, start):g} s")
    for line in remarks:
        print(f"  note: {line}")
    print(f"written, with comments: {job} and {space}. Read them, then:")
    for command in ("doctor", "data"):
        print(f"  raysed {command} {quote(str(job))}")
    print(
        f"  raysed tune {quote(str(space))}\n  raysed report runs/{job.name.removesuffix('_data.yaml')}"
    )
