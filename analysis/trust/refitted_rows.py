"""Posteriors given new rows by sampling, where weights of stored draws cannot be trusted.

One graph holds the own rows and the new rows of every table, and each row counts once or not at all
(:mod:`aligntax.analysis.trust.leave_out`). So it is compiled once, and each refit chooses which new
rows count and puts in their figures.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import xarray as xr

from aligntax.analysis.inference.derive import derive
from aligntax.analysis.inference.options import Sampling
from aligntax.analysis.inference.seeds import child_generator
from aligntax.analysis.trust.calibration.doubled_evidence import doubled
from aligntax.analysis.trust.leave_out import LeaveOut
from aligntax.analysis.trust.new_rows import HORIZONS, NewRows

SAMPLING = Sampling(draws=500, chains=2)


@dataclass(frozen=True)
class Refits:
    """Refits a model with some of the new rows.

    Attributes
    ----------
    rows : NewRows
        What simulates them.
    compiled : LeaveOut
        On own and new rows of every table.
    """

    rows: NewRows
    compiled: LeaveOut

    @classmethod
    def of(cls, rows: NewRows, drawn: Mapping[str, xr.Dataset]) -> "Refits":
        """Compile it; ``drawn`` are new rows of every table, as every refit has them."""
        evidence = doubled(rows.evidence, rows.view, drawn)
        return cls(rows, LeaveOut.on(rows.model, evidence, rows.view))

    def posterior(
        self, drawn: Mapping[str, xr.Dataset], counted: Mapping[str, int], seed: int
    ) -> tuple[xr.Dataset, xr.Dataset]:
        """Draws given the own rows and so many of the new rows of some tables, the first.

        Returns
        -------
        draws : xarray.Dataset
            ``z`` (chain, draw, quantity) and structural parameters.
        derived : xarray.Dataset
            Every quantity of every draw.
        """
        new = self.rows
        evidence = doubled(new.evidence, new.view, drawn)
        compiled = replace(self.compiled, compiled=self.compiled.compiled.with_evidence(evidence))
        left = {}
        for name in drawn:
            units = compiled.units[name][-new.numbers[name] :]
            left[name] = units[counted.get(name, 0) :]
        chosen = compiled.without(left)
        draws = chosen.sample(replace(SAMPLING, seed=seed)).posterior
        # a shape of the trend is drawn given every horizon that counts
        horizons = chosen.compiled.evidence.ready.get(HORIZONS)
        seen = {HORIZONS: horizons} if horizons is not None and HORIZONS in counted else {}
        derived = derive(
            new.model,
            draws,
            new.tables,
            new.evidence.with_likelihood_rows(seen),
            new.view,
            child_generator(seed, "arrival"),
        )
        return draws, derived
