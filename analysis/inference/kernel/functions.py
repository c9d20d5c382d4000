"""Elementary functions on vectors of doubles.

They are our own, so that a chain never waits for
another, and draws do not depend on the mathematical library of a machine. A processor without fused
multiply-add gets the two roundings: a library call instead would be many times slower. Accuracy of
each is a few units in the last place; ``tests/analysis/inference/kernel/test_functions.py``.

References
----------
.. [1] fdlibm, e_log.c, Sun Microsystems, 1993: the logarithm
.. [2] Wichura, "Algorithm AS 241: the percentage points of the normal distribution", 1988.
       doi:10.2307/2347330
.. [3] Shepherd and Laframboise, "Chebyshev approximation of (1 + 2x) exp(x^2) erfc(x)", 1981.
       doi:10.1090/S0025-5718-1981-0595058-X: the form; coefficients are ours, of degree 22
"""

import math
from collections.abc import Callable, Mapping, Sequence

from aligntax.analysis.inference.kernel.instructions import Block

LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
ROUNDING = 6755399441055744.0  # 1.5 * 2^52: adding it leaves the nearest integer in the last bits
INFINITE = float("inf")
SMALLEST, LARGEST = -708.0, 709.78  # between which the exponential is a normal double
SHIFT = 10  # steps by which the argument of the log gamma function is raised


def _exp(b: Block, x: str) -> str:
    """``2^k`` times a Taylor series on half a binary logarithm; zero below the normal doubles."""
    rounded = b.mul_add(x, b.number(1 / math.log(2)), b.number(ROUNDING))
    k = b.sub(rounded, b.number(ROUNDING))
    r = b.mul_add(k, b.number(-LN2_LOW), b.mul_add(k, b.number(-LN2_HIGH), x))
    series = b.polynomial([1 / math.factorial(i) for i in range(13)], r)
    # k stands in the last bits: half of 2^k, so that the largest double is not beyond the range
    bits = b.integers("shl", b.cast("bitcast", rounded, b.real, b.whole), 52)
    half = b.cast("bitcast", b.integers("add", bits, 1022 << 52), b.whole, b.real)
    value = b.mul(b.mul(series, half), b.number(2.0))
    value = b.select(b.compare("olt", x, b.number(SMALLEST)), b.number(0.0), value)
    return b.select(b.compare("ogt", x, b.number(LARGEST)), b.number(INFINITE), value)


LOG = (6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01,
       2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01,
       1.479819860511658591e-01)  # fmt: skip


def _log(b: Block, x: str) -> str:
    """``x = 2^k (1 + f)`` with ``1 + f`` about one, and an odd series in ``f / (2 + f)``."""
    tiny = b.compare("olt", x, b.number(2.0**-1022))
    normal = b.select(tiny, b.mul(x, b.number(2.0**54)), x)
    bits = b.cast("bitcast", normal, b.real, b.whole)
    moved = b.integers("add", bits, 0x3FF0000000000000 - 0x3FE6A09E667F3BCD)
    exponent = b.integers("sub", b.integers("and", moved, -1 << 52), 1023 << 52)
    mantissa = b.integers("sub", bits, exponent)
    f = b.sub(b.cast("bitcast", mantissa, b.whole, b.real), b.number(1.0))
    # the exponent as the last bits of 2^52: processors seldom convert long integers
    last = b.integers("or", b.integers("lshr", moved, 52), 0x433 << 52)
    bias = b.select(tiny, b.number(2.0**52 + 1077), b.number(2.0**52 + 1023))
    k = b.sub(b.cast("bitcast", last, b.whole, b.real), bias)
    s = b.div(f, b.add(b.number(2.0), f))
    square = b.mul(s, s)
    series = b.mul(square, b.polynomial(LOG, square))
    half = b.mul(b.mul(b.number(0.5), f), f)
    small = b.mul_add(s, b.add(half, series), b.mul(k, b.number(LN2_LOW)))
    value = b.mul_add(k, b.number(LN2_HIGH), b.sub(f, b.sub(half, small)))
    value = b.select(b.compare("oeq", x, b.number(0.0)), b.number(-INFINITE), value)
    value = b.select(b.compare("oeq", x, b.number(INFINITE)), x, value)
    return b.select(b.compare("ult", x, b.number(0.0)), b.number(math.nan), value)


def _log1p(b: Block, x: str) -> str:
    """``x log(u) / (u - 1)`` with ``u = 1 + x`` as rounded."""
    u = b.add(b.number(1.0), x)
    value = b.mul(b.call("log", u), b.div(x, b.sub(u, b.number(1.0))))
    same = b.compare("oeq", u, b.number(1.0))
    infinite = b.compare("oeq", x, b.number(INFINITE))
    return b.select(infinite, x, b.select(same, x, value))


