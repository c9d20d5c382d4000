"""Options of sampling, and callbacks that report progress."""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aligntax.models.errors import InputError

if TYPE_CHECKING:
    from aligntax.models.catalogue import Model


LIMITS = {
    "draws": (1, 1_000_000),
    "tune": (50, 1_000_000),
    "chains": (2, 64),
    "seed": (0, 2**32 - 1),
}
GRADIENTS = ("kept", "numba")
SAMPLERS = {"hmc": 100, "nuts": 400}  # and the warm-up of each
CAREFUL = 0.95  # acceptance target of a sampler that is not the model's own


@dataclass(frozen=True)
class Sampling:
    """How a sampler is run.

    Attributes
    ----------
    draws : int
        Kept draws of each chain.
    tune : int or None
        Discarded draws of each chain of NUTS, or transitions of the subchains of HMC. None is 400
        or 100.
    chains : int
        At least 2, because R-hat compares chains.
    seed : int
        Root of every random number of the run.
    cores : int or None
        Threads that work at the same time; None uses all cores. Draws do not depend on it.
    target_accept : float or None
        Acceptance target. A higher one takes smaller steps, which prevents divergences. None is
        the model's, or 0.95 of a sampler that is not the model's own.
    gradient : {"kept", "numba"}
        What a sampler walks on: machine code that is kept between processes, or what nutpie
        compiles from PyMC's graph in each. That takes a minute, as a check.
    sampler : {"hmc", "nuts"} or None
        Many short chains in step (:mod:`aligntax.analysis.inference.hmc`), or nutpie's NUTS. None
        is the model's own. Only NUTS can sample what nutpie compiles.

    Raises
    ------
    InputError
        If a value is out of bounds.
    """

    draws: int = 1000
    tune: int | None = None
    chains: int = 4
    seed: int = 2022
    cores: int | None = None
    target_accept: float | None = None
    gradient: str = "kept"
    sampler: str | None = None

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InputError(
                    f"{name}: must lie between {low} and {high}, got {value}; choose another"
                )
        if self.cores is not None and self.cores < 1:
            raise InputError(
                f"cores: must be at least 1, got {self.cores}; leave it out to use all"
            )
        if self.gradient not in GRADIENTS:
            choices = " or ".join(GRADIENTS)
            raise InputError(f"gradient: must be {choices}, got {self.gradient!r}; choose one")
        if self.sampler is not None and self.sampler not in SAMPLERS:
            choices = " or ".join(SAMPLERS)
            raise InputError(f"sampler: must be {choices}, got {self.sampler!r}; choose one")
        if self.sampler == "hmc" and self.gradient == "numba":
            rule = "must be nuts where Numba compiles the gradient, got 'hmc'"
            raise InputError(f"sampler: {rule}; leave out one of the two")
        accept = self.target_accept
        if accept is not None and not (math.isfinite(accept) and 0.5 <= accept < 1):
            raise InputError(
                f"target_accept: must lie in [0.5, 1), got {accept}; leave it out for the model's"
            )

    def of(self, model: "Model") -> "Sampling":
        """The same, with the model's sampler and acceptance target where none is given."""
        own = "nuts" if self.gradient == "numba" else model.sampler
        sampler = self.sampler or own
        accept = model.target_accept if sampler == model.sampler else CAREFUL
        return replace(
            self,
            target_accept=accept if self.target_accept is None else self.target_accept,
            tune=SAMPLERS[sampler] if self.tune is None else self.tune,
            sampler=sampler,
        )


def _ignore(text: str) -> None:
    """Say nothing."""


def warned(text: str) -> None:
    """Warn of what failed without stopping the rest."""
    warnings.warn(text, RuntimeWarning, stacklevel=2)


@dataclass(frozen=True)
class Talk:
    """Callbacks that report progress; by default nothing is reported.

    Attributes
    ----------
    say : callable
        Takes one line that says what is being done.
    progress : callable or None
        Called now and then with the number of draws done, of all draws, and of divergences.
        Warm-up counts.
    failed : callable
        Takes one line about a failure that does not stop the rest, such as a figure of a report.
    """

    say: Callable[[str], None] = _ignore
    progress: Callable[[int, int, int], None] | None = None
    failed: Callable[[str], None] = _ignore
