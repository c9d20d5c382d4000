"""Which figures a report has, in what order, and the caption of each.

A figure whose variables the run lacks is left out. Captions state numbers, so that they can be read
without the figure.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from matplotlib.figure import Figure

from aligntax.analysis.answers.sensitivity_wording import shown_answers
from aligntax.analysis.figures import (
    answer,
    arrival,
    checks,
    density_prediction,
    loss_law,
    outer_alignment,
    overoptimization,
    sensitivity,
    time_horizon,
    tornado,
)
from aligntax.analysis.figures.style import used_rows, view_of
from aligntax.analysis.storage.result import Result
from aligntax.analysis.summaries.kinds_in_words import shift_in_words
from aligntax.analysis.summaries.simulated_world import simulated_world
from aligntax.analysis.summaries.words import format_percent, format_probability, how_many, label_of
from aligntax.analysis.trust.evidence.predictive import title_and_unit
from aligntax.models.overoptimization.proxy_rewards import DIFFERENCES
from aligntax.models.requirements import milestones

POINTS = {"q25": "25%", "q50": "50%", "q75": "75%"}  # of arrival, in the curve of its shift


@dataclass(frozen=True)
class Drawing:
    """A figure that is still to be drawn.

    Attributes
    ----------
    caption : str
    draw : callable
        Makes the figure.
    dense : bool
        Whether it has so many marks that it is stored as pixels instead of vectors.
    by_arviz : bool
        Whether ArviZ helps to draw it, whose import takes a second.
    """

    caption: str
    draw: Callable[[], Figure]
    dense: bool = False
    by_arviz: bool = False


def forecast_figures(result: Result) -> Iterator[Drawing]:
    """Yield the figures of the answer and of what was fitted, in the order of the page."""
    derived, horizon = result.derived, view_of(result).arrival.horizon
    if "alignment_hours_needed" in derived:
        yield Drawing(
            "Human-hours of alignment data needed and affordable if the largest run of each date "
            "were the one to align: median, 50% and 90% bands, cut at the axis. Hours affordable "
            "pay for their own compute. Dotted: the hours that the tolerated tax would buy if none "
            "of it went to alignment compute (median).",
            lambda: answer.data_fan(result),
        )
        yield Drawing(
            "The two taxes on the largest run of each date, as shares of total development cost: "
            "labour is the human feedback needed, compute is alignment and preference training "
            "(median, 50% and 90% bands, cut at the axis). Grey: what the developer whose model "
            "arrives tolerates.",
            lambda: answer.tax_fan(result),
        )
    if "tai_year" in derived:
        row = result.record["quantities"]["tai_year"]
        yield Drawing(
            "Probability that transformative AI has arrived by each year. "
            f"{format_probability(row['prob_above'])} of the posterior lies after {horizon:.0f} or "
            "never arrives. Dashed: the same draws with data growing as parameters^0.8. "
            "Dash-dotted: with the wait for a tolerable tax and for the hours to be worked. "
            "Dotted: the prior before conditioning.",
            lambda: arrival.arrival(result),
        )
        if "point" in used_rows(result, "published_forecasts").sizes:
            yield Drawing(
                "Published forecasts beside this posterior. Milestones differ, so each has its own "
                "marker and none are pooled. Thin lines join the points of one forecast.",
                lambda: arrival.published_arrival(result),
            )
        if "tai_anchor" in derived:
            yield Drawing(
                "Probability of arrival by year under each requirement anchor, with its posterior "
                f"probability. {_milestones(result)}",
                lambda: arrival.arrival_by_anchor(result),
            )
            yield Drawing(
                "By how many years each cause moves arrival, between worlds that share every "
                "random number: median (mark), 50% and 90% intervals of the shifts that are "
                "defined, over all draws and over draws whose requirement comes from a neural-net "
                "anchor. Bars may leave the axis; the table has their ends, and the probability "
                "that a shift lies beyond the horizon.",
                lambda: arrival.shift_intervals(result),
            )
            if _shifts_drawn(result):
                yield Drawing(_curve_caption(result), lambda: arrival.exponent_shift(result))
        yield Drawing(
            "Effective compute of the largest run and the requirement of transformative AI: "
            "median, 50% and 90% bands. The requirement's band is open at the top where no anchor "
            f"applies.{_left_out(result)}",
            lambda: answer.compute_fan(result),
        )
    yield from _outer_alignment(result)
    yield from _overoptimization(result)
    yield from _density(result)
    yield from _fitted(result)
    if answer.contrasted_quantities(result):
        yield Drawing(
            "Prior (dashed) against posterior (solid): leading quantities, then the elicited ones "
            "that the evidence moved most. Each curve is scaled to its own height and shows finite "
            "draws only.",
            lambda: answer.prior_posterior(result),
            by_arviz=True,
        )


def _fitted(result: Result) -> Iterator[Drawing]:
    """Yield figures of what was fitted to which evidence."""
    derived = result.derived
    runs = used_rows(result, "training_runs").sizes.get("run", 0)
    if "spend_growth" in derived and runs:
        yield Drawing(
            "Fitted physical FLOP of the largest training run (median, 50% and 90% bands) and "
            "known runs. Arrival depends on the largest. Triangles: known only to exceed a "
            "value.",
            lambda: answer.frontier(result),
        )
    if "data_exponent" in derived and used_rows(result, "scaling_exponents").sizes.get("study", 0):
        yield Drawing(
            "Data exponent of each scaling study with its own 90% interval; above them the pooled "
            "value and the prediction for a new regime, which adds the spread between studies.",
            lambda: answer.scaling_forest(result),
        )
    if loss_law.has_runs(result):
        yield Drawing(
            "Loss against parameters in slices of training compute: runs (dots), predicted 50% and "
            "90% bands, and the size of least loss. A slice holds runs within a factor of 1.4 of "
            f"compute; its curve is at their median FLOP. {loss_law.slices_in_words(result)}",
            lambda: loss_law.isoflop(result),
        )
        yield Drawing(
            "Exponents of the loss law. Above: alpha and beta (draws) beside published fits of the "
            "law. Below: the allocation exponent a beside the published studies that the "
            "meta-analysis uses. Intervals hold 90%.",
            lambda: loss_law.exponents(result),
        )
    if time_horizon.has_trend(result):
        yield Drawing(
            "Time horizon: how long an expert works on tasks that a model completes half the "
            "time. Dots: evaluated models with their 95% intervals (triangle: known only to "
            "exceed). Lines: the shapes of growth, each given that shape, with 50% and 90% bands. "
            f"{_superexponential(result)} Shaded across: the horizon of a superhuman coder "
            "(median, 50% and 90%).",
            lambda: time_horizon.trend(result),
        )
        yield Drawing(
            "Probability that the trend of the time horizon has reached a superhuman coder, beside "
            "published forecasts of that milestone. The trend is extrapolated unchanged: nothing "
            "slows it, and dates before today are kept.",
            lambda: time_horizon.superhuman_coder(result),
        )


def _density(result: Result) -> Iterator[Drawing]:
    """Yield the figure of the trials of density prediction."""
    if density_prediction.has_trials(result):
        adversary, share = density_prediction.nearest(result)
        yield Drawing(
            "How often a prediction of density fails against each adversary, by number of levels: "
            "median, 90% interval (narrower than the mark where trials are many) and the share of "
            "trials. The line is the theorem's bound, which no sequence that does not know the "
            f"coins can exceed. The adversary nearest to it is {adversary}, at {share} of the "
            "bound.",
            lambda: density_prediction.failures(result),
        )


def _outer_alignment(result: Result) -> Iterator[Drawing]:
    """Yield the figures of how many comparisons outer alignment needs."""
    if outer_alignment.has_answer(result):
        share = format_probability(outer_alignment.share_without_answer(result))
        yield Drawing(
            "Quantity against quality: comparisons needed for each label error at the capability "
            "asked for (median, 50% and 90% bands over everything else); above, how likely each "
            f"label error is. In {share} of draws no amount suffices at any label error, because "
            "the evaluator's error about the best hidden rival exceeds one half; a band that holds "
            "such draws leaves the top.",
            lambda: outer_alignment.quantity_against_quality(result),
            by_arviz=True,
        )
        yield Drawing(
            "Comparisons needed against the capability at which alignment is asked for (median, "
            f"50% and 90% bands), and the share of draws in which no amount suffices: {share} over "
            "the capabilities asked for (shaded).",
            lambda: outer_alignment.against_capability(result),
        )
    if outer_alignment.has_studies(result):
        yield Drawing(
            "How often two people agree: published shares (dots) with their intervals, and what "
            "the model predicts for each; below, the label errors that follow. Agreement is not "
            "accuracy: an error that misleads everybody, the evaluator's error, does not show in "
            "it.",
            lambda: outer_alignment.agreement(result),
        )
    if outer_alignment.has_games(result):
        yield Drawing(
            "Scalable oversight: how often games of nested oversight failed (dots), with what the "
            "model predicts for each (50% and 90% intervals); below, the share of draws in which "
            "no amount suffices, by capability, unaided and with each scheme. What a scheme leaves "
            "of the growth of the evaluator's error is elicited; only debate and recursive reward "
            "modelling have games that speak to it.",
            lambda: outer_alignment.oversight(result),
        )


def _overoptimization(result: Result) -> Iterator[Drawing]:
    """Yield the figures of how far a learned reward can be optimised, and the labels it takes."""
    simulated = simulated_world(result.evidence, ("gold_curves",))
    world = "Simulated world. " if simulated else ""
    if overoptimization.has_curves(result):
        yield Drawing(
            f"{world}Gold reward against the KL of the optimised policy: evaluated policies "
            "(dots), each run's fitted curve (median) and its peak. More labels move the peak out "
            f"and up. {_misfit(result)} Curves are cut where gold has fallen as far below zero as "
            f"it rose above.{' ' + DIFFERENCES if simulated else ''}",
            lambda: overoptimization.gold_curves(result),
        )
    if overoptimization.has_labels(result):
        yield Drawing(
            f"{world}KL at which gold peaks against the labels that the proxy was learned from: "
            "each run (median, 90% interval), a typical proxy (median, 50% and 90% bands), and the "
            "KL budget asked for (shaded, 50% and 90%). Below the curve more optimisation gains "
            "gold, above it loses gold.",
            lambda: overoptimization.peaks(result),
        )
    if overoptimization.has_answer(result):
        share = format_probability(overoptimization.share_without_answer(result))
        yield Drawing(
            f"{world}Labels with which a typical proxy's gold peaks at a KL budget (median, 50% "
            "and 90% bands; a band that leaves the top holds draws in which no number suffices), "
            f"and the share of such draws: {share} over the budgets asked for (shaded).",
            lambda: overoptimization.against_budget(result),
        )
        yield Drawing(
            "Optimising a lot needs exploration: a designed example, not fitted to anything. The "
            "reward has a near hill and one twice as high four sd away. Policies are paid for "
            "reward and, per nat, for what the legend says. Optimised a little, all gain nearly "
            "the same. Later those without entropy have closed on the near hill.",
            overoptimization.exploration,
        )


def _misfit(result: Result) -> str:
    row = result.record["quantities"]["misfit"]
    return (
        f"Points scatter about their curve by {format_percent(row['q50'])} of a typical peak "
        "beyond their standard errors (median)."
    )


def _shifts_drawn(result: Result) -> int:
    """Return how many points of the exponent's curve have a number."""
    points = result.record.get("exponent_shift_curve", {}).get("points", ())
    return sum(point[key]["years"] is not None for point in points for key in POINTS)


