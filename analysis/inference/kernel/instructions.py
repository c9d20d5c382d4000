"""Instructions of LLVM on vectors of doubles, one number a chain."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Block:
    """Straight code on vectors of ``lanes`` doubles; each method appends an instruction.

    Attributes
    ----------
    fused : bool
        Whether the processor has fused multiply-add.
    called : set of str
        Functions of :data:`FUNCTIONS` that the code calls.
    """

    lanes: int
    fused: bool
    lines: list[str] = field(default_factory=list)
    called: set[str] = field(default_factory=set)

    @property
    def real(self) -> str:
        """Type of a vector of doubles."""
        return f"<{self.lanes} x double>"

    @property
    def whole(self) -> str:
        """Type of a vector of integers."""
        return f"<{self.lanes} x i64>"

    @property
    def truth(self) -> str:
        """Type of a vector of truth values."""
        return f"<{self.lanes} x i1>"

    def let(self, instruction: str) -> str:
        """Append an instruction; return the name of its result."""
        name = f"%v{len(self.lines)}"
        self.lines.append(f"  {name} = {instruction}")
        return name

    def address(self, array: str, index: int | str) -> str:
        """Address of a double in an array."""
        return self.let(f"getelementptr double, ptr {array}, i64 {index}")

    def load(self, array: str, index: int | str) -> str:
        """Return doubles of an array from an index on."""
        return self.let(f"load {self.real}, ptr {self.address(array, index)}, align 8")

    def load_for_all(self, array: str, index: int) -> str:
        """Return a double of an array in every lane."""
        one = self.let(f"load double, ptr {self.address(array, index)}, align 8")
        first = self.let(f"insertelement {self.real} poison, double {one}, i32 0")
        order = f"<{self.lanes} x i32> zeroinitializer"
        return self.let(f"shufflevector {self.real} {first}, {self.real} poison, {order}")

    def store(self, value: str, array: str, index: int | str) -> None:
        """Write doubles into an array from an index on."""
        where = self.address(array, index)
        self.lines.append(f"  store {self.real} {value}, ptr {where}, align 8")

    def number(self, value: float) -> str:
        """Return the same number in every lane."""
        (bits,) = struct.unpack("<Q", struct.pack("<d", value))
        return f"splat (double 0x{bits:016X})"

    def add(self, a: str, b: str) -> str:
        """``a + b``."""
        return self.let(f"fadd {self.real} {a}, {b}")

    def sub(self, a: str, b: str) -> str:
        """``a - b``."""
        return self.let(f"fsub {self.real} {a}, {b}")

    def mul(self, a: str, b: str) -> str:
        """``a b``."""
        return self.let(f"fmul {self.real} {a}, {b}")

    def div(self, a: str, b: str) -> str:
        """``a / b``."""
        return self.let(f"fdiv {self.real} {a}, {b}")

    def neg(self, a: str) -> str:
        """``-a``."""
        return self.let(f"fneg {self.real} {a}")

    def mul_add(self, a: str, b: str, c: str) -> str:
        """``a b + c``, with one rounding where the processor can."""
        if not self.fused:
            return self.add(self.mul(a, b), c)
        return self.intrinsic("fma", a, b, c)

    def intrinsic(self, name: str, *arguments: str) -> str:
        """Return what an instruction of LLVM with a name makes, such as ``sqrt``."""
        typed = ", ".join(f"{self.real} {each}" for each in arguments)
        return self.let(f"call {self.real} @llvm.{name}.v{self.lanes}f64({typed})")

    def call(self, name: str, a: str) -> str:
        """Return the value of one of :data:`FUNCTIONS`."""
        self.called.add(name)
        return self.let(f"call {self.real} @{name}({self.real} {a})")

    def compare(self, how: str, a: str, b: str) -> str:
        """Truth values of a comparison by LLVM's name."""
        return self.let(f"fcmp {how} {self.real} {a}, {b}")

    def select(self, condition: str, yes: str, no: str) -> str:
        """Lanes of one vector where true, and of another where not."""
        chosen = f"select {self.truth} {condition}, {self.real} {yes}, {self.real} {no}"
        return self.let(chosen)

    def integers(self, operation: str, a: str, b: int | str) -> str:
        """Return what an operation on integers makes."""
        other = f"splat (i64 {b})" if isinstance(b, int) else b
        return self.let(f"{operation} {self.whole} {a}, {other}")

    def cast(self, how: str, a: str, of: str, to: str) -> str:
        """Return the same in another type."""
        return self.let(f"{how} {of} {a} to {to}")

    def polynomial(self, coefficients: Sequence[float], x: str) -> str:
        """Polynomial with rising powers."""
        value = self.number(coefficients[-1])
        for each in reversed(coefficients[:-1]):
            value = self.mul_add(value, x, self.number(each))
        return value
