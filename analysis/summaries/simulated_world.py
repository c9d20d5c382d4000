"""Numbers that come from a simulation of this package say so wherever they are shown."""

from collections.abc import Sequence

import numpy as np

from aligntax.models.evidence import TABLES, Evidence, select


def simulated_world(evidence: Evidence, tables: Sequence[str]) -> str:
    """Sentence that tells that tables are simulated; empty where none is.

    A table is simulated while each of its used rows is the package's own. Rows that a user gives
    are not.

    Parameters
    ----------
    evidence : Evidence
    tables : sequence of str
        Those that a model conditions on.
    """
    names = []
    for name in tables:
        if TABLES[name].simulated and name in evidence.tables:
            status = select(evidence[name])["status"].values
            if status.size and np.all(status == "computed"):
                names.append(name.replace("_", " "))
    if not names:
        return ""
    return (
        f"simulated world: the {' and '.join(names)} are this package's own simulation; the "
        "numbers are of that world, and of the real one only as far as it is like it"
    )