def _curve_caption(result: Result) -> str:
    curve = result.record["exponent_shift_curve"]
    last = curve["points"][-1]
    told = ", ".join(f"{shift_in_words(last[key])} ({name})" for key, name in POINTS.items())
    missing = len(POINTS) * len(curve["points"]) - _shifts_drawn(result)
    left_out = f" Left out beyond the horizon: {how_many(missing, 'point')}." if missing else ""
    note = f" {curve['note'][:1].upper()}{curve['note'][1:]}." if curve["note"] else ""
    return (
        "By how many years the data exponent that the evidence gives, against 0.8, moves the 25, "
        "50 and 75% points of arrival, by prior weight on neural-net anchors, with one Monte "
        f"Carlo error. At {format_probability(last['weight'])}: {told}.{left_out}{note}"
    )


def _milestones(result: Result) -> str:
    """Return what arrives under the anchors that count; different milestones are named."""
    by_words: dict[str, list[str]] = {}
    for anchor, words in milestones(view_of(result)).items():
        by_words.setdefault(words, []).append(anchor.replace("_", " "))
    if len(by_words) == 1:
        return f"Milestone: {next(iter(by_words))}."
    listed = "; ".join(f"{words} ({', '.join(anchors)})" for words, anchors in by_words.items())
    lag = " A superhuman coder counts as transformative AI after an elicited lag."
    return f"Milestones differ: {listed}.{lag if view_of(result).anchors['time_horizon'] else ''}"


