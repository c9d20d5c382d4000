"""A finished run as its user holds it: what it says in one screen, and what it can be asked."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from aligntax.analysis.inference.compile_cache import before_pytensor
from aligntax.analysis.storage.load import load as load_stored
from aligntax.analysis.storage.result import WEIGHT, stored_view
from aligntax.analysis.storage.result import Result as StoredResult
from aligntax.analysis.storage.run_folder import VIEW, hash_of_draws, read_text
from aligntax.analysis.summaries.alignment_wait import DELAY, LABEL, AlignmentWait
from aligntax.analysis.summaries.claims import stated
from aligntax.analysis.summaries.claims_in_words import chance_in_words, claim_text
from aligntax.analysis.summaries.summary import iter_series
from aligntax.analysis.summaries.words import how_many, label_of, median_and_interval
from aligntax.models.catalogue import find_model
from aligntax.models.errors import InputError
from aligntax.models.priors.quantities import base_name, quantity_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from aligntax.analysis.answers.budget import Budget
    from aligntax.analysis.answers.dated_budget import DatedBudget
    from aligntax.models.views import View


MOST_CLAIMS, MOST_NUMBERS = 10, 8  # lines of a repr
# numbers that come first, of the models that have them; the other headlines follow
LEADING = (
    "alignment_hours_needed",
    "alignment_hours_affordable",
    "alignment_tax",
    "tai_year",
    "timeline_shift_exponent",
    "timeline_shift_alignment",
    "data_exponent",
)
WIDTH = 100  # characters of a line
QUANTILES = ("q05", "q25", "q50", "q75", "q95")
ON_SCALE = {"mean": "mean_on_scale", "sd": "sd_on_scale", "mcse_median": "mcse_median_on_scale"}
RESAMPLED = "resampled"  # attribute of draws that were drawn again from weighted ones
INCHES = 3.6  # height of the picture in a notebook, whose file stays small
DPI = 72


@dataclass(frozen=True, eq=False, repr=False)
class Result(StoredResult):
    """A finished run in memory, as :func:`aligntax.run`, ``refit`` and ``load`` return it.

    Everything that it is asked comes from memory: its folder may have moved or gone. Two results
    are equal if the same model drew the same draws under the same view and evidence, wherever
    their folders are. ArviZ takes ``result.tree``, as ``az.summary(result.tree)``, and where draws
    do not count the same ``result.equally_weighted().tree``.

    Attributes
    ----------
    path : Path
        The run's folder.
    info, record : mapping
        ``info.json`` and ``summary.json``.
    tree : xarray.DataTree
        Everything drawn and derived.
    view_file : str
        Text of ``view.toml``.
    """

    view_file: str = ""

    @classmethod
    def of(cls, stored: StoredResult, path: Path | None = None) -> "Result":
        """Stored result with all that is asked of it later; ``path`` is its folder by now."""
        folder = stored.path if path is None else path
        text = read_text(folder / VIEW)
        return cls(folder, stored.info, stored.record, stored.tree, text)

    # ------------------------------------------------------------------------------ what it says

    def __repr__(self) -> str:
        """The run, its verdict, claims and leading numbers."""
        lines = [self._title(), f"verdict: {self.verdict}"]
        if claims := self._claim_lines():
            lines += ["probability of each claim"]
            lines += [f"  {chance:>12}  {text}" for chance, text in claims]
        lines += ["median (90% interval)"]
        lines += [f"  {label}: {text}" for label, text in self._number_lines()]
        lines += [f"folder: {self.path}"]
        return "\n".join(n if len(n) <= WIDTH else f"{n[: WIDTH - 3]}..." for n in lines)

    def _repr_html_(self) -> str:
        """Verdict, answer, claims and a small picture, for a notebook; needs no network."""
        rows = "".join(
            f"<tr><td>{escape(chance)}</td><td>{escape(text)}</td></tr>"
            for chance, text in self._claim_lines()
        )
        numbers = "".join(
            f"<tr><td>{escape(label)}</td><td>{escape(text)}</td></tr>"
            for label, text in self._number_lines()
        )
        left = 'style="text-align:left"'
        return (
            f"<div><p><b>{escape(self._title())}</b><br>verdict: <b>{escape(self.verdict)}</b></p>"
            f"<img alt='The answer of the run' src='{_picture(self.plot())}'>"
            f"<table {left}><tr><th>probability</th><th {left}>claim</th></tr>{rows}</table>"
            f"<table><tr><th>quantity</th><th {left}>median (90% interval)</th></tr>{numbers}"
            f"</table><p>folder: {escape(str(self.path))}</p></div>"
        )

    def _title(self) -> str:
        record, sampler = self.record, self.info["sampler"]
        simulated = f", {record['simulated']}" if record.get("simulated") else ""
        return (
            f"Result {record['run']!r}: {record['model']} under view {record['view']!r}, "
            f"{record['method']}, "
            f"{how_many(sampler['chains'], 'chain')} of {how_many(sampler['draws'], 'draw')}, "
            f"seed {sampler['seed']}{simulated}"
        )

    @property
    def verdict(self) -> str:
        """``pass``, or ``fail`` with the names of the failed checks."""
        failed = dict.fromkeys(c["name"] for c in self.record["checks"] if not c["passed"])
        return f"fail ({', '.join(failed)})" if failed else str(self.record["verdict"])

    def _claim_lines(self) -> list[tuple[str, str]]:
        """Probability and words of the claims; an assumed one is marked."""
        found = []
        for claim in list(stated(self.record["claims"]))[:MOST_CLAIMS]:
            answer = self.record["claims"][claim.name]
            mark = " (assumed)" if answer["assumed"] else ""
            found.append((chance_in_words(answer), f"{claim_text(claim)}{mark}"))
        return found

    def _number_lines(self) -> list[tuple[str, str]]:
        """Label of the leading numbers, and their median and interval in words."""
        rows, horizon = self.record["quantities"], self.info["horizon"]
        headlines = find_model(self.record["model"]).headlines
        order = [n for n in LEADING if n in headlines] + [n for n in headlines if n not in LEADING]
        found = [name for lead in order for name in rows if base_name(name) == lead]
        lines = []
        for name in found[:MOST_NUMBERS]:
            if name == DELAY and (wait := AlignmentWait.of(self.derived, self.weights)):
                none, _, others = wait.words(horizon).partition(", ")
                lines += [(LABEL, none), *([("otherwise", others)] if others else [])]
                continue
            middle, interval = median_and_interval(rows[name], quantity_of(name), horizon)
            lines.append((label_of(name), f"{middle} ({interval})" if interval else middle))
        return lines

    # ------------------------------------------------------------------------- what it is made of

    @cached_property
    def view(self) -> "View":
        """The priors, resolved and complete."""
        return stored_view(self.view_file, str(self.path / VIEW))[0]

    @property
    def model(self) -> Any:
        """The PyMC model that was fitted, open to PyMC's own functions; built when asked for."""
        before_pytensor()
        return find_model(self.record["model"]).open(self.evidence, self.view)

    def _content(self) -> tuple[Any, ...]:
        """What makes it this result and no other."""
        info, link = self.info, self.info.get("refitted_from") or {}
        return (
            info["model"]["name"],
            info["model"].get("version"),
            hash_of_draws(info),
            link.get("posterior") if link.get("shares_draws") else None,
            info["view"]["hash"],
            info.get("evidence", {}).get("hash"),
            RESAMPLED in self.posterior.attrs,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Result) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    # ------------------------------------------------------------------------ what it can be asked

    @property
    def claims(self) -> "pd.DataFrame":
        """Claims, one a row: their probability, what it is given, and in whose words they are.

        The columns are those of ``record["claims"]`` and ``claim``, the claim in words.
        """
        import pandas as pd

        answers = self.record["claims"]
        words = {c.name: {"claim": claim_text(c)} for c in stated(answers)}
        return pd.DataFrame.from_dict(
            {name: {**words[name], **answers[name]} for name in words}, orient="index"
        )

    def summary(self) -> "pd.DataFrame":
        """One row per number, in its natural unit.

        Quantiles are amounts in ``unit``, and missing inside mass beyond an end, such as "later
        than the horizon": ``prob_above``, ``prob_below`` and ``prob_undefined`` say which.
        ``scale`` is the scale on which models and ``record`` hold the number. ``mean_on_scale``,
        ``sd_on_scale`` and ``mcse_median_on_scale`` stay on it, because a mean of amounts over many
        orders of magnitude says nothing. They are orders of magnitude where ``scale`` is ``log10``.
        """
        import pandas as pd

        rows = {}
        for name, row in self.record["quantities"].items():
            natural = {key: _natural(row[key], row["scale"]) for key in QUANTILES}
            rest = {ON_SCALE.get(k, k): v for k, v in row.items() if k not in QUANTILES}
            head = {key: rest.pop(key) for key in ("unit", "scale")}
            rows[name] = {**head, **natural, **rest}
        return pd.DataFrame.from_dict(rows, orient="index")

    def to_dataframe(self, names: Sequence[str] | None = None) -> "pd.DataFrame":
        """One row per draw and one column per number, in natural units.

        Infinite is beyond everything, such as an arrival later than the horizon or never; missing
        is undefined. Where draws do not count the same, the column ``weight`` says how much each
        does.

        Parameters
        ----------
        names : sequence of str, optional
            Numbers to take, such as ``tai_year``, or a vector such as ``anchor_probability``; by
            default all.

        Returns
        -------
        pandas.DataFrame
            Its index has the levels ``chain`` and ``draw``.

        Raises
        ------
        InputError
            If there is no such number.
        """
        import pandas as pd

        derived = self.derived
        series = {each.name: each for each in iter_series(derived)}
        wanted = _chosen(names, list(series))
        columns = {
            name: _natural(series[name].values.ravel(), quantity_of(name).scale) for name in wanted
        }
        if WEIGHT in derived.coords:
            columns[WEIGHT] = derived.coords[WEIGHT].values.ravel()
        index = pd.MultiIndex.from_product(
            [derived["chain"].values, derived["draw"].values], names=["chain", "draw"]
        )
        return pd.DataFrame(columns, index=index)

    def plot(self) -> "Figure":
        """What the report leads with: data needed and affordable, and arrival by year.

        A run that has neither shows its leading quantities, prior against posterior.
        """
        from aligntax.analysis.figures.answer_picture import answer_picture

        return answer_picture(self.equally_weighted())

    @overload
    def budget(
        self,
        confidence: float = ...,
        price: float | None = ...,
        given: str | None = ...,
        year: None = ...,
        training_cost: float | None = ...,
    ) -> "Budget": ...

    @overload
    def budget(
        self,
        confidence: float = ...,
        price: float | None = ...,
        given: str | None = ...,
        *,
        year: float,
        training_cost: float | None = ...,
    ) -> "DatedBudget": ...

    def budget(
        self,
        confidence: float = 0.8,
        price: float | None = None,
        given: str | None = None,
        year: float | None = None,
        training_cost: float | None = None,
    ) -> "Budget | DatedBudget":
        """What to buy, until arrival or for a year; see :func:`aligntax.budget`."""
        from aligntax.analysis.answers.budget import budget

        if year is None:
            return budget(self, confidence, price, given, training_cost=training_cost)
        return budget(self, confidence, price, given, year=year, training_cost=training_cost)