def _expm1(b: Block, x: str) -> str:
    """``(u - 1) x / log(u)`` with ``u = exp(x)`` as rounded."""
    u = b.call("exp", x)
    less = b.sub(u, b.number(1.0))
    value = b.mul(less, b.div(x, b.call("log", u)))
    value = b.select(b.compare("oeq", u, b.number(1.0)), x, value)
    far = b.compare("ogt", b.intrinsic("fabs", x), b.number(40.0))
    return b.select(far, less, value)


def _tanh(b: Block, x: str) -> str:
    twice = b.mul(b.number(-2.0), b.intrinsic("fabs", x))
    t = b.call("expm1", twice)
    return b.intrinsic("copysign", b.div(t, b.add(b.number(2.0), t)), x)


def _sigmoid(b: Block, x: str) -> str:
    return b.div(b.number(1.0), b.add(b.number(1.0), b.call("exp", b.neg(x))))


def _softplus(b: Block, x: str) -> str:
    """``log(1 + exp(x))``, whose exponential never overflows."""
    rest = b.call("log1p", b.call("exp", b.neg(b.intrinsic("fabs", x))))
    return b.add(b.select(b.compare("olt", x, b.number(0.0)), b.number(0.0), x), rest)


ERFCX = (
    1.2329951186255526, -0.1396211168405572, 0.015379652102610473, 0.06809705425421975,
    -0.10103906603586531, 0.09373283501077742, -0.06633036582031154, 0.03716751538635946,
    -0.016197733981455194, 0.005031971002298884, -0.000757773707063825, -0.00019926095315041177,
    0.00015062309720018628, -2.438779085759055e-05, -1.1225101875659178e-05, 5.689537732302816e-06,
    2.9801353803031333e-07, -8.020193766522085e-07, 7.115337800585303e-08, 9.295292277973951e-08,
    -1.6371779763566967e-08, -6.9926126813398e-09, 1.5738283774192037e-09,
)  # fmt: skip


def _scaled_tail(b: Block, x: str) -> str:
    """``exp(x^2) erfc(x)`` for ``x >= 0``."""
    t = b.div(b.sub(x, b.number(4.0)), b.add(x, b.number(4.0)))
    t = b.select(b.compare("oeq", x, b.number(INFINITE)), b.number(1.0), t)
    return b.div(b.polynomial(ERFCX, t), b.mul_add(b.number(2.0), x, b.number(1.0)))


def _exp_of_square(b: Block, x: str, sign: float) -> str:
    """``exp(x^2)`` or ``exp(-x^2)``, with the rounding of the square put back."""
    square = b.mul(x, x)
    left = b.mul_add(x, x, b.neg(square))
    power = b.call("exp", b.mul(b.number(sign), square))
    exact = b.mul_add(power, b.mul(b.number(sign), left), power)
    return b.select(b.compare("olt", square, b.number(LARGEST)), exact, power)


def _erfc(b: Block, x: str) -> str:
    size = b.intrinsic("fabs", x)
    tail = b.mul(_exp_of_square(b, size, -1.0), _scaled_tail(b, size))
    return b.select(b.compare("olt", x, b.number(0.0)), b.sub(b.number(2.0), tail), tail)


# Taylor series of the error function by x^2, which 12 terms give to the last place below a half
ERF = [(-1) ** n * 2 / (math.sqrt(math.pi) * math.factorial(n) * (2 * n + 1)) for n in range(13)]


def _erf(b: Block, x: str) -> str:
    near = b.compare("olt", b.intrinsic("fabs", x), b.number(0.5))
    inner = b.select(near, x, b.number(0.0))
    series = b.mul(inner, b.polynomial(ERF, b.mul(inner, inner)))
    return b.select(near, series, b.sub(b.number(1.0), b.call("erfc", x)))


def _erfcx(b: Block, x: str) -> str:
    size = b.intrinsic("fabs", x)
    tail = _scaled_tail(b, size)
    whole = b.sub(b.mul(b.number(2.0), _exp_of_square(b, size, 1.0)), tail)
    return b.select(b.compare("olt", x, b.number(0.0)), whole, tail)


CENTRE = (
    (3.3871328727963666080, 1.3314166789178437745e2, 1.9715909503065514427e3,
     1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
     3.3430575583588128105e4, 2.5090809287301226727e3),
    (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
     2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
     5.2264952788528545610e3),
)  # fmt: skip
TAIL = (
    (1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550,
     3.64784832476320460504, 1.27045825245236838258, 2.41780725177450611770e-1,
     2.27238449892691845833e-2, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187, 1.67638483018380384940, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
     1.05075007164441684324e-9),
)  # fmt: skip
FAR_TAIL = (
    (6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580,
     2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
     2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
     2.04426310338993978564e-15),
)  # fmt: skip