def _left_out(result: Result) -> str:
    """Return what the figure of compute against requirement cannot show of this view."""
    view = view_of(result)
    words = (
        " Draws whose requirement is a time horizon have none in FLOP."
        if view.anchors["time_horizon"]
        else ""
    )
    own = sorted(
        name for name in {**view.algorithms.growth, **view.algorithms.limit} if view.anchors[name]
    )
    if own:
        listed = ", ".join(name.replace("_", " ") for name in own)
        words += (
            f" Compute is by common algorithmic progress; these anchors have their own: {listed}."
        )
    return words


def _superexponential(result: Result) -> str:
    share = float(result.derived["superexponential_probability"].mean())
    return f"The superexponential shape has probability {format_probability(share)}."


def driver_figures(result: Result) -> Iterator[Drawing]:
    """Yield the figures of what moves the answers: in hours and years, and by each prior alone."""
    moved = tornado.tornadoes(result)
    if moved:
        yield Drawing(
            "Hours and years where each quantity is lowest and highest: medians among the fifth of "
            "draws at either end, with what goes along with it. Only quantities that stand out of "
            f"Monte Carlo error. Largest: {tornado.in_words(moved)}.",
            lambda: tornado.tornado(result),
        )
    found = result.info.get("sensitivity")
    if not found or not sensitivity.shown_priors(found):
        return
    cells = [
        (value, label_of(name), label_of(prior))
        for name in shown_answers(found)
        for prior, value in found["headlines"][name]["sensitivity"].items()
        if prior != name
    ]
    most = (
        f" The largest is {max(cells)[0]:.2f}: {max(cells)[1]} to the prior of {max(cells)[2]}."
        if cells
        else ""
    )
    yield Drawing(
        "How far each answer (row) moves when a single prior (column) is widened or narrowed, the "
        f"others fixed.{most} Blank cells are within Monte Carlo noise. Asterisk: the quantity is "
        "assumed, no evidence bears on it.",
        lambda: sensitivity.heat_map(found),
    )


