"""Modules of machine code: ``kernel`` and ``expand`` on blocks of chains, ``prepare`` for data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from aligntax.analysis.inference.kernel.expressions import Expressions
from aligntax.analysis.inference.kernel.functions import definitions
from aligntax.analysis.inference.kernel.instructions import Block
from aligntax.analysis.inference.kernel.lanes import Code, Task, write


@dataclass(frozen=True)
class Processor:
    """What machine code is made for.

    Attributes
    ----------
    name, features : str
        As LLVM calls them.
    lanes : int
        Chains in a vector, as many as fit one of its registers.
    fused : bool
        Whether it has fused multiply-add.
    """

    name: str
    features: str
    lanes: int
    fused: bool

    @classmethod
    def here(cls) -> "Processor":
        """Return the processor of this machine."""
        import llvmlite.binding as llvm

        has = llvm.get_host_cpu_features()
        fused = bool(has.get("fma")) or "aarch64" in llvm.get_process_triple()
        # LLVM takes 40 seconds for vectors of two on ARM, so that there one chain has a register
        lanes = 8 if has.get("avx512f") else 4 if has.get("avx2") else 1
        return cls(llvm.get_host_cpu_name(), has.flatten(), lanes, fused)

    def for_one_chain(self) -> "Processor":
        """The same for code of one chain at a time, as nutpie asks."""
        return replace(self, lanes=1)


INTRINSICS = {name: 1 for name in ("sqrt", "fabs", "floor")} | {
    "copysign": 2, "maximum": 2, "minimum": 2, "fma": 3,
}  # fmt: skip


def _declared(lanes: int) -> str:
    """Declarations of LLVM's own functions."""
    v, suffix = f"<{lanes} x double>", f"v{lanes}f64"
    lines = [
        f"declare {v} @llvm.{name}.{suffix}({', '.join([v] * count)})"
        for name, count in INTRINSICS.items()
    ]
    gather = f"<{lanes} x ptr>, i32, <{lanes} x i1>, {v}"
    lines.append(f"declare {v} @llvm.masked.gather.{suffix}.v{lanes}p0({gather})")
    return "\n".join(lines) + "\n"


def _functions(code: Code, name: str, arguments: str, names: str) -> tuple[str, str]:
    """Definition of every part, and the calls of all of them."""
    head = f"({arguments}) noinline nounwind"
    texts = [
        f"define internal void @{name}{k}{head} {{\n{part}\n  ret void\n}}\n"
        for k, part in enumerate(code.parts)
    ]
    calls = [f"  call void @{name}{k}({names})" for k in range(len(texts))]
    return "".join(texts), "\n".join(calls)


@dataclass(frozen=True)
class Source:
    """A log density and its gradient in LLVM's language.

    Attributes
    ----------
    kernel, expand, prepare : str
        Modules with a function of that name. The first has ``fly`` besides. Where a vector is one
        chain, the first two have ``density_of_a_chain`` and ``values_of_a_chain``, as nutpie calls
        them.
    fixed : int
        Numbers that ``prepare`` makes of data.
    scratch : int
        Doubles that either needs to work with.
    """

    kernel: str
    expand: str
    prepare: str
    fixed: int
    scratch: int


