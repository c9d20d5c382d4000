"""From expressions to straight vector code, in which each chain has a lane.

Code is cut into parts of :data:`PART` expressions, because LLVM's time grows faster than the length
of a function; what later parts need stands in memory until the last of them has read it. A sum with
a product is fused where it says so and nowhere else, so that numbers do not depend on how hard LLVM
tries.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from aligntax.analysis.inference.kernel.expressions import COMPARISONS, Expressions
from aligntax.analysis.inference.kernel.functions import FUNCTIONS, INFINITE
from aligntax.analysis.inference.kernel.instructions import Block

PART = 800
ORDERED = {"lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge", "eq": "oeq", "ne": "une"}
INTRINSIC = {"sqrt": "sqrt", "abs": "fabs", "floor": "floor"}


@dataclass(frozen=True)
class Task:
    """Expressions to compute, and where their numbers come from and go to.

    Attributes
    ----------
    outputs : sequence of (int, callable)
        Each expression, and what appends code that stores its value.
    is_given : callable
        Whether an expression is an input, beside constants.
    load : callable
        Appends code that reads an input.
    """

    outputs: Sequence[tuple[int, Callable[[Block, str], None]]]
    is_given: Callable[[int], bool]
    load: Callable[[Block, int], str]


@dataclass
class _Part:
    """Code of some expressions in a row; those of earlier parts come from memory.

    Attributes
    ----------
    inline : set of int
        Products that one sum uses, and that are computed there.
    slots : dict of int to int
        Where expressions that other parts need stand in memory.
    """

    e: Expressions
    block: Block
    task: Task
    inline: set[int]
    slots: dict[int, int]
    reals: dict[int, str] = field(default_factory=dict)
    truths: dict[int, str] = field(default_factory=dict)

    def real(self, place: int) -> str:
        """Return the value of an expression as numbers."""
        number = self.e.value(place)
        if number is not None:
            return self.block.number(number)
        if place not in self.reals:
            self.reals[place] = self._found(place)
        return self.reals[place]

    def _found(self, place: int) -> str:
        """Return a value that this part has as truth values, or has not computed itself."""
        block = self.block
        if place in self.truths:
            return block.select(self.truths[place], block.number(1.0), block.number(0.0))
        if self.task.is_given(place):
            return self.task.load(block, place)
        if place in self.inline:
            return block.mul(*map(self.real, self.e.arguments[place]))
        return block.load("%s", self.slots[place] * block.lanes)

    def truth(self, place: int) -> str:
        """Return the value of an expression as truth values."""
        if place not in self.truths:
            self.truths[place] = self.block.compare("une", self.real(place), self.block.number(0.0))
        return self.truths[place]

    def compute(self, place: int) -> None:
        """Append the code of an expression."""
        operation, arguments = self.e.operations[place], self.e.arguments[place]
        if operation in COMPARISONS:
            self.truths[place] = self._compared(operation, arguments)
        else:
            self.reals[place] = self._made(operation, arguments)
        if place in self.slots:
            self.block.store(self.real(place), "%s", self.slots[place] * self.block.lanes)

    def _made(self, operation: str, arguments: Sequence[int]) -> str:
        block = self.block
        if operation in ("add", "sub"):
            return self._sum(operation, *arguments)
        if operation in ("max", "min"):
            return self._extreme(operation, *arguments)
        if operation == "switch":
            return block.select(self.truth(arguments[0]), *map(self.real, arguments[1:]))
        if operation == "gather":
            return self._gathered(*arguments)
        values = [*map(self.real, arguments)]
        if operation in FUNCTIONS:
            return block.call(operation, *values)
        if operation in INTRINSIC:
            return block.intrinsic(INTRINSIC[operation], *values)
        if operation == "reciprocal":
            return block.div(block.number(1.0), *values)
        if operation == "sign":
            (x,) = values
            one = block.intrinsic("copysign", block.number(1.0), x)
            return block.select(block.compare("oeq", x, block.number(0.0)), x, one)
        if operation == "mul":
            return block.mul(*values)
        return block.neg(*values) if operation == "neg" else values[0]  # that is still

    def _sum(self, operation: str, a: int, b: int) -> str:
        """Sum or difference, fused with a product that nobody else uses."""
        block = self.block
        for one, other in ((b, a), (a, b)):
            if one not in self.inline or one == other:
                continue
            x, y = map(self.real, self.e.arguments[one])
            rest = self.real(other)
            if operation == "sub":
                x, rest = (block.neg(x), rest) if one == b else (x, block.neg(rest))
            return block.mul_add(x, y, rest)
        return (block.add if operation == "add" else block.sub)(self.real(a), self.real(b))

    def _compared(self, operation: str, arguments: Sequence[int]) -> str:
        block = self.block
        if operation in ("and", "or"):
            a, b = map(self.truth, arguments)
            return block.let(f"{operation} {block.truth} {a}, {b}")
        if operation == "not":
            return block.let(f"xor {block.truth} {self.truth(arguments[0])}, splat (i1 true)")
        values = [*map(self.real, arguments)]
        if operation == "isinf":
            return block.compare("oeq", block.intrinsic("fabs", *values), block.number(INFINITE))
        if operation == "isnan":
            return block.compare("uno", *values, *values)
        return block.compare(ORDERED[operation], *values)

    def _extreme(self, operation: str, a: int, b: int) -> str:
        """Return the larger or smaller; not a number if either is not one."""
        block = self.block
        for one, other in ((a, b), (b, a)):
            if self.e.value(one) is not None:
                limit, x = self.real(one), self.real(other)
                how = "ogt" if operation == "max" else "olt"
                return block.select(block.compare(how, limit, x), limit, x)
        return block.intrinsic(f"{operation}imum", self.real(a), self.real(b))

    def _gathered(self, offset: int, stride: int, index: int) -> str:
        """Numbers at each chain's own index, which is clipped; not a number counts as zero."""
        block, lanes, value = self.block, self.block.lanes, self.real(index)
        ordered = block.select(block.compare("ord", value, value), value, block.number(0.0))
        short = block.cast("fptosi", ordered, block.real, f"<{lanes} x i32>")
        whole = block.cast("sext", short, f"<{lanes} x i32>", block.whole)
        if stride != 1:
            whole = block.integers("mul", whole, stride)
        start = block.address("%d", offset)
        pointers = block.let(f"getelementptr double, ptr {start}, {block.whole} {whole}")
        mask = f"i32 8, {block.truth} splat (i1 true), {block.real} poison"
        name = f"llvm.masked.gather.v{lanes}f64.v{lanes}p0"
        return block.let(f"call {block.real} @{name}(<{lanes} x ptr> {pointers}, {mask})")