def _normal_quantile(b: Block, above: str, small: str) -> str:
    """Quantile of ``p``, from ``p - 1/2`` and the smaller of ``p`` and ``1 - p``; AS 241."""

    def ratio(parts: tuple[Sequence[float], Sequence[float]], x: str) -> str:
        return b.div(b.polynomial(parts[0], x), b.polynomial(parts[1], x))

    inner = b.sub(b.number(0.180625), b.mul(above, above))
    centre = b.mul(above, ratio(CENTRE, inner))
    root = b.intrinsic("sqrt", b.neg(b.call("log", small)))
    near, far = ratio(TAIL, b.sub(root, b.number(1.6))), ratio(FAR_TAIL, b.sub(root, b.number(5.0)))
    tail = b.select(b.compare("ole", root, b.number(5.0)), near, far)
    tail = b.intrinsic("copysign", tail, above)
    end = b.intrinsic("copysign", b.number(INFINITE), above)
    tail = b.select(b.compare("oeq", small, b.number(0.0)), end, tail)
    is_central = b.compare("ole", b.intrinsic("fabs", above), b.number(0.425))
    return b.select(is_central, centre, tail)


def _erfinv(b: Block, x: str) -> str:
    above = b.mul(b.number(0.5), x)
    small = b.sub(b.number(0.5), b.intrinsic("fabs", above))
    return b.mul(_normal_quantile(b, above, small), b.number(math.sqrt(0.5)))


def _erfcinv(b: Block, x: str) -> str:
    half = b.mul(b.number(0.5), x)
    above, rest = b.sub(b.number(0.5), half), b.sub(b.number(1.0), half)
    small = b.select(b.compare("olt", half, rest), half, rest)
    return b.mul(_normal_quantile(b, above, small), b.number(math.sqrt(0.5)))


# Stirling's series: B_2k / (2k (2k - 1)) by odd powers of 1 / x, and its derivative
STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)


def _raised(b: Block, x: str) -> tuple[str, str, str, str]:
    """Where ``x`` is small, ``x + SHIFT``, the factors between, and their sum of reciprocals."""
    is_small = b.compare("olt", x, b.number(float(SHIFT)))
    start = b.select(is_small, x, b.number(1.0))
    product, slope = start, b.number(1.0)
    for i in range(1, SHIFT):
        factor = b.add(start, b.number(float(i)))
        slope = b.mul_add(slope, factor, product)
        product = b.mul(product, factor)
    return is_small, b.select(is_small, b.add(x, b.number(float(SHIFT))), x), product, slope


def _gammaln(b: Block, x: str) -> str:
    """Log of the gamma function for ``x > 0``; not a number elsewhere."""
    is_small, y, product, _ = _raised(b, x)
    log, inverse = b.call("log", y), b.div(b.number(1.0), y)
    rest = b.mul(inverse, b.polynomial(STIRLING, b.mul(inverse, inverse)))
    constant = b.number(0.5 * math.log(2 * math.pi))
    value = b.mul_add(b.sub(y, b.number(0.5)), log, b.add(b.sub(constant, y), rest))
    value = b.select(is_small, b.sub(value, b.call("log", product)), value)
    return b.select(b.compare("ugt", x, b.number(0.0)), value, b.number(math.nan))


def _digamma(b: Block, x: str) -> str:
    """Derivative of the log of the gamma function for ``x > 0``; not a number elsewhere."""
    is_small, y, product, slope = _raised(b, x)
    inverse = b.div(b.number(1.0), y)
    square = b.mul(inverse, inverse)
    falling = [-each * (2 * k + 1) for k, each in enumerate(STIRLING)]
    rest = b.mul_add(square, b.polynomial(falling, square), b.mul(b.number(-0.5), inverse))
    value = b.add(b.call("log", y), rest)
    value = b.select(is_small, b.sub(value, b.div(slope, product)), value)
    return b.select(b.compare("ugt", x, b.number(0.0)), value, b.number(math.nan))


FUNCTIONS: Mapping[str, Callable[[Block, str], str]] = {
    "exp": _exp,
    "log": _log,
    "log1p": _log1p,
    "expm1": _expm1,
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "erf": _erf,
    "erfc": _erfc,
    "erfcx": _erfcx,
    "erfinv": _erfinv,
    "erfcinv": _erfcinv,
    "gammaln": _gammaln,
    "digamma": _digamma,
}


def definitions(called: set[str], lanes: int, fused: bool) -> str:
    """Code of the functions that other code calls, and of those that they call."""
    texts: dict[str, str] = {}
    missing = sorted(called)
    while missing:
        name = missing.pop()
        block = Block(lanes, fused)
        value = FUNCTIONS[name](block, "%x")
        head = f"define internal {block.real} @{name}({block.real} %x) noinline nounwind"
        body = "\n".join(block.lines)
        texts[name] = f"{head} {{\n{body}\n  ret {block.real} {value}\n}}\n"
        missing += sorted(block.called - {*texts, *missing})
    return "".join(texts.values())
