"""The model of the package sampled as anyone would: built anew and given to ``pm.sample``.

As a program, ``python -m tests.benchmarks.plain [CHAINS] [summary]``: without CHAINS, as many as
``pm.sample`` takes by itself.
"""

import sys
from typing import Any

__all__ = ["sample"]


def sample(model: Any, evidence: Any, view: Any, **options: Any) -> Any:
    """Build and sample; evidence restricted to what the view uses."""
    import pymc as pm

    with model.build(evidence, view):
        return pm.sample(
            **({"nuts_sampler": "nutpie", "random_seed": 1, "progressbar": False} | options)
        )


def main(words: list[str]) -> None:
    import arviz

    from aligntax.models.catalogue import find_model, restrict
    from aligntax.models.evidence import load_evidence
    from aligntax.models.views import load_view

    model, view = find_model("joint"), load_view("default")
    chains = next((int(word) for word in words if word.isdigit()), None)
    trace = sample(model, restrict(load_evidence(), view, model), view, chains=chains)
    if "summary" in words:
        arviz.summary(trace, round_to="none", ci_kind="eti", ci_prob=0.9)


if __name__ == "__main__":
    main(sys.argv[1:])
