"""Keep the graph of a model as machine code, and read it back.

A file is named after what decides the graph: the model, the evidence, what a view compiles in, the
code of this package, the packages below it, and the processor. It is derived from the live graph
and must give the live graph's numbers, random ones included, before it is used.
"""

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile, ZipInfo

import numpy as np

import aligntax.models
from aligntax.analysis.inference import graphs, kernel
from aligntax.analysis.inference.compile_cache import before_pytensor, cache_folder
from aligntax.analysis.inference.graphs.graph import Graph, Outline
from aligntax.analysis.inference.graphs.kept import Code, KeptGraph
from aligntax.analysis.inference.kernel.assembly import Processor
from aligntax.analysis.inference.kernel.kernel import Kernel, WrongProgram
from aligntax.analysis.inference.kernel.store import (
    forget,
    packed,
    read_whole,
    sources,
    unpacked,
    write_whole,
)
from aligntax.analysis.inference.kernel.walk import NotExpressible
from aligntax.models.catalogue import MODELS, Model
from aligntax.models.evidence import TABLES, Evidence
from aligntax.models.views import View
from aligntax.models.views.changes import compiled_in

if TYPE_CHECKING:
    from aligntax.analysis.inference.graphs.live import LiveGraph

SUFFIX = ".graph"
ABOUT = "about.json"
PROGRAMS = ("density", "start", "terms")
PACKAGES = ("pymc", "pytensor", "numpy", "scipy", "llvmlite")


def graph_of(model: Model, evidence: Evidence, view: View, say: Callable[[str], None]) -> Graph:
    """Graph of a model: kept code where there is any, which is made where it can be.

    Parameters
    ----------
    say : callable
        Takes one line about code that is kept and will not do, or that cannot be kept.
    """

    def live_graph() -> "LiveGraph":
        before_pytensor()
        from aligntax.analysis.inference.graphs.live import LiveGraph

        return LiveGraph(model.build(evidence, view))

    path = kept_path(model, evidence, view)
    if path is not None and path.exists():
        try:
            return read_graph(path, live_graph)
        except (OSError, WrongProgram) as problem:
            say(f"compiling again: {path} will not do ({problem})")
    live = live_graph()
    if path is None:
        return live
    from aligntax.analysis.inference.graphs.programs import kept_graph

    try:
        graph = kept_graph(live, say, processor_for(model))
    except (NotExpressible, WrongProgram) as problem:
        say(f"the graph is built in every process, for lack of machine code ({problem})")
        return live
    try:
        write_graph(path, graph)
        forget(path.parent, SUFFIX)
    except OSError as problem:
        why = problem.strerror
        say(f"{path.parent} cannot be written, so that every command compiles anew ({why})")
    return graph


def processor_for(model: Model) -> Processor:
    """Processor of a model's density: with as many chains in a vector as its sampler moves."""
    here = Processor.here()
    return here if model.sampler == "hmc" else here.for_one_chain()


def kept_path(model: Model, evidence: Evidence, view: View) -> Path | None:
    """File of a graph; None where something from outside this package may decide the graph.

    A model or table from outside is code that has no digest, and rows that take the place of a
    table's are not in the hash of the evidence.
    """
    own = model is MODELS.own.get(model.name) and {*evidence.tables} <= {*TABLES.own}
    if not own or evidence.ready:
        return None
    code = (aligntax.models, graphs, kernel)
    stated = {
        "model": [model.name, model.version],
        "evidence": evidence.hash,
        "view": repr(compiled_in(view)),
        "sources": sources(*(Path(str(each.__file__)).parent for each in code)),
        "packages": {name: version(name) for name in PACKAGES},
        "processor": asdict(Processor.here()),
    }
    name = hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()
    return cache_folder() / "graphs" / f"{name}{SUFFIX}"


def write_graph(path: Path, graph: KeptGraph) -> None:
    """Write a graph whole or not at all."""
    code, outline = graph.code, graph.outline
    data = {name: np.asarray(value) for name, value in outline.data.items()}
    about = {
        "outline": {**vars(outline), "data": {n: [v.shape, v.dtype.str] for n, v in data.items()}},
        "code": {name: value for name, value in vars(code).items() if name not in PROGRAMS},
    }
    content = io.BytesIO()
    with ZipFile(content, "w") as file:
        file.writestr(ZipInfo(ABOUT), json.dumps(about))
        for name in PROGRAMS:
            file.writestr(ZipInfo(name), packed(getattr(code, name).program))
        for name, value in data.items():
            file.writestr(ZipInfo(f"data/{name}"), value.tobytes())
    write_whole(path, content.getvalue())


def read_graph(path: Path, live_graph: "Callable[[], LiveGraph]") -> KeptGraph:
    """Read a graph; raises as :func:`aligntax.analysis.inference.kernel.store.read_whole`."""
    with ZipFile(io.BytesIO(read_whole(path))) as file:
        about = json.loads(file.read(ABOUT))
        programs = {name: Kernel(unpacked(file.read(name))) for name in PROGRAMS}
        known = about["outline"]
        data = {
            name: np.frombuffer(file.read(f"data/{name}"), kind).reshape(shape)
            for name, (shape, kind) in known["data"].items()
        }
    outline = Outline(
        free=tuple((name, tuple(shape)) for name, shape in known["free"]),
        terms=tuple(known["terms"]),
        dims={name: tuple(dims) for name, dims in known["dims"].items()},
        coords={dim: c if c is None else tuple(c) for dim, c in known["coords"].items()},
        data=data,
        touched=tuple(known["touched"]),
    )
    own = about["code"]
    code = Code(
        **programs,
        jitter=tuple(own["jitter"]),
        drawn=tuple(own["drawn"]),
        distributions=own["distributions"],
        descended=tuple(own["descended"]),
    )
    return KeptGraph(outline, code, live_graph)
