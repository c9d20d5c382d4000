"""Readings of the evaluations of time horizons, which the shape of growth hangs on.

Which rows enter, whether long horizons are overstated, and how reward hacks are scored can each be
read otherwise. Every reading keeps the number of rows, so that nothing is compiled again: a row
that does not enter counts zero times.
"""

from collections.abc import Iterator

import numpy as np

from aligntax.analysis.trust.evidence.variant import READ_HORIZONS, Variant
from aligntax.analysis.trust.leave_out import LeaveOut
from aligntax.models.catalogue import restrict
from aligntax.models.evidence import Evidence
from aligntax.models.horizon_evaluations import evaluations

TABLE = "time_horizons"


def horizon_variants(model: LeaveOut, evidence: Evidence) -> Iterator[Variant]:
    """Every reading of the evaluations, in the model that leads with the superhuman coder.

    Parameters
    ----------
    evidence : Evidence
        As loaded, including the rows that are not used.
    """
    compiled = model.compiled
    labels = model.units.get(TABLE, ())
    if not labels or not set(READ_HORIZONS) <= set(compiled.model.headlines):
        return
    view = compiled.view
    known = restrict(evidence, view, compiled.model)
    rows = evaluations(known, view)
    table = known[TABLE].sel(evaluation=rows["evaluation"].values)
    unbiased = view.with_quantity("length_bias", {"point": 0.0})
    share = evidence.constant("length_bias_metr")
    biased = view.with_quantity("length_bias", {"point": float(-np.log2(1.0 - share))})

    def read(words: str, **how: object) -> Variant:
        return Variant("horizon", words, **how)  # type: ignore[arg-type]

    record = table["record"].values.astype(float)
    if view.time_horizon.rows == "all" and record.any():
        alone = {TABLE: rows.assign(counts=rows["counts"] * record, lead=0.0 * rows["lead"])}
        yield read("records alone", rows=alone)
        yield read("records alone, horizons as measured", rows=alone, view=unbiased)
    yield read("without the newest", left={TABLE: (str(labels[-1]),)})
    first = tuple(np.asarray(labels)[rows["date"].values < rows["date"].values[0] + 1.0].tolist())
    if len(first) < len(labels):
        yield read("without the first year", left={TABLE: first})
    yield read("horizons as measured", view=unbiased)
    yield read(f"horizons of 16 hours {share:.0%} shorter", view=biased)
    other = "fail" if view.time_horizon.reward_hacks == "count" else "count"
    scored = evaluations(known, view.replace(time_horizon={"reward_hacks": other}))
    if scored.sizes == rows.sizes:
        words = "failures" if other == "fail" else "successes"
        yield read(f"reward hacks as {words}", rows={TABLE: scored})
