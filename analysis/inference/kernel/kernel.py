"""A log density and its gradient, for one chain or many at once, as machine code that is loaded.

:meth:`Kernel.prepare` gives a program its data and compiles nothing.
"""

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aligntax.analysis.inference.kernel.front import Names

Array = NDArray[np.float64]
OF_A_CHAIN = ("density_of_a_chain", "values_of_a_chain")
CACHE_LINE = 8  # doubles
CHECK_ERROR = 1e-10  # at the check points, relative


class WrongProgram(Exception):
    """A program does not compute what it should, or does not fit the data; the message says why."""


@dataclass(frozen=True)
class Program:
    """Machine code of a log density, and what says whether it is sound.

    Attributes
    ----------
    parameters, data : tuple of (str, shape)
        Coordinates of a point, and the data, in order.
    variables : tuple of (str, shape)
        Free variables on their own scales, in order.
    granted : ndarray, shape (2, granted)
        Indices of data that are part of the code, and their values there.
    constants : ndarray
        Rows that the code looks up, after the data.
    fixed, scratch, lanes : int
        Doubles made of data and needed to work with; chains in a vector.
    kernel, expansion, preparation : bytes
        Object code.
    check_data, check_points, check_values, check_natural, check_slopes : ndarray
        Data; points, shape (parameter, point); the log densities and free variables that PyTensor
        finds there, shapes (point,) and (variable, point); and the gradients of this code, shape
        (parameter, point).
    """

    parameters: Names
    data: Names
    variables: Names
    granted: Array
    constants: Array
    fixed: int
    scratch: int
    lanes: int
    kernel: bytes
    expansion: bytes
    preparation: bytes
    check_data: Array
    check_points: Array
    check_values: Array
    check_natural: Array
    check_slopes: Array

    @property
    def dimension(self) -> int:
        """Number of coordinates of a point."""
        return count(self.parameters)

    def place(self, name: str) -> int:
        """Index of the first coordinate of a parameter."""
        return count(tuple(takewhile(lambda each: each[0] != name, self.parameters)))

    def in_a_row(self, data: Mapping[str, Any]) -> Array:
        """All numbers of the data.

        Raises
        ------
        WrongProgram
            If they have other shapes, or are others where the code takes them for granted.
        """
        values = [np.asarray(data[name], dtype=float) for name, _ in self.data]
        for (name, shape), value in zip(self.data, values, strict=True):
            if value.shape != shape:
                raise WrongProgram(f"{name} has the shape {value.shape}, not {shape}")
        row = np.concatenate([*map(np.ravel, values), np.empty(0)])
        where, expected = self.granted
        if not np.array_equal(row[where.astype(int)], expected):
            raise WrongProgram("data differ where the code takes them for granted")
        return row


class Kernel:
    """A program that is loaded and has passed its check points.

    Parameters
    ----------
    checked : bool
        Whether it must pass them; they are unknown while they are made.

    Raises
    ------
    WrongProgram
        If it fails them.
    """

    def __init__(self, program: Program, checked: bool = True) -> None:
        self.program = program
        array, whole = ctypes.c_void_p, ctypes.c_int64
        codes = program.kernel, program.expansion, program.preparation
        self.engines = [_loaded(code) for code in codes]
        kernel, flight, expansion, preparation = (
            self.engines[k].get_function_address(name)
            for k, name in ((0, "kernel"), (0, "fly"), (1, "expand"), (2, "prepare"))
        )
        if not (kernel and flight and expansion and preparation):
            raise WrongProgram("the code lacks a function")
        chains = [array] * 6 + [whole] * 2
        on_chains = ctypes.CFUNCTYPE(None, *chains)
        self.function, self.expansion = on_chains(kernel), on_chains(expansion)
        self.flight = ctypes.CFUNCTYPE(None, *chains, *[array] * 4, *[whole] * 3)(flight)
        self.preparation = ctypes.CFUNCTYPE(None, *[array] * 3)(preparation)
        if not checked:
            return
        check = Density(self, program.check_data)
        values, slopes = check.log_density_and_gradient(program.check_points)
        if not (
            agree(values, program.check_values, CHECK_ERROR)
            and agree(slopes, program.check_slopes, CHECK_ERROR)
            and agree(check.natural(program.check_points), program.check_natural, CHECK_ERROR)
        ):
            raise WrongProgram("the code fails its check points")

    def prepare(self, data: Mapping[str, Any]) -> "Density":
        """Log density under data, by the names of the ``pm.Data`` of the graph.

        Raises
        ------
        WrongProgram
            If the code does not hold for them.
        """
        return Density(self, self.program.in_a_row(data))


@dataclass(frozen=True)
class Function:
    """Machine code of a function.

    Attributes
    ----------
    address : int
    owner : object
        Keeps the code and its numbers in memory.
    """

    address: int
    owner: Any


@dataclass(frozen=True)
class Flight:
    """Chains on the way: arrays of doubles in C order, which :meth:`Density.fly` changes.

    All but ``log_density`` have the shape (group, parameter, chain). A step is::

        x += reach * momentum
        momentum += push * slope + pull * x

    Attributes
    ----------
    x, momentum : ndarray
    log_density : ndarray, shape (group, chain)
    slope : ndarray
        Gradient of the log density; the last step's, when it is done.
    reach, push, pull : ndarray
        Not changed.
    """

    x: Array
    momentum: Array
    log_density: Array
    slope: Array
    reach: Array
    push: Array
    pull: Array


