"""Options that say what is computed and how its interval is made."""

from typing import Annotated, Literal

import typer

MethodOption = Annotated[
    Literal["bca", "paper"],
    typer.Option(
        help="bca: 95 % intervals; paper: the recipe of Turpault & Serizel 2020 (200 sub-samples of 80 %, 90 %)."
    ),
]