def predictive_figures(result: Result) -> Iterator[Drawing]:
    """Yield posterior predictive checks of every variable that the run can replicate."""
    for name in checks.observed_names(result):
        half, most, count = checks.coverage(result, name)
        caption = (
            f"{title_and_unit(name)[0]}: each observation (dot) against the 50% and 90% "
            f"intervals of its replicates. {half} of {count} lie within the 50% interval, {most} "
            "within the 90% interval."
        )
        yield Drawing(caption, lambda name=name: checks.predictive_intervals(result, name))  # type: ignore[misc]
    if checks.pit_names(result):
        yield Drawing(
            "Rank of each observation among its replicates (PIT): cumulative distribution minus "
            "the uniform one. A p-value below 0.01 means that the model does not reproduce the "
            "spread of the evidence; it is named beside the verdict.",
            lambda: checks.pit_ecdfs(result),
            by_arviz=True,
        )


def chain_figures(result: Result) -> Iterator[Drawing]:
    """Yield the figures of the chains of the worst parameters."""
    if not checks.worst_parameters(result):
        return
    yield Drawing(
        "Ranks of each chain's draws among all chains, minus the uniform, for the parameters with "
        "the worst r_hat or effective sample size, thinned until draws are about independent. "
        "Lines near zero are chains that agree; marked points are suspicious. The check of chain "
        "ranks tests every parameter.",
        lambda: checks.rank_plots(result),
        dense=True,
        by_arviz=True,
    )
    yield Drawing(
        "Draws of the same parameters in order, a colour for each chain; of chains in step the "
        "draws of one subchain after another. They should look like noise without drift.",
        lambda: checks.trace_plots(result),
        dense=True,
        by_arviz=True,
    )