@dataclass(frozen=True)
class Code:
    """Code of a task in parts.

    Attributes
    ----------
    parts : tuple of str
        Lines of each.
    scratch : int
        Vectors that it leaves in memory between parts.
    called : set of str
        Elementary functions that it needs.
    """

    parts: tuple[str, ...]
    scratch: int
    called: set[str]


def write(e: Expressions, task: Task, lanes: int, fused: bool) -> Code:
    """Write code of a task."""
    roots = [place for place, _ in task.outputs]
    order = e.in_order(roots, lambda place: e.value(place) is not None or task.is_given(place))
    users = Counter(child for place in order for child in e.children(place))
    sums = {
        p for place in order if e.operations[place] in ("add", "sub") for p in e.children(place)
    }
    inline = {p for p in order if e.is_a(p, "mul") and users[p] == 1 and p in sums} - {*roots}
    order = [place for place in order if place not in inline]
    home = {place: i // PART for i, place in enumerate(order)}
    # an output that is an input itself has no home, and goes with any part
    ends = [home.get(place, i // PART) for i, place in enumerate(roots)]
    count = max([*home.values(), *ends], default=0) + 1
    last: dict[int, int] = {}  # part that reads a value of an earlier one
    for place in order:
        for need in _needs(e, place, inline):
            if home.get(need, home[place]) != home[place]:
                last[need] = home[place]
    slots, scratch = _slots([(place, home[place], last[place]) for place in order if place in last])
    parts, called = [], set[str]()
    for k in range(count):
        part = _Part(e, Block(lanes, fused), task, inline, slots)
        for place in order[k * PART : (k + 1) * PART]:
            part.compute(place)
        for (place, store), end in zip(task.outputs, ends, strict=True):
            if end == k:
                store(part.block, part.real(place))
        parts.append("\n".join(part.block.lines))
        called |= part.block.called
    return Code(tuple(parts), scratch, called)


def _slots(stays: Sequence[tuple[int, int, int]]) -> tuple[dict[int, int], int]:
    """Slot of each value, and how many there are; a slot is free again after the last reader.

    Parameters
    ----------
    stays : sequence of (int, int, int)
        Each value's place, the part that stores it and the last part that reads it, in the order of
        those that store.
    """
    slots: dict[int, int] = {}
    free: list[int] = []
    taken: list[tuple[int, int]] = []  # until which part, and the slot: the earliest first
    for place, stored, read in stays:
        while taken and taken[0][0] < stored:
            free.append(heappop(taken)[1])
        slots[place] = free.pop() if free else len(taken)
        heappush(taken, (read, slots[place]))
    return slots, len(free) + len(taken)


def _needs(e: Expressions, place: int, inline: set[int]) -> Iterator[int]:
    """Return expressions whose values the code of one reads."""
    for child in e.children(place):
        if child in inline:
            yield from _needs(e, child, inline)
        else:
            yield child
