"""Are rows of a user's evidence in the units of their columns? The package's own rows say.

A number is hardly thirty times beyond every used row of its column, as a training run of 1e9 FLOP
in 2026 is, or 5 hours for 5 thousand. Such a row enters as it is, and is named.
"""

import numpy as np

from aligntax.models.evidence import TABLES, Evidence, load_evidence, select

TIMES = 30.0  # beyond the smallest and the largest: the frontier passes ten times in two years
FEWEST = 3  # used rows that make a range


def doubts_of_rows(evidence: Evidence) -> list[str]:
    """Return one sentence for each number of a used row that lies far beyond the package's own.

    Parameters
    ----------
    evidence : Evidence
        Tables of a user, which may hold the package's own rows too.
    """
    own, found = load_evidence(), []
    for name, spec in TABLES.items():
        if "used" not in own[name] or evidence.hashes[name] == own.hashes[name]:
            continue
        known, rows = select(own[name]), select(evidence[name])
        for column in spec.columns:
            if column.kind != "number" or column.name not in known:
                continue
            ours, theirs = (each[column.name].values.astype(float) for each in (known, rows))
            ours = ours[np.isfinite(ours)]
            if len(ours) < FEWEST or ours.min() <= 0.0:
                continue
            low, high = ours.min(), ours.max()
            for i in np.flatnonzero((theirs < low / TIMES) | (theirs > high * TIMES)):
                row, limits = f"{name}:{rows[spec.dim].values[i]}", f"{low:.3g} to {high:.3g}"
                found.append(
                    f"{row}: {column.name} must be within {TIMES:g} times of what the package's "
                    f"own rows have, {limits} {column.unit}, got {theirs[i]:.3g}: is it in another "
                    "unit?"
                )
    return found
