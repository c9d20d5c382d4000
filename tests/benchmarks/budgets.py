"""The budgets of the design's section 7, in its words and as numbers; two cores."""

from dataclasses import dataclass

__all__ = ["BUDGETS", "Budget"]


@dataclass(frozen=True)
class Budget:
    """What a row is held to; a number that is not stated is None.

    ``seconds`` and ``mib`` must be undercut; ``ratio``, ours over the baseline's, may be reached.
    """

    what: str
    words: str
    seconds: float | None = None
    mib: float | None = None
    ratio: float | None = None


SAMPLING = (
    "sampling refit in a live process",
    "under 0.5 s; at least 20 times faster than building the model and `pm.sample` (nutpie) in a live process, 50 times against a new "
    "process doing so",
)
BUDGETS = {
    "start_up": Budget("`--help`, `runs`, `show`", "under 0.5 s", seconds=0.5),
    "redraw": Budget(
        "redraw of prior-only quantities, new process",
        "under 1.5 s (numpy and h5py alone)",
        seconds=1.5,
    ),
    "reweight": Budget(
        "reweighting refit, new process",
        "under 4 s, at least 5 times faster than `aligntax run`",
        seconds=4,
        ratio=1 / 5,
    ),
    "refit_live": Budget(*SAMPLING, seconds=0.5, ratio=1 / 20),
    "refit_new": Budget(*SAMPLING, seconds=0.5, ratio=1 / 50),
    "whole_run": Budget(
        "`aligntax run` (joint, 4 x 1000) with report, new process",
        "at most 1.5 times the same model by `pm.sample` defaults with `az.summary` and no report",
        ratio=1.5,
    ),
    "arrival": Budget(
        "arrival for 1,000,000 draws x 75 years x 7 anchors",
        "under 3 s and 2 GiB",
        seconds=3,
        mib=2048,
    ),
    "sweep": Budget(
        "sweep of 1,000 views on two workers",
        "at least 20 times faster than 1,000 live `pm.sample` calls (measured on 10, scaled)",
        ratio=1 / 20,
    ),
}
