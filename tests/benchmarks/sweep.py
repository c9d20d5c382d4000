"""Many views on two workers, beside ``pm.sample`` called for each of them in a live process."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

from tests.benchmarks.measure import Failed, Live, New, Once, Talk, Times, aligntax, measure
from tests.benchmarks.nuts import NUTPIE, nutpie
from tests.benchmarks.rows import Row

__all__ = ["rows", "scaled", "slope"]

FEW, MORE, MANY = 10, 40, 1000
WORKERS = 2
A_CHECK_FAILED = 1  # exit code: a case is answered, and marked
NOTE = f"by the slope between {FEW} and {MORE} views, whose processes end in a report; memory is that of the largest process"


def rows(repeats: int, talk: Talk) -> list[Row]:
    """`aligntax sweep` of 10 and 40 views in a new process with two workers, beside live calls of build and `pm.sample` (nutpie)."""
    with tempfile.TemporaryDirectory() as folder:
        ways = [Swept(FEW, Path(folder)), Swept(MORE, Path(folder), most=2)]
        few, more, plain = measure([*ways, Live(NUTPIE, partial(nutpie, "joint"))], repeats, talk)
    thousand = plain.each(f"{MANY:,} calls of {NUTPIE}, scaled", lambda seconds, _: MANY * seconds)
    return [
        Row(
            "sweep",
            f"{MANY:,} views, scaled",
            scaled(few, more),
            thousand,
            budget="sweep",
            note=NOTE,
        ),
        Row("sweep", "a further view", slope(few, more), plain, note=NOTE),
        Row(
            "sweep",
            few.name,
            few,
            plain.each(f"{FEW} calls, scaled", lambda seconds, _: FEW * seconds),
        ),
        Row(
            "sweep",
            more.name,
            more,
            plain.each(f"{MORE} calls, scaled", lambda seconds, _: MORE * seconds),
        ),
    ]


class Swept(New):
    """So many views, every one of which must be answered; that a check of a case failed is told by the exit code alone."""

    def __init__(self, size: int, folder: Path, most: int | None = None) -> None:
        self.views, self.out, self.counted = folder / f"views{size}", folder / f"out{size}", count()
        self.views.mkdir()
        for i in range(size):
            middle = 0.5 * 20 ** (i / size)
            prior = f"quantiles = {{0.1 = {middle / 20:.6g}, 0.5 = {middle:.6g}, 0.9 = {middle * 25:.6g}}}"
            (self.views / f"v{i:02d}.toml").write_text(
                f"[quantities.rlhf_multiplier]\n{prior}\n", "utf-8"
            )
        super().__init__(
            f"aligntax sweep, {size} views", self._words, most, good=(0, A_CHECK_FAILED)
        )

    def _words(self) -> Sequence[str]:
        self.last = f"s{next(self.counted)}"
        where = ("--workers", str(WORKERS), "--out", str(self.out), "--name", self.last)
        return aligntax("sweep", str(self.views), *where)()

    def once(self) -> Once:
        found = super().once()
        path = self.out / self.last / "sweep.json"
        if not path.is_file():
            raise Failed("the sweep left no result")
        told = json.loads(path.read_text("utf-8"))
        if told["failures"]:
            raise Failed(
                f"{len(told['failures'])} views without an answer, the first: {told['failures'][0]['error']}"
            )
        return replace(found, extras={"failed_checks": told["failed_checks"]})


def _line(few: Times, more: Times) -> Iterator[tuple[float, float]]:
    """Seconds of a start and of each view, round by round."""
    for short, long in zip(few.values, more.values, strict=False):
        view = (long - short) / (MORE - FEW)
        yield short - FEW * view, view


def _of(name: str, few: Times, more: Times, values: Iterable[float]) -> Times:
    failed = "; ".join(f"{each.name}: {each.failed}" for each in (few, more) if each.failed)
    return Times(name, tuple(values), more.peaks, failed=failed)


def slope(few: Times, more: Times) -> Times:
    """What a further view costs, round by round."""
    return _of("a further view", few, more, (view for _, view in _line(few, more)))


def scaled(few: Times, more: Times) -> Times:
    """What a thousand would, round by round."""
    return _of(
        f"aligntax sweep, {MANY:,} views",
        few,
        more,
        (start + MANY * view for start, view in _line(few, more)),
    )
