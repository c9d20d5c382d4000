"""One likelihood, two graphs: a lean one for this package's sampler, and an open one for PyMC.

In the lean graph a likelihood is a ``pm.Potential`` and elicited quantities are elements of one
vector. A sampler compiles it fast: nutpie's compile time grows with the number of variables. In the
open graph, :class:`OpenGraph`, a likelihood is an observed variable, so that PyMC can predict it,
and each quantity is a Deterministic, so that other likelihoods can be added to it. Model files call
the same functions for both, which differ in nothing but the graph's class.

The evidence of no transformative AI is one fact, :func:`happened`.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.random import Generator
from scipy.special import expit


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
    value_coords: Mapping[str, Any] | None = None,
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
    value_coords : mapping, optional
        Labels of each dimension of ``value``, where these are not ``dims``; if it is empty they
        have no names.
    terms : tensor, optional
        Log density in the lean graph, where ``law`` would say it in more operations.
    """
    if not is_open():
        terms = pm.logp(law, value) if terms is None else terms
        pm.Potential(name, terms, dims=dims)
        return
    model = pm.modelcontext(None)
    model.add_coords(value_coords or {})
    own = [dims] if dims else []
    of_value = tuple(own if value_coords is None else value_coords)
    model.register_rv(law, name, observed=value, dims=of_value or None)


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


def start_at(value: Any) -> Any:
    """Where chains of the lean graph begin: PyMC cannot convert an open graph that says so."""
    return None if is_open() else value


def named(name: str, value: Any, **coords: Any) -> Any:
    """Return a quantity that the graph works out; the open graph knows it by its name.

    Parameters
    ----------
    **coords
        Labels of each dimension.
    """
    if not is_open():
        return value
    pm.modelcontext(None).add_coords(coords)
    return pm.Deterministic(name, value, dims=tuple(coords) or None)


def happened(log_probability: Any) -> Any:
    """Law of a fact that is 1 if it is so: that nothing has arrived yet, for one.

    Parameters
    ----------
    log_probability : tensor
        That it is so.
    """

    def log_density(fact: Any, log_p: Any) -> Any:
        return pt.switch(fact > 0, log_p, pt.log1mexp(pt.minimum(log_p, -1e-12)))

    def draw(log_p: Any, rng: Generator) -> Any:
        return np.log(rng.uniform(size=np.shape(log_p))) < log_p

    return custom_law(log_density, draw, log_probability)


def binomial_log_density(successes: Any, count: Any, logit: Any) -> Any:
    """Log probability of so many successes; nothing is lost where their probability is near 1."""
    ways = pt.gammaln(count + 1) - pt.gammaln(successes + 1) - pt.gammaln(count - successes + 1)
    return ways + successes * logit - count * pt.softplus(logit)


def drawn_binomial(count: Any, logit: Any, rng: Generator) -> Any:
    """Random successes in so many trials."""
    return rng.binomial(np.asarray(count).astype(int), expit(logit))
