"""The answer of a run in one picture, to be shown outside its report."""

from matplotlib.figure import Figure

from aligntax.analysis.figures.answer import draw_data_fan, prior_posterior
from aligntax.analysis.figures.arrival import draw_arrival
from aligntax.analysis.figures.style import WIDTH, legend_below, styled
from aligntax.analysis.storage.result import Result

HEIGHT = 3.9  # inches
# the quantity without which a run has no such panel, the panel's title, and what draws it
PANELS = (
    ("alignment_hours_needed", "Alignment data for the largest run of each date", draw_data_fan),
    ("tai_year", "Arrival of transformative AI", draw_arrival),
)


@styled
def answer_picture(result: Result) -> Figure:
    """Hours needed beside hours affordable, and arrival with and without each shift.

    A run that has neither shows its leading quantities, prior against posterior.
    """
    panels = [(title, draw) for name, title, draw in PANELS if name in result.derived]
    if not panels:
        figure = prior_posterior(result)
        if result.record.get("simulated"):
            figure.suptitle("simulated world")
        return figure
    figure = Figure(figsize=(WIDTH * len(panels), HEIGHT), layout="constrained")
    parts = figure.subfigures(1, len(panels), squeeze=False).ravel()
    for part, (title, draw) in zip(parts, panels, strict=True):
        axes = part.subplots()
        draw(axes, result)
        axes.set_title(title)
        legend_below(part)
    return figure
