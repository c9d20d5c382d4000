"""How somebody else's quantity, table of evidence or model joins, without a change of the package.

A plug-in calls these functions when it is loaded (see :mod:`aligntax.models.registry`); a script or
notebook calls them by hand, for its own session. What is registered is checked here as a whole, so
that it cannot fail in the middle of a run.
"""

import dataclasses
import re
from collections.abc import Iterable
from functools import partial
from math import isfinite
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

from aligntax.models.catalogue import MODELS, Model, find_model
from aligntax.models.errors import InputError, brief
from aligntax.models.evidence import TABLES, Evidence, refuse_repeated
from aligntax.models.evidence.columns import END, KEY, USED, EvidenceTable
from aligntax.models.evidence.columns import Kind as ColumnKind
from aligntax.models.evidence.reader import SLUG, read_rows
from aligntax.models.likelihood import Likelihood
from aligntax.models.priors.compile import compile_for
from aligntax.models.priors.quantities import ELICITED, LABELS, QUANTITIES, Kind, Quantity, Scale
from aligntax.models.priors.specification import canonical
from aligntax.models.views.view import View, specification

MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9-]*", re.ASCII)
QUANTITY_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)


def register_quantity(quantity: Quantity, prior: Any = None, *, replace: bool = False) -> Quantity:
    """Add a quantity: an elicited one with a prior, a derived one without.

    Parameters
    ----------
    quantity : Quantity
        Name, unit, scale, label and meaning.
    prior : Prior or mapping, optional
        What every view takes that does not state another: a
        :class:`aligntax.models.priors.user_prior.Prior`, values by probability, or what the file
        of a view states. Existing views and the runs made with them stay as they are.
    replace : bool
        Whether it may take the place of one that was registered by hand before.

    Returns
    -------
    Quantity
        As it was registered.

    Raises
    ------
    InputError
        If the name is taken or cannot be a quantity's, a field is wrong, or the prior is none of
        the quantity's.
    """
    _check_quantity(quantity)
    if prior is None:
        if quantity.name in ELICITED.entries:
            rule = "must keep the prior that it was registered with before"
            raise _refused(f"quantity {quantity.name}", rule, None, "give it one")
        QUANTITIES.register(quantity, replace)
        return quantity
    spec = specification(prior)
    compile_for(quantity, spec)
    elicited = dataclasses.replace(quantity, prior=canonical(spec))
    QUANTITIES.register(elicited, replace)
    ELICITED.register(elicited, replace)
    return elicited


def register_table(
    table: EvidenceTable, path: Path | str, *, replace: bool = False
) -> EvidenceTable:
    """Add a table of evidence.

    Parameters
    ----------
    table : EvidenceTable
        Its columns: the first is ``KEY``, and ``END`` (source, status, note) is among them. A table
        with a likelihood has ``USED`` too.
    path : path
        The CSV file of its rows.
    replace : bool
        Whether it may take the place of one that was registered by hand before.

    Returns
    -------
    EvidenceTable
        As it was registered.

    Raises
    ------
    InputError
        If the name or the dimension is taken, columns lack or are wrong, or the file is.
    """
    _check_table(table)
    home = Path(path).absolute()
    rows = read_rows(home, table)
    refuse_repeated(home, rows, table)
    found = dataclasses.replace(table, home=home)
    TABLES.register(found, replace)
    return found


def register_model(model: Model, *, replace: bool = False) -> Model:
    """Add a model, whose quantities and tables are registered already.

    Parameters
    ----------
    model : Model
        See :class:`aligntax.models.catalogue.Model`.
    replace : bool
        Whether it may take the place of one that was registered by hand before.

    Returns
    -------
    Model
        The same.

    Raises
    ------
    InputError
        If the name is taken or cannot be a model's, or the model names what is not registered.
    """
    _check_model(model)
    MODELS.register(model, replace)
    return model


def the_model(model: str | Model) -> Model:
    """Model of a name, or a model itself, which is registered if its name is new.

    Runs store the name alone, so that a model must keep it for a refit or a report to find it.

    Raises
    ------
    InputError
        If there is no such model, or another one has its name.
    """
    if isinstance(model, str):
        return find_model(model)
    if not isinstance(model, Model):
        raise _refused("model", "must be a name or a Model", model, "see docs/extend.md")
    if model.name not in MODELS:
        return register_model(model)
    if MODELS[model.name] != model:
        rule = "must be the one that is registered under its name"
        remedy = "give it another name, or aligntax.register_model(model, replace=True)"
        raise _refused("model", rule, f"another {model.name}", remedy)
    return model


def with_likelihood(
    model: Model, file: ModuleType, *, name: str, title: str, tables: tuple[str, ...]
) -> Model:
    """Return a model that also conditions on further tables.

    Parameters
    ----------
    model : Model
        Any of the catalogue.
    file : module
        A file in the shape of a model's, such as :mod:`aligntax.models.practice`: ``data``,
        ``add(evidence, view, x)``, ``observed``, ``simulate``, ``replicate`` and ``TOP_LEVEL``.
        Where ``add`` is called, ``pm.modelcontext(None)`` is the graph of ``model``, whose
        structural parameters are there by name.
    name, title : str
        Of the new model, which is not registered yet.
    tables : tuple of str
        What the file conditions on.
    """
    return dataclasses.replace(
        model,
        name=name,
        title=title,
        version=1,
        tables=(*model.tables, *tables),
        build=partial(_build_with, model.build, file.add),
        likelihoods=(*model.likelihoods, Likelihood.of(file)),
    )


