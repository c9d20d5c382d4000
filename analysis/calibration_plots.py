"""Figure of a calibration: how far the ranks of each quantity stray from uniform, beside the simultaneous band."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from analysis.plot_style import BLUE, GREY, ORANGE, WIDTH, styled
from analysis.uniformity import Band

__all__ = ["draw", "paths"]


def draw(ranks: Mapping[str, Any], tests: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """Write :func:`paths` as a picture."""
    paths(ranks, tests).savefig(path, dpi=150)


@styled
def paths(ranks: Mapping[str, Any], tests: Mapping[str, Mapping[str, float]], level: float = 0.99) -> Figure:
    """ECDF less the uniform's of every quantity's ranks; those that stray beyond the band, Holm's adjustment made, are named."""
    band = Band(len(next(iter(ranks.values()))))
    low, high = band.limits(level)
    z = np.concatenate([[0.0], band.z, [1.0]])
    figure = Figure(figsize=(WIDTH, 0.55 * WIDTH), layout="constrained")
    axes = figure.subplots()
    axes.fill_between(z, np.pad(low, 1), np.pad(high, 1), color=GREY, alpha=0.25, lw=0)
    for name, each in ranks.items():
        path = np.pad(band.counts(each) / band.size - band.z, 1)
        strays = tests[name]["p_band_holm"] < 1 - level
        axes.plot(z, path, color=ORANGE if strays else BLUE, lw=1.2 if strays else 0.6, alpha=1.0 if strays else 0.5)
        if strays:
            at = int(np.argmax(np.abs(path)))
            axes.annotate(name, (z[at], path[at]), fontsize=7, color=ORANGE)
    axes.axhline(0.0, color="black", lw=0.6)
    axes.set_xlabel("rank of the truth, as a share")
    axes.set_ylabel("ECDF less that of uniform ranks")
    axes.set_title(
        f"{len(ranks)} quantities, {band.size} simulations\nshaded: {level:.0%} simultaneous band of one", fontsize=9
    )
    return figure
