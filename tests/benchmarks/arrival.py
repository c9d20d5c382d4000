"""Arrival for a million draws, beside a Monte Carlo as published scripts are written, and beside squigglepy's forward draws."""

import math
from collections.abc import Mapping
from typing import Any

from tests.benchmarks.measure import Live, Talk, Work, measure
from tests.benchmarks.rows import Row

__all__ = ["FORWARD", "crossing", "inputs", "rows", "year_by_year"]

MILLION, FEW = 1_000_000, 10_000
YEARS = range(2026, 2101)
FORWARD = (  # what the medium-horizon anchor and the plain crossing need
    "spend_level",
    "spend_growth",
    "spend_cap",
    "world_product_growth",
    "hardware_level",
    "hardware_growth",
    "hardware_limit",
    "algorithmic_growth",
    "algorithmic_limit",
    "brain_flop",
    "flop_per_parameter",
    "horizon_medium",
    "data_exponent_prior",
)


def inputs(size: int) -> dict[str, Any]:
    """Forward draws of the default view by its quantile tables."""
    import numpy as np

    from aligntax.models.views import load_view

    tables = load_view("default").tables(FORWARD)
    return tables.values(
        np.random.default_rng(1).standard_normal((size, len(FORWARD))) @ tables.cholesky.T
    )


def excess(x: Mapping[str, Any], year: int, smaller: Any) -> Any:
    """OOM by which effective FLOP that can be paid for exceed the medium-horizon requirement; numbers or arrays."""
    spend = x["spend_level"] + x["spend_growth"] * (year - 2023)
    cap = x["spend_cap"] + 14.07 + x["world_product_growth"] * (year - 2025)
    hardware = x["hardware_level"] + x["hardware_growth"] * (year - 2023)
    algorithms = x["algorithmic_growth"] * (year - 2020)
    parameters = x["brain_flop"] - x["flop_per_parameter"]
    needed = (
        x["brain_flop"]
        + x["horizon_medium"]
        + 12
        + 10 ** x["data_exponent_prior"] * (parameters - 11.2)
    )
    affordable = smaller(spend, cap) + smaller(hardware, x["hardware_limit"])
    return affordable + smaller(algorithms, x["algorithmic_limit"]) - needed


def year_by_year(x: Mapping[str, Any]) -> list[float]:
    """Year in which each draw can pay for its requirement, one draw and one year at a time; infinite if none."""
    found = []
    for draw in range(len(x["spend_level"])):
        at = {name: float(values[draw]) for name, values in x.items()}
        for year in YEARS:
            if excess(at, year, min) >= 0:
                found.append(float(year))
                break
        else:
            found.append(math.inf)
    return found


def crossing(x: Mapping[str, Any]) -> Any:
    """The same for all draws at once, a year at a time."""
    import numpy as np

    found = np.full(len(x["spend_level"]), np.inf)
    for year in reversed(YEARS):
        found[excess(x, year, np.minimum) >= 0] = year
    return found


def all_anchors() -> Work:
    """Anchor and arrival of prior draws, the years since 2010 of the evidence of no TAI included."""
    import numpy as np

    from aligntax.analysis.inference.derive import arrival_of_draws, split_draws

    _, evidence, view, tables, draws = _drawn(MILLION)
    x, parameters = split_draws(draws, tables)
    return Work(lambda: arrival_of_draws(x, parameters, evidence, view, np.random.default_rng(1)))


def everything() -> Work:
    """Every derived quantity: five paired worlds, alignment, waits."""
    import numpy as np

    from aligntax.analysis.inference.derive import derive

    model, evidence, view, tables, draws = _drawn(MILLION // 10)
    return Work(lambda: derive(model, draws, tables, evidence, view, np.random.default_rng(1)))


def _drawn(size: int) -> tuple[Any, ...]:
    from aligntax.models.catalogue import find_model, restrict
    from aligntax.models.evidence import load_evidence
    from aligntax.models.views import load_view
    from tests.prior import prior_draws

    model, view = find_model("joint"), load_view("default")
    tables = view.tables(model.quantities)
    return model, restrict(load_evidence(), view, model), view, tables, prior_draws(tables, size)


def forward() -> Work:
    """Forward draws by quantile tables, and the crossing."""
    return Work(lambda: crossing(inputs(MILLION)))


def loop() -> Work:
    """A loop over draws and years in plain Python, of draws that are at hand."""
    x = inputs(FEW)
    return Work(lambda: year_by_year(x))


def squiggle() -> Work:
    """Forward draws of normal distributions (of logarithms where the scale is) with the view's 5 and 95% points, and the crossing."""
    import numpy as np
    import squigglepy as sq

    from aligntax.models.views import load_view

    points = (
        load_view("default")
        .tables(FORWARD)
        .values(np.array([[-1.6448536], [1.6448536]]) * np.ones(len(FORWARD)))
    )
    stated = {
        name: sq.norm(float(low), float(high), credibility=90)
        for name, (low, high) in points.items()
    }
    return Work(
        lambda: crossing({name: sq.sample(each, n=MILLION) for name, each in stated.items()})
    )


def rows(repeats: int, talk: Talk) -> list[Row]:
    """A million draws x 75 years x all anchors, beside a loop over draws and years in plain Python and squigglepy's forward draws."""
    ways = [
        Live("all anchors and the evidence of no TAI", all_anchors),
        Live("quantile tables, crossing in numpy", forward),
        Live("all derived quantities", everything),
        Live(f"loop in Python, {FEW:,} draws", loop),
        Live("squigglepy, crossing in numpy", squiggle),
    ]
    arrival, drawn, derived, few, squiggled = measure(ways, repeats, talk)
    name, scale = "loop over draws and years, scaled", MILLION / FEW
    looped = few.each(name, lambda seconds, _: scale * seconds, False)
    tenth = few.each(name, lambda seconds, _: scale / 10 * seconds, False)
    one = f"measured on {FEW:,} draws; one anchor, plain crossing, no evidence"
    ten, question = (
        "ten kinds of requirement and the years before 2026 too",
        "1e6 forward draws, one anchor, crossing year",
    )
    return [
        Row(
            "arrival",
            "arrival, 1e6 draws",
            arrival,
            looped,
            budget="arrival",
            note=f"{ten}; the loop: {one}",
        ),
        Row(
            "arrival",
            "arrival, 1e6 draws",
            arrival,
            squiggled,
            note=f"{ten}; squigglepy: one anchor, plain crossing, no evidence",
        ),
        Row(
            "arrival",
            question,
            drawn,
            squiggled,
            note="squigglepy: normal by the view's 5 and 95%; ours: the view's own shapes and copula",
        ),
        Row("arrival", question, drawn, looped, note=one),
        Row(
            "arrival",
            "all derived quantities, 1e5 draws",
            derived,
            tenth,
            note=f"five paired worlds, alignment, waits; the loop: {one}",
        ),
    ]
