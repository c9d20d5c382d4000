"""A log density and its gradient for many chains at once, as machine code that is loaded.

:meth:`Kernel.prepare` gives a program its data and compiles nothing.
"""

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aligntax.analysis.inference.kernel.front import Names

Array = NDArray[np.float64]
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
    granted : ndarray, shape (2, granted)
        Indices of data that are part of the code, and their values there.
    constants : ndarray
        Rows that the code looks up, after the data.
    fixed, scratch, lanes : int
        Doubles made of data and needed to work with; chains in a vector.
    kernel, preparation : bytes
        Object code.
    check_data, check_points, check_values, check_slopes : ndarray
        Data; points, shape (parameter, point); the log densities that PyTensor finds there, shape
        (point,); and the gradients of this code, shape (parameter, point).
    """

    parameters: Names
    data: Names
    granted: Array
    constants: Array
    fixed: int
    scratch: int
    lanes: int
    kernel: bytes
    preparation: bytes
    check_data: Array
    check_points: Array
    check_values: Array
    check_slopes: Array

    @property
    def dimension(self) -> int:
        """Number of coordinates of a point."""
        return sum(int(np.prod(shape, dtype=int)) for _, shape in self.parameters)

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

    def fits(self, data: Mapping[str, Any]) -> bool:
        """Whether the code holds for data."""
        try:
            self.in_a_row(data)
        except WrongProgram:
            return False
        return True


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
        self._engines = [_loaded(code) for code in (program.kernel, program.preparation)]
        kernel, preparation = (
            engine.get_function_address(name)
            for engine, name in zip(self._engines, ("kernel", "prepare"), strict=True)
        )
        if not (kernel and preparation):
            raise WrongProgram("the code lacks a function")
        self.function = ctypes.CFUNCTYPE(None, *[array] * 6, whole, whole)(kernel)
        self.preparation = ctypes.CFUNCTYPE(None, *[array] * 3)(preparation)
        if not checked:
            return
        check = Density(self, program.check_data)
        values, slopes = check.log_density_and_gradient(program.check_points)
        if not (
            agree(values, program.check_values, CHECK_ERROR)
            and agree(slopes, program.check_slopes, CHECK_ERROR)
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


class Density:
    """A log density and its gradient under one set of data."""

    def __init__(self, kernel: Kernel, row: Array) -> None:
        program = kernel.program
        self.kernel, self.dimension = kernel, program.dimension
        self._data = np.concatenate([row, program.constants, np.zeros(1)])
        self._fixed = np.empty(program.fixed + 1)
        _call(kernel.preparation, [self._data, self._fixed, np.empty(program.scratch)])

    def log_density_and_gradient(self, x: Any) -> tuple[Array, Array]:
        """Log density of each chain, shape (chain,), and its gradient, shape (parameter, chain).

        Parameters
        ----------
        x : array, shape (parameter, chain)
            Unconstrained coordinates, in the order of ``Program.parameters``.
        """
        program, x = self.kernel.program, np.asarray(x, dtype=float)
        if x.ndim != 2 or len(x) != self.dimension:
            raise ValueError(
                f"points must have the shape ({self.dimension}, chains), got {x.shape}"
            )
        chains = x.shape[1]
        blocks = -(-chains // program.lanes)
        padded = np.ascontiguousarray(x)
        if blocks * program.lanes != chains:
            padded = np.pad(padded, ((0, 0), (0, blocks * program.lanes - chains)), mode="edge")
        values, slopes = np.empty(padded.shape[1]), np.empty(padded.shape)
        scratch = np.empty(program.scratch)  # of this call: threads may call at once
        arrays = [padded, slopes, values, self._fixed, self._data, scratch]
        _call(self.kernel.function, arrays, blocks, padded.shape[1])
        return values[:chains], slopes[:, :chains]


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