class Density:
    """A log density and its gradient under one set of data.

    Attributes
    ----------
    numbers : ndarray
        Addresses of what the code works on.
    """

    def __init__(self, kernel: Kernel, row: Array) -> None:
        program = kernel.program
        self.kernel, self.dimension = kernel, program.dimension
        self._data = np.concatenate([row, program.constants, np.zeros(1)])
        self._fixed = _aligned(program.fixed + 1)
        _call(kernel.preparation, [self._data, self._fixed, np.empty(program.scratch)])
        self.numbers = np.array([self._fixed.ctypes.data, self._data.ctypes.data], dtype=np.uintp)

    def log_density_and_gradient(self, x: Any) -> tuple[Array, Array]:
        """Log density of each chain, shape (chain,), and its gradient, shape (parameter, chain).

        Parameters
        ----------
        x : array, shape (parameter, chain)
            Unconstrained coordinates, in the order of ``Program.parameters``.
        """
        values, slopes = self._on_chains(self.kernel.function, x, self.dimension)
        return values, slopes

    def fly(self, flight: "Flight", steps: int) -> None:
        """Take leapfrog steps, in place.

        Parameters
        ----------
        flight : Flight
            Its groups are of as many chains as fill vectors.
        steps : int
            At least 1.
        """
        program, (groups, rows, chains) = self.kernel.program, flight.x.shape
        if chains % program.lanes:
            raise ValueError(f"chains must fill vectors of {program.lanes}, got {chains}")
        scratch = _aligned(program.scratch)
        f, own = flight, (self._fixed, self._data, scratch)
        arrays = [f.x, f.slope, f.log_density, *own], [f.momentum, f.reach, f.push, f.pull]
        first, second = ([each.ctypes.data for each in part] for part in arrays)
        counts = chains // program.lanes, chains
        self.kernel.flight(*first, *counts, *second, rows * chains, steps, groups)

    def natural(self, x: Any) -> Array:
        """Free variables on their own scales, shape (variable, chain), in order."""
        rows = count(self.kernel.program.variables)
        return self._on_chains(self.kernel.expansion, x, rows)[1]

    def variables(self, points: Any) -> dict[str, Array]:
        """Free variables, (chain, draw, ...), by name, of points (chain, draw, parameter)."""
        sample, names = points.shape[:2], self.kernel.program.variables
        rows = self.natural(points.reshape(-1, self.dimension).T).T
        ends = np.cumsum([count((each,)) for each in names])
        return {
            name: values.reshape(*sample, *shape)
            for (name, shape), values in zip(names, np.split(rows, ends, axis=1), strict=False)
        }

    def of_a_chain(self) -> "tuple[Function, Function]":
        """Log density with gradient, and the free variables, as functions that nutpie calls.

        Their last argument is the address of :attr:`numbers`. Only code of one chain in a vector
        has them.
        """
        if self.kernel.program.lanes != 1:
            raise ValueError(f"code must be of one chain, got {self.kernel.program.lanes}")
        found = [
            Function(engine.get_function_address(name), self)
            for engine, name in zip(self.kernel.engines, OF_A_CHAIN, strict=False)
        ]
        return found[0], found[1]

    def _on_chains(self, function: Any, x: Any, rows: int) -> tuple[Array, Array]:
        """Total of each chain and rows of results."""
        lanes, x = self.kernel.program.lanes, np.asarray(x, dtype=float)
        if x.ndim != 2 or len(x) != self.dimension:
            raise ValueError(
                f"points must have the shape ({self.dimension}, chains), got {x.shape}"
            )
        chains = x.shape[1]
        blocks = -(-chains // lanes)
        padded = np.ascontiguousarray(x)
        if blocks * lanes != chains:
            padded = np.pad(padded, ((0, 0), (0, blocks * lanes - chains)), mode="edge")
        totals, results = np.empty(blocks * lanes), np.empty((rows, blocks * lanes))
        scratch = _aligned(self.kernel.program.scratch)  # of this call: threads may call at once
        arrays = [padded, results, totals, self._fixed, self._data, scratch]
        _call(function, arrays, blocks, blocks * lanes)
        return totals[:chains], results[:, :chains]


def count(names: Names) -> int:
    """How many numbers arrays have together."""
    return sum(int(np.prod(shape, dtype=int)) for _, shape in names)


def _aligned(size: int) -> Array:
    """Room for doubles in which no vector lies across two cache lines."""
    room = np.empty(size + CACHE_LINE)
    start = -(room.ctypes.data // 8) % CACHE_LINE
    return room[start : start + size]


def _call(function: Any, arrays: list[Array], *counts: int) -> None:
    """Call machine code on arrays, which live until it is done."""
    function(*(array.ctypes.data for array in arrays), *counts)


def _loaded(code: bytes) -> Any:
    """Return an engine that holds object code."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(codemodel="jitdefault", jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine


def agree(got: Array, expected: Array, error: float) -> bool:
    """Whether numbers are the same up to an error, relative to the largest of their point."""
    got, expected = np.atleast_2d(got), np.atleast_2d(expected)
    with np.errstate(invalid="ignore"):
        scale = np.maximum(np.abs(expected).max(axis=0), 1.0)
        near = np.abs(got - expected) <= error * scale
    return bool((near | (got == expected) | (np.isnan(got) & np.isnan(expected))).all())