def load(run: str | os.PathLike[str], out: str | os.PathLike[str] = "results") -> Result:
    """Read a run into memory and close its files.

    Parameters
    ----------
    run : str or path
        Folder, or name of a run in ``out``.

    Raises
    ------
    InputError
        If there is no such run, another version of the model made it, or its files, or those of the
        run whose draws it reweights, differ from the hashes written with them.

    Examples
    --------
    >>> load("results/reference").path.name
    'reference'
    """
    return Result.of(load_stored(run, out))


def as_result(run: str | os.PathLike[str] | StoredResult, out: str | os.PathLike[str]) -> Result:
    """Result that is given, or the run that is named, read."""
    if isinstance(run, Result):
        return run
    return Result.of(run) if isinstance(run, StoredResult) else load(run, out)


def _natural(value: Any, scale: str) -> Any:
    """Value as reports hold it in its natural unit; None stays None."""
    if value is None:
        return None
    if scale != "log10":
        return value
    with np.errstate(over="ignore"):  # beyond what a float holds is infinite
        return 10.0 ** np.asarray(value, dtype=float)


def _chosen(names: Sequence[str] | None, known: list[str]) -> list[str]:
    """Names of numbers, vectors element by element."""
    if names is None:
        return known
    chosen = {name: [k for k in known if name in (k, base_name(k))] for name in names}
    if missing := [name for name, found in chosen.items() if not found]:
        from difflib import get_close_matches

        near = get_close_matches(missing[0], known, n=3) or known[:5]
        raise InputError(
            f"names: must be numbers of this run, got {missing[0]!r}; "
            f"did you mean {', '.join(near)}?"
        )
    return [name for found in chosen.values() for name in found]


def _picture(figure: "Figure") -> str:
    """Figure as an address that holds the whole picture."""
    from base64 import b64encode

    drawn = BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI)
    return f"data:image/png;base64,{b64encode(drawn.getvalue()).decode()}"
