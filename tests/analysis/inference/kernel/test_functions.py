"""Elementary functions of the kernel against scipy's, on vectors of every width, with and without fused multiply-add."""

import ctypes
import math

import numpy as np
import pytest
from scipy import special

from aligntax.analysis.inference.kernel.assembly import Processor, _declared, assemble
from aligntax.analysis.inference.kernel.functions import FUNCTIONS, definitions
from aligntax.analysis.inference.kernel.instructions import Block
from aligntax.analysis.inference.kernel.kernel import _loaded

CALL = """{functions}
define void @f(ptr %x, ptr %y) nounwind {{
{lines}
  ret void
}}
"""
RANDOM = np.random.default_rng(1)
POSITIVE = np.concatenate([RANDOM.uniform(0, 3, 300), 10.0 ** RANDOM.uniform(-300, 300, 300)])
REAL = np.concatenate(
    [RANDOM.normal(size=300), RANDOM.uniform(-700, 700, 300), 10.0 ** RANDOM.uniform(-20, 0, 100)]
)
SHARE = np.concatenate([RANDOM.uniform(0, 1, 300), 10.0 ** RANDOM.uniform(-300, 0, 300)])


def erfcx(x):
    """With an exact square where it is negative, which scipy's is not."""
    grown = 2 * np.exp(np.minimum(x, 0).astype(np.longdouble) ** 2)
    return np.where(x < 0, grown - special.erfcx(np.abs(x)), special.erfcx(np.abs(x))).astype(float)


CASES = {
    "exp": (np.exp, REAL),
    "log": (np.log, np.concatenate([POSITIVE, [5e-324, 1e-310, 2.3e-308]])),
    "log1p": (np.log1p, np.concatenate([POSITIVE, -SHARE[:300], 10.0 ** RANDOM.uniform(-18, 0, 99)])),
    "expm1": (np.expm1, REAL),
    "tanh": (np.tanh, REAL),
    "sigmoid": (special.expit, REAL),
    "softplus": (lambda x: np.logaddexp(0, x), REAL),
    "erf": (np.vectorize(math.erf), REAL),
    "erfc": (np.vectorize(math.erfc), np.concatenate([REAL[:300], RANDOM.uniform(-6, 25, 300)])),
    "erfcx": (erfcx, np.concatenate([POSITIVE, -RANDOM.uniform(0, 25, 100)])),
    "erfinv": (special.erfinv, np.concatenate([SHARE, -SHARE])),
    "erfcinv": (special.erfcinv, np.concatenate([SHARE, 1 + SHARE[:300]])),
    "gammaln": (special.gammaln, np.concatenate([POSITIVE, np.arange(1.0, 200.0)])),
    "digamma": (special.digamma, np.concatenate([POSITIVE, np.arange(1.0, 200.0)])),
}  # fmt: skip
LIMITS = {
    "exp": {-np.inf: 0, np.inf: np.inf, 800: np.inf, -800: 0, 0: 1, np.nan: np.nan, 709.7: np.exp(709.7)},
    "log": {0: -np.inf, np.inf: np.inf, 1: 0, -1: np.nan, np.nan: np.nan},
    "log1p": {0: 0, -1: -np.inf, np.inf: np.inf, -2: np.nan, np.nan: np.nan},
    "expm1": {0: 0, -np.inf: -1, np.inf: np.inf, np.nan: np.nan},
    "tanh": {0: 0, -np.inf: -1, np.inf: 1, np.nan: np.nan},
    "sigmoid": {0: 0.5, -np.inf: 0, np.inf: 1, -800: 0, 800: 1, np.nan: np.nan},
    "softplus": {-np.inf: 0, np.inf: np.inf, 800: 800, np.nan: np.nan},
    "erf": {0: 0, np.inf: 1, -np.inf: -1, 0.5: math.erf(0.5), np.nan: np.nan},
    "erfc": {0: 1, np.inf: 0, -np.inf: 2, 40: 0, np.nan: np.nan},
    "erfcx": {0: 1, np.inf: 0, -30: np.inf, np.nan: np.nan},
    "erfinv": {0: 0, 1: np.inf, -1: -np.inf, np.nan: np.nan},
    "erfcinv": {1: 0, 0: np.inf, 2: -np.inf, np.nan: np.nan},
    "gammaln": {1: 0, 2: 0, 0: np.nan, -1: np.nan, np.nan: np.nan},
    "digamma": {0: np.nan, -1: np.nan, np.nan: np.nan},
}  # fmt: skip


def run(name, x, lanes, fused):
    """Values of a function of the kernel."""
    here = Processor.here()
    cpu = Processor(here.name, here.features, lanes, fused and here.fused)
    block = Block(lanes, cpu.fused)
    block.store(block.call(name, block.load("%x", 0)), "%y", 0)
    text = CALL.format(
        functions=_declared(lanes) + definitions(block.called, lanes, cpu.fused),
        lines="\n".join(block.lines),
    )
    engine = _loaded(assemble(text, cpu, 1))
    function = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(
        engine.get_function_address("f")
    )
    padded = np.resize(x, -(-len(x) // lanes) * lanes)
    y = np.empty_like(padded)
    for i in range(0, len(padded), lanes):
        function(padded[i:].ctypes.data, y[i:].ctypes.data)
    return y[: len(x)]


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("lanes", [1, 2, 4, 8])
@pytest.mark.parametrize("name", CASES)
def test_a_function_is_scipy_s(name, lanes, fused) -> None:
    function, x = CASES[name]
    expected, got = function(x), run(name, x, lanes, fused)
    assert np.isfinite(got).all()
    # where the log gamma function is zero its error is absolute
    scale = np.maximum(np.abs(expected), 1.0 if name in ("gammaln", "digamma") else 1e-300)
    bound = 2e-14 if fused else 5e-13  # without, the square in an exponent is rounded
    assert np.max(np.abs(got - expected) / scale) < bound


@pytest.mark.parametrize("name", LIMITS)
def test_a_function_has_scipy_s_limits(name) -> None:
    x = np.array([*LIMITS[name]], dtype=float)
    np.testing.assert_allclose(
        run(name, x, 4, True), [*LIMITS[name].values()], rtol=1e-13, atol=1e-14
    )


def test_every_function_is_tested() -> None:
    assert set(CASES) == set(LIMITS) == set(FUNCTIONS)


def test_a_processor_without_fused_multiply_add_is_not_asked_for_it() -> None:
    """A call of the library instead is many times slower."""
    for lanes in (2, 4):
        assert ".fma." not in definitions(set(FUNCTIONS), lanes, fused=False)
        assert ".fma." in definitions(set(FUNCTIONS), lanes, fused=True)