def translate(
    e: Expressions, value: int, slopes: Sequence[int], natural: Sequence[int], cpu: Processor
) -> Source:
    """Code of a log density and its gradient, and of the free variables.

    Parameters
    ----------
    value : int
        The log density.
    slopes : sequence of int
        Its derivative by each parameter.
    natural : sequence of int
        Free variables on their own scales.
    """
    needed: dict[int, int] = {}

    def is_given(place: int) -> bool:
        return e.fixed[place] or e.is_a(place, "parameter")

    def load(block: Block, place: int) -> str:
        if e.fixed[place]:
            return block.load_for_all("%u", needed.setdefault(place, len(needed)))
        row = block.let(f"mul i64 %n, {e.arguments[place][0]}")
        return block.load("%x", row)

    def store_row(i: int) -> Callable[[Block, str], None]:
        def store(block: Block, value: str) -> None:
            block.store(value, "%g", block.let(f"mul i64 %n, {i}"))

        return store

    def on_chains(name: str, rows: Sequence[int], total: int | None = None) -> tuple[str, int]:
        outputs = [(place, store_row(i)) for i, place in enumerate(rows)]
        if total is not None:
            # last: a slope and what it is made of then come together, and wait less in memory
            outputs.append((total, lambda block, made: block.store(made, "%l", 0)))
        lanes = write(e, Task(outputs, is_given, load), cpu.lanes, cpu.fused)
        parts, calls = _functions(
            lanes, "part", "ptr %x, ptr %g, ptr %l, ptr %u, ptr %d, ptr %s, i64 %n",
            "ptr %xb, ptr %gb, ptr %lb, ptr %u, ptr %d, ptr %s, i64 %n",
        )  # fmt: skip
        head = _declared(cpu.lanes) + definitions(lanes.called, cpu.lanes, cpu.fused)
        body = LOOP.format(name=name, parts=parts, calls=calls, lanes=cpu.lanes)
        if total is not None:
            body += FLIGHT.format(lanes=cpu.lanes)
        if cpu.lanes == 1:
            body += OF_A_CHAIN[name].format(scratch=max(lanes.scratch, 1))
        return head + body, lanes.scratch * cpu.lanes

    kernel, kernel_scratch = on_chains("kernel", slopes, value)
    expand, expand_scratch = on_chains("expand", natural)
    before = write(e, _fixed_task(e, needed), 1, cpu.fused)
    parts, calls = _functions(before, "step", "ptr %d, ptr %u, ptr %s", "ptr %d, ptr %u, ptr %s")
    prepare = ONCE.format(parts=parts, calls=calls)
    return Source(
        kernel,
        expand,
        _declared(1) + definitions(before.called, 1, cpu.fused) + prepare,
        len(needed),
        max(kernel_scratch, expand_scratch, before.scratch, 1),
    )


def _fixed_task(e: Expressions, needed: Mapping[int, int]) -> Task:
    """Compute what is fixed from data."""

    def store_at(k: int) -> Callable[[Block, str], None]:
        return lambda block, value: block.store(value, "%u", k)

    return Task(
        [(place, store_at(k)) for place, k in needed.items()],
        lambda place: e.is_a(place, "datum"),
        lambda block, place: block.load("%d", e.arguments[place][0]),
    )


