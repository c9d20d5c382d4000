"""Machine code kept on disk, so that a new process compiles nothing.

A file is named after everything that its code depends on: the expressions of the graph, what they
take for granted of the data, the sources of this room, llvmlite and the processor. So a graph that
differs in anything has code of its own, whatever made it differ. A file is written whole or not at
all, and it opens with a digest of the rest. Code that is truncated, foreign, or fails its check
points is compiled again, and one line says so. Two processes may build at once: the last to finish
replaces a file by its equal.
"""

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

import numpy as np

from aligntax.analysis.inference.compile_cache import cache_folder, ours_alone
from aligntax.analysis.inference.kernel.assembly import Processor
from aligntax.analysis.inference.kernel.compile import compile_density
from aligntax.analysis.inference.kernel.front import LogDensity, flatten
from aligntax.analysis.inference.kernel.kernel import Array, Kernel, Program, WrongProgram

MAGIC = b"aligntax kernel 1\n"
SUFFIX = ".kernel"
ABOUT, NUMBER = "about.json", "<f8"
MOST = 200  # files that are kept, 0.1 to 0.8 MB each
LAYOUT = ("parameters", "data", "variables")  # names and shapes of a program


def fingerprint(density: LogDensity, cpu: Processor) -> str:
    """SHA-256 of everything that machine code depends on."""
    e = density.expressions
    stated = {
        "expressions": [e.operations, e.arguments],
        "outputs": [density.value, density.natural],
        "layout": [density.parameters, density.variables, density.data],
        "granted": sorted(density.granted.items()),
        "constants": density.constants,
        "sources": sources(Path(__file__).parent),
        "llvmlite": version("llvmlite"),
        "processor": asdict(cpu),
    }
    return hashlib.sha256(json.dumps(stated, sort_keys=True, default=float).encode()).hexdigest()


def sources(*folders: Path) -> str:
    """SHA-256 of the code in folders."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def write_whole(path: Path, body: bytes) -> None:
    """Write a file of this package's own whole or not at all, after a digest."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, half = tempfile.mkstemp(dir=path.parent, suffix=".unfinished")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(MAGIC + hashlib.sha256(body).digest() + body)
        Path(half).replace(path)
    except BaseException:
        Path(half).unlink(missing_ok=True)
        raise


def read_whole(path: Path) -> bytes:
    """Read what :func:`write_whole` wrote.

    Raises
    ------
    OSError
        If there is no such file, or it cannot be read.
    WrongProgram
        If the file is damaged, or if others could have written it: its code is executed.
    """
    if not ours_alone(path):
        raise WrongProgram("others can write it")
    content = path.read_bytes()
    body = content[len(MAGIC) + 32 :]
    if content[: len(MAGIC) + 32] != MAGIC + hashlib.sha256(body).digest():
        raise WrongProgram("it is damaged")
    return body


def packed(program: Program) -> bytes:
    """Return a program as bytes."""
    content, about = io.BytesIO(), {}
    with ZipFile(content, "w") as file:
        for name, value in vars(program).items():
            if isinstance(value, bytes):
                file.writestr(ZipInfo(name), value)
            elif isinstance(value, np.ndarray):
                about[name] = value.shape
                file.writestr(ZipInfo(name), value.astype(NUMBER).tobytes())
            else:
                about[name] = value
        file.writestr(ZipInfo(ABOUT), json.dumps(about))
    return content.getvalue()


def unpacked(body: bytes) -> Program:
    """Program of :func:`packed`."""
    values: dict[str, Any] = {}
    with ZipFile(io.BytesIO(body)) as file:
        about = json.loads(file.read(ABOUT))
        for each in fields(Program):
            name = each.name
            if name in LAYOUT:
                values[name] = tuple((variable, tuple(shape)) for variable, shape in about[name])
            elif each.type is int:
                values[name] = about[name]
            elif each.type is bytes:
                values[name] = file.read(name)
            else:
                values[name] = np.frombuffer(file.read(name), NUMBER).reshape(about[name])
    return Program(**values)


def write_program(path: Path, program: Program) -> None:
    """Write a program whole or not at all."""
    write_whole(path, packed(program))


def read_program(path: Path) -> Program:
    """Read a program; raises as :func:`read_whole`."""
    return unpacked(read_whole(path))


def kernel_for(
    graph: Any,
    say: Callable[[str], None],
    folder: Path | None = None,
    cpu: Processor | None = None,
) -> Kernel:
    """Kernel of a graph's log density under the data that it holds; see :func:`kernel_of`."""
    return kernel_of(flatten(graph), say, folder, cpu=cpu)


def kernel_of(
    density: LogDensity,
    say: Callable[[str], None],
    folder: Path | None = None,
    points: Array | None = None,
    cpu: Processor | None = None,
) -> Kernel:
    """Kernel of a log density or of other functions: read where it is kept, or compiled and kept.

    Parameters
    ----------
    say : callable
        Takes one line about code that is kept and will not do, or that cannot be kept.
    folder : Path, optional
        By default ``kernels`` in :func:`aligntax.analysis.inference.compile_cache.cache_folder`.
    points : ndarray, optional
        Where new code is checked; see :func:`compile_density`.
    cpu : Processor, optional
        By default this machine's, with as many chains in a vector as fit.

    Raises
    ------
    NotExpressible
        If the graph has an operation that is not known.
    WrongProgram
        If new code disagrees with PyTensor.
    """
    folder, cpu = folder or cache_folder() / "kernels", cpu or Processor.here()
    path = folder / f"{fingerprint(density, cpu)}{SUFFIX}"
    if path.exists():
        try:
            return Kernel(read_program(path))
        except (OSError, WrongProgram) as problem:
            say(f"compiling again: {path} will not do ({problem})")
    kernel = compile_density(density, cpu, points=points)
    try:
        write_program(path, kernel.program)
        forget(folder, SUFFIX)
    except OSError as problem:
        say(f"{folder} cannot be written, so that every command compiles anew ({problem.strerror})")
    return kernel


def forget(folder: Path, suffix: str) -> None:
    """Remove the files that were written longest ago, beyond the number that is kept."""
    kept = sorted(folder.glob(f"*{suffix}"), key=lambda path: -path.stat().st_mtime)
    for path in kept[MOST:]:
        path.unlink(missing_ok=True)
