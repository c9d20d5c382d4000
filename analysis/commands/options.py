"""Arguments and options that several commands share, each declared once.

A command names the type and states its own default: ``seed: Seed = 2022``.
"""

from pathlib import Path
from typing import Annotated

import typer

Run = Annotated[
    str,
    typer.Argument(
        help="Folder of a run, its name in the results folder, or latest: the newest.",
        show_default=False,
    ),
]
Out = Annotated[Path, typer.Option(help="Folder of results.")]
RunName = Annotated[
    str | None, typer.Option(help="Name of the run.", show_default="model, view and time")
]

# ------------------------------------------------------------------------------------ what is asked

Views = Annotated[
    list[str] | None,
    typer.Option(help="View, by name or file. Repeat it to lay views on top of each other."),
]
Requirement = Annotated[
    str | None,
    typer.Option(
        help="Model of the compute needed: bioanchors, direct-approach, time-horizon, user, or "
        "mixture, which weighs them as the view does.",
        show_default="the view's weights",
    ),
]
EvidenceFolder = Annotated[
    str | None,
    typer.Option(help="Folder of CSV tables that replace (NAME.csv) or extend (NAME.add.csv)."),
]
Given = Annotated[
    str | None,
    typer.Option(help="Condition on quantities, such as 'tai_year<2035 and alignment_tax<1%'."),
]

Insist = Annotated[
    bool, typer.Option("--yes", help="Take priors and --runs as they are, however implausible.")
]

# ----------------------------------------------------------------------------------------- sampling

Seed = Annotated[int, typer.Option(help="Seed of every random number.")]
DrawsPerChain = Annotated[int, typer.Option(help="Draws that each chain keeps.")]
WarmUp = Annotated[
    int | None,
    typer.Option(
        help="Warm-up draws of each chain, which are discarded.",
        show_default="100 of hmc, 400 of nuts",
    ),
]
Chains = Annotated[int, typer.Option(help="Number of chains.")]
TargetAccept = Annotated[
    float | None,
    typer.Option(help="Acceptance rate that the sampler aims for.", show_default="the model's"),
]
Gradient = Annotated[
    str,
    typer.Option(
        help="What the sampler walks on: kept machine code, or numba: what nutpie compiles of "
        "PyMC's graph, a minute each time, as a check."
    ),
]
Sampler = Annotated[
    str | None,
    typer.Option(
        help="hmc: many short chains in step, or nuts: nutpie's.", show_default="the model's"
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(help="Number of processes on this machine.", show_default="one per core"),
]

# ------------------------------------------------------------------------------------------- output

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
WriteReport = Annotated[bool, typer.Option(help="Write report.html.")]
Picture = Annotated[Path | None, typer.Option(help="Draw it into a file (png, svg or pdf).")]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that exists.")]