LOOP = """{parts}
define void @{name}(ptr %x, ptr %g, ptr %l, ptr %u, ptr %d, ptr %s, i64 %blocks, i64 %n) nounwind {{
entry:
  %any = icmp sgt i64 %blocks, 0
  br i1 %any, label %loop, label %end
loop:
  %b = phi i64 [0, %entry], [%next, %loop]
  %o = mul i64 %b, {lanes}
  %xb = getelementptr double, ptr %x, i64 %o
  %gb = getelementptr double, ptr %g, i64 %o
  %lb = getelementptr double, ptr %l, i64 %o
{calls}
  %next = add i64 %b, 1
  %more = icmp slt i64 %next, %blocks
  br i1 %more, label %loop, label %end
end:
  ret void
}}
"""
# leapfrog steps, which move x by the momentum, and the momentum by the gradient and by x
FLIGHT = """
define internal void @advance(ptr %to, ptr %by, ptr %reach, i64 %count) noinline nounwind {{
entry:
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
  %where = getelementptr double, ptr %to, i64 %i
  %at_by = getelementptr double, ptr %by, i64 %i
  %at_reach = getelementptr double, ptr %reach, i64 %i
  %old = load <{lanes} x double>, ptr %where, align 8
  %one = load <{lanes} x double>, ptr %at_by, align 8
  %other = load <{lanes} x double>, ptr %at_reach, align 8
  %product = fmul <{lanes} x double> %one, %other
  %new = fadd <{lanes} x double> %old, %product
  store <{lanes} x double> %new, ptr %where, align 8
  %next = add i64 %i, {lanes}
  %more = icmp slt i64 %next, %count
  br i1 %more, label %loop, label %end
end:
  ret void
}}
define void @fly(ptr %x, ptr %g, ptr %l, ptr %u, ptr %d, ptr %s, i64 %blocks, i64 %n,
                 ptr %p, ptr %reach, ptr %push, ptr %pull, i64 %count, i64 %steps, i64 %groups)
                 nounwind {{
entry:
  br label %group
group:
  %k = phi i64 [0, %entry], [%following, %done]
  %offset = mul i64 %k, %count
  %row = mul i64 %k, %n
  %xk = getelementptr double, ptr %x, i64 %offset
  %gk = getelementptr double, ptr %g, i64 %offset
  %pk = getelementptr double, ptr %p, i64 %offset
  %reachk = getelementptr double, ptr %reach, i64 %offset
  %pushk = getelementptr double, ptr %push, i64 %offset
  %pullk = getelementptr double, ptr %pull, i64 %offset
  %lk = getelementptr double, ptr %l, i64 %row
  br label %loop
loop:
  %i = phi i64 [0, %group], [%next, %loop]
  call void @advance(ptr %xk, ptr %pk, ptr %reachk, i64 %count)
  call void @kernel(ptr %xk, ptr %gk, ptr %lk, ptr %u, ptr %d, ptr %s, i64 %blocks, i64 %n)
  call void @advance(ptr %pk, ptr %gk, ptr %pushk, i64 %count)
  call void @advance(ptr %pk, ptr %xk, ptr %pullk, i64 %count)
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %steps
  br i1 %more, label %loop, label %done
done:
  %following = add i64 %k, 1
  %others = icmp slt i64 %following, %groups
  br i1 %others, label %group, label %end
end:
  ret void
}}
"""
# nutpie's own signatures; what is not finite is a draw that it refuses
OF_A_CHAIN = {
    "kernel": """
define i64 @density_of_a_chain(i64 %size, ptr %x, ptr %g, ptr %l, ptr %user) nounwind {{
entry:
  %s = alloca double, i64 {scratch}, align 64
  %u = load ptr, ptr %user
  %second = getelementptr ptr, ptr %user, i64 1
  %d = load ptr, ptr %second
  call void @kernel(ptr %x, ptr %g, ptr %l, ptr %u, ptr %d, ptr %s, i64 1, i64 1)
  %value = load double, ptr %l
  %first = fmul double %value, 0.0
  br label %loop
loop:
  %i = phi i64 [0, %entry], [%next, %loop]
  %sum = phi double [%first, %entry], [%total, %loop]
  %where = getelementptr double, ptr %g, i64 %i
  %slope = load double, ptr %where
  %zero = fmul double %slope, 0.0
  %total = fadd double %sum, %zero
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %size
  br i1 %more, label %loop, label %end
end:
  %finite = fcmp oeq double %total, 0.0
  %code = select i1 %finite, i64 0, i64 3
  ret i64 %code
}}
""",
    "expand": """
define i64 @values_of_a_chain(i64 %size, i64 %n, ptr %x, ptr %out, ptr %user) nounwind {{
  %s = alloca double, i64 {scratch}, align 64
  %u = load ptr, ptr %user
  %second = getelementptr ptr, ptr %user, i64 1
  %d = load ptr, ptr %second
  call void @expand(ptr %x, ptr %out, ptr %s, ptr %u, ptr %d, ptr %s, i64 1, i64 1)
  ret i64 0
}}
""",
}
ONCE = """{parts}
define void @prepare(ptr %d, ptr %u, ptr %s) nounwind {{
{calls}
  ret void
}}
"""


def assemble(source: str, cpu: Processor, effort: int) -> bytes:
    """Object code of a module.

    Parameters
    ----------
    effort : int
        Of LLVM: 0 is soonest done, 1 is faster code.
    """
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    module = llvm.parse_assembly(source)
    module.triple = llvm.get_process_triple()
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(
        cpu=cpu.name, features=cpu.features, opt=effort, codemodel="jitdefault", jit=True
    )
    return bytes(machine.emit_object(module))
