"""One likelihood, two graphs: a lean one for this package's sampler, and an open one for PyMC.

In the lean graph a likelihood is a ``pm.Potential`` and elicited quantities are elements of one
vector. A sampler compiles it fast: nutpie's compile time grows with the number of variables. In the
open graph, :class:`OpenGraph`, a likelihood is an observed variable, so that PyMC can predict it,
and each quantity is a Deterministic, so that other likelihoods can be added to it. Model files call
the same functions for both, which differ in nothing but the graph's class.

The evidence of no transformative AI stays a potential in both. It is one fact, which has happened
in every world that can be asked: there is nothing to replicate.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pymc as pm


class OpenGraph(pm.Model):  # type: ignore[misc]  # PyMC is not typed
    """A model whose likelihoods are observed variables, and whose quantities have names."""


def is_open() -> bool:
    """Whether the model in whose context this is called is an open graph."""
    return isinstance(pm.modelcontext(None), OpenGraph)


def add_likelihood(
    name: str,
    law: Any,
    value: Any,
    dims: str | None,
    value_dims: tuple[str, ...] | None = None,
    terms: Any = None,
) -> None:
    """Condition the open model on a table.

    Parameters
    ----------
    name : str
        Of the table.
    law : tensor
        Distribution of ``value``, without a name.
    value : tensor
        Evidence on the scale of the likelihood.
    dims : str, optional
        Of the log density: one element for each unit of evidence. None where all of it is one unit.
    value_dims : tuple of str, optional
        Of ``value``, where they are others. None of them has a name if it is empty.
    terms : tensor, optional
        Log density in the lean graph, where ``law`` would say it in more operations.
    """
    if not is_open():
        terms = pm.logp(law, value) if terms is None else terms
        pm.Potential(name, terms, dims=dims)
        return
    own = (dims,) if dims else ()
    named_dims = (own if value_dims is None else value_dims) or None
    pm.modelcontext(None).register_rv(law, name, observed=value, dims=named_dims)


def custom_law(
    log_density: Callable[..., Any],
    draw: Callable[..., Any],
    *parameters: Any,
    signature: str | None = None,
) -> Any:
    """Return a distribution for :func:`add_likelihood` that PyMC has no name for.

    Parameters
    ----------
    log_density : callable
        ``(value, *parameters)`` to the tensor of its log density.
    draw : callable
        ``(*parameters, rng)`` to a random value, in numpy. The shape is that of the parameters.
    *parameters : tensor
    signature : str, optional
        Core dimensions of parameters and value; by default all are elementwise.
    """

    def random(*values: Any, rng: Any, size: Any) -> Any:
        return np.asarray(draw(*values, rng), dtype=float)

    return pm.CustomDist.dist(
        *parameters, logp=log_density, random=random, signature=signature, class_name="Evidence"
    )


def named(name: str, value: Any, dims: str | None = None) -> Any:
    """Return a quantity that the graph works out; the open graph knows it by its name."""
    return pm.Deterministic(name, value, dims=dims) if is_open() else value
