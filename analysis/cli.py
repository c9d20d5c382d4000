"""The command line: ``aligntax``, and the same as ``python -m analysis``.

Standard output is the answer, standard error is talk, and only on a terminal. Exit codes: 0 good; 1 finished, but a
check failed; 2 the input is wrong; 130 interrupted.
"""

import sys

import typer

from analysis.commands import budget as buying
from analysis.commands import compare as comparing
from analysis.commands import density, evidence, forecasts, overoptimization, runs, view
from analysis.commands import refit as refitting
from analysis.commands import sensitivity as drivers
from models.errors import InputError

__all__ = ["app", "main"]

INTERRUPTED = 130

app = typer.Typer(
    help="How much alignment data will we need in the long run, and how far does that move timelines?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
MAKE = (runs.run, refitting.refit)
READ = (runs.show, comparing.compare, drivers.sensitivity, buying.budget, runs.runs, runs.report, runs.verify)
FORECASTS = (forecasts.shifts, forecasts.reproduce)
DENSITY = (density.predict_density, density.density_trials)
for command in (*MAKE, *READ, *FORECASTS, *DENSITY, overoptimization.gold_curves):
    app.command()(command)
app.add_typer(view.app, name="view")
app.add_typer(evidence.app, name="evidence")


def main() -> None:
    """Run the command line."""
    try:
        app()
    except InputError as error:
        sys.stderr.write(f"aligntax: {error}\n")
        sys.exit(2)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:  # typer ends without a word
            sys.stderr.write("\naligntax: interrupted, nothing written\n")
        raise
