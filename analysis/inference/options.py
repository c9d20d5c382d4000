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


@dataclass(frozen=True)
class Sampling:
    """How NUTS is run.

    Attributes
    ----------
    draws, tune : int
        Kept and discarded draws of each chain.
    chains : int
        At least 2, because R-hat compares chains.
    seed : int
        Root of every random number of the run.
    cores : int or None
        Chains sampled at the same time; None uses all cores. Draws do not depend on it.
    target_accept : float or None
        NUTS acceptance target, by default the model's. A higher one takes smaller steps, which
        prevents divergences.
    gradient : {"kept", "numba"}
        What NUTS walks on: machine code that is kept between processes, or what nutpie compiles
        from PyMC's graph in each. That takes a minute and leaves all to NUTS, as a check: no
        quantity is drawn again afterwards (:mod:`aligntax.analysis.inference.refresh`).

    Raises
    ------
    InputError
        If a value is out of bounds.
    """

    draws: int = 1000
    tune: int = 400
    chains: int = 4
    seed: int = 2022
    cores: int | None = None
    target_accept: float | None = None
    gradient: str = "kept"

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high:
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
        accept = self.target_accept
        if accept is not None and not (math.isfinite(accept) and 0.5 <= accept < 1):
            raise InputError(
                f"target_accept: must lie in [0.5, 1), got {accept}; leave it out for the model's"
            )

    def of(self, model: "Model") -> "Sampling":
        """The same, with the model's acceptance target where none is given."""
        if self.target_accept is not None:
            return self
        return replace(self, target_accept=model.target_accept)


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
