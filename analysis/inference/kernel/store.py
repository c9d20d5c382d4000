"""Machine code kept on disk, so that a new process compiles nothing.

A file is named after everything that its code depends on: model and evidence, what of a view is
compiled in, shapes of the data, sources of the models and of this room, packages and processor. It
is written whole or not at all, and it opens with a digest of the rest. Code that is truncated,
foreign, stale, or fails its check points is compiled again, and one line says so. Two processes may
build at once: the last to finish replaces a file by its equal.
"""

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from aligntax.analysis.inference.compile_cache import kernel_folder
from aligntax.analysis.inference.kernel.assembly import Processor
from aligntax.analysis.inference.kernel.kernel import Kernel, Program, WrongProgram
from aligntax.models.catalogue import Model, view_data
from aligntax.models.evidence import Evidence
from aligntax.models.views import View
from aligntax.models.views.changes import compiled_in

MAGIC = b"aligntax kernel 1\n"
PACKAGES = ("llvmlite", "numba", "numpy", "pymc", "pytensor")
SUFFIX = ".kernel"


def numbers(model: Model, evidence: Evidence, view: View) -> dict[str, Any]:
    """Value of every ``pm.Data`` that the graph of a model may have, without building it."""
    tables = view.tables(model.quantities)
    rows = {
        name: np.stack([np.asarray(column.values, dtype=float) for column in each.values()])
        for name, each in model.data(evidence, view).items()
    }
    priors = {
        "prior_tables": np.stack([tables.y, tables.slope]),
        "copula_cholesky": tables.cholesky,
    }
    return priors | view_data(view) | rows


def fingerprint(
    model: Model, evidence: Evidence, view: View, cpu: Processor, data: Mapping[str, Any]
) -> str:
    """SHA-256 of everything that machine code depends on, but for data that it takes for granted.

    Parameters
    ----------
    evidence : Evidence
        Restricted to what the view uses.
    data : mapping
        What :func:`numbers` returns.
    """
    stated = {
        "model": [model.name, model.version],
        "evidence": evidence.hash,
        "compiled in": {name: repr(value) for name, value in compiled_in(view).items()},
        "shapes": {name: np.shape(value) for name, value in data.items()},
        "sources": _sources(),
        "packages": {name: version(name) for name in PACKAGES},
        "processor": asdict(cpu),
    }
    return hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()


def _sources() -> str:
    """SHA-256 of the code of the models and of this room."""
    room = Path(__file__).parent
    models = room.parents[2] / "models"
    digest = hashlib.sha256()
    for path in sorted([*room.glob("*.py"), *models.rglob("*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def write_program(path: Path, program: Program) -> None:
    """Write a program whole or not at all."""
    arrays: dict[str, Any] = {
        name: np.frombuffer(value, np.uint8) if isinstance(value, bytes) else np.asarray(value)
        for name, value in vars(program).items()
        if name not in ("parameters", "data")
    }
    layout = json.dumps([program.parameters, program.data])
    content = io.BytesIO()
    np.savez(content, layout=np.array(layout), **arrays)
    body = content.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, half = tempfile.mkstemp(dir=path.parent, suffix=".unfinished")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(MAGIC + hashlib.sha256(body).digest() + body)
        Path(half).replace(path)
    except BaseException:
        Path(half).unlink(missing_ok=True)
        raise


def read_program(path: Path) -> Program:
    """Read a program.

    Raises
    ------
    OSError
        If there is no such file, or it cannot be read.
    WrongProgram
        If the file is damaged, or if others could have written it: its code is executed.
    """
    about = path.stat()
    if hasattr(os, "getuid") and (about.st_uid != os.getuid() or about.st_mode & 0o022):
        raise WrongProgram("others can write it")
    content = path.read_bytes()
    body = content[len(MAGIC) + 32 :]
    if content[: len(MAGIC) + 32] != MAGIC + hashlib.sha256(body).digest():
        raise WrongProgram("it is damaged")
    with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
        parameters, data = (
            tuple((name, tuple(shape)) for name, shape in each)
            for each in json.loads(str(arrays["layout"]))
        )
        values = {name: arrays[name] for name in arrays.files if name != "layout"}
    for each in fields(Program):
        if each.type is bytes:
            values[each.name] = values[each.name].tobytes()
        elif each.type is int:
            values[each.name] = int(values[each.name])
    return Program(parameters=parameters, data=data, **values)


def kernel_for(
    model: Model,
    evidence: Evidence,
    view: View,
    compile_it: Callable[[], Kernel],
    say: Callable[[str], None],
    folder: Path | None = None,
) -> Kernel:
    """Kernel of a model: read where it is kept, or compiled and kept.

    Parameters
    ----------
    evidence : Evidence
        Restricted to what the view uses, or with likelihood rows of its own.
    compile_it : callable
        Builds the graph and compiles it; called only if nothing that is kept will do.
    say : callable
        Takes one line about code that is kept and will not do, or that cannot be kept.
    folder : Path, optional
        By default :func:`aligntax.analysis.inference.compile_cache.kernel_folder`.
    """
    folder = folder or kernel_folder()
    data = numbers(model, evidence, view)
    key = fingerprint(model, evidence, view, Processor.here(), data)
    for path in sorted(folder.glob(f"{model.name}-{key[:32]}-*{SUFFIX}")):
        try:
            program = read_program(path)
            if program.fits(data):
                return Kernel(program)
        except (OSError, WrongProgram) as problem:
            say(f"compiling again: {path} will not do ({problem})")
    kernel = compile_it()
    granted = hashlib.sha256(kernel.program.granted.tobytes()).hexdigest()[:16]
    path = folder / f"{model.name}-{key[:32]}-{granted}{SUFFIX}"
    try:
        write_program(path, kernel.program)
    except OSError as problem:
        say(f"{folder} cannot be written, so that every command compiles anew ({problem.strerror})")
    return kernel