def _build_with(build: Any, add: Any, evidence: Evidence, view: View, opened: bool = False) -> Any:
    from aligntax.models.priors.elicited import elicited_of

    with build(evidence, view, opened=opened) as graph:
        add(evidence, view, elicited_of(graph))
    return graph


def _refused(what: str, rule: str, got: object, remedy: str) -> InputError:
    return InputError(f"{what}: {rule}, got {brief(repr(got))}; {remedy}")


def _check_quantity(quantity: Quantity) -> None:
    if not isinstance(quantity, Quantity):
        raise _refused("quantity", "must be a Quantity", quantity, "see docs/extend.md")
    name, what = quantity.name, f"quantity {quantity.name}"
    taken = (*LABELS, *(field.name for field in dataclasses.fields(View)))
    if not QUANTITY_NAME.fullmatch(name) or name.endswith("_state") or name in taken:
        rule = (
            "its name must be lower-case letters, digits and underscores, end in no _state, and be "
            "no field of a view"
        )
        raise _refused("quantity", rule, name, "choose another name")
    for field in ("unit", "label", "meaning"):
        if not getattr(quantity, field):
            remedy = 'a pure number has the unit "1"' if field == "unit" else "say it in words"
            raise _refused(what, f"must have a {field}", getattr(quantity, field), remedy)
    for field, known in (("scale", Scale), ("kind", Kind)):
        if getattr(quantity, field) not in get_args(known):
            rule = f"{field} must be one of {', '.join(get_args(known))}"
            raise _refused(what, rule, getattr(quantity, field), "choose one")
    bounds = (quantity.lower, quantity.upper)
    if quantity.scale == "logit" and not (all(map(isfinite, bounds)) and bounds[0] < bounds[1]):
        rule = "a logit scale needs finite bounds, the lower one first"
        raise _refused(what, rule, bounds, "give lower and upper")


def _check_table(table: EvidenceTable) -> None:
    if not isinstance(table, EvidenceTable):
        raise _refused("table", "must be an EvidenceTable", table, "see docs/extend.md")
    what = f"table {table.name}"
    for word in (table.name, table.dim):
        if not SLUG.fullmatch(word):
            rule = "name and dim must be lower-case letters, digits and underscores"
            raise _refused("table", rule, word, "choose another")
    owners = [other.name for other in TABLES.values() if other.dim == table.dim]
    if owners and owners != [table.name]:
        raise _refused(what, f"dim must not be that of {owners[0]}", table.dim, "choose another")
    names = [column.name for column in table.columns]
    needed = (KEY, *END, *((USED,) if table.likelihood else ()))
    if table.columns[:1] != (KEY,) or (lacking := set(needed) - set(table.columns)):
        got = names if table.columns[:1] != (KEY,) else sorted(c.name for c in lacking)
        rule = "columns must begin with KEY, hold END, and USED where there is a likelihood"
        remedy = "take them from aligntax.models.evidence.columns"
        raise _refused(what, rule, got, remedy)
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise _refused(what, "columns must have different names", twice, "rename one")
    kinds = get_args(ColumnKind)
    if wrong := [column.name for column in table.columns if column.kind not in kinds]:
        rule = f"the kind of a column must be one of {', '.join(kinds)}"
        raise _refused(what, rule, wrong, "choose one")
    dates = [column.name for column in table.columns if column.kind in ("year", "date")]
    if table.dated and table.dated not in dates:
        raise _refused(what, "dated must name a column of years or dates", table.dated, "add it")
    same = table.identity
    if same and (unknown := {same.system, *same.same, same.figure} - set(names)):
        raise _refused(what, "identity must name columns", sorted(unknown), "correct it")


def _check_model(model: Model) -> None:
    if not isinstance(model, Model):
        raise _refused("model", "must be a Model", model, "see docs/extend.md")
    what = f"model {model.name}"
    if not MODEL_NAME.fullmatch(model.name):
        rule = "its name must be lower-case letters, digits and hyphens"
        raise _refused("model", rule, model.name, "choose another name")
    conditioned = [name for name, table in TABLES.items() if table.likelihood]
    _require_known(what, "quantities", model.quantities, ELICITED, "register_quantity with a prior")
    _require_known(what, "headlines", model.headlines, QUANTITIES, "register_quantity")
    _require_known(what, "tables", model.tables, conditioned, "register_table with a likelihood")
    _require_known(what, "background", model.background, TABLES, "register_table")
    for field in ("quantities", "headlines", "tables", "likelihoods"):
        if not getattr(model, field):
            raise _refused(what, f"must have {field}", getattr(model, field), "name one at least")
    if not 0 < model.target_accept < 1:
        rule = "target_accept must lie between 0 and 1"
        raise _refused(what, rule, model.target_accept, "0.9 is usual")
    if model.sampler not in ("hmc", "nuts"):
        raise _refused(what, "sampler must be hmc or nuts", model.sampler, "nuts is usual")


def _require_known(
    what: str, field: str, names: tuple[str, ...], known: Iterable[str], how: str
) -> None:
    if not isinstance(names, tuple):
        raise _refused(what, f"{field} must be a tuple of names", names, 'write ("one",)')
    if unknown := [name for name in names if name not in set(known)]:
        remedy = f"first add them: aligntax.{how}"
        raise _refused(what, f"{field} must be registered", unknown, remedy)
