"""Runs of format 1, whose file held scores as ``posterior`` and quantities as ``derived``."""

from typing import TYPE_CHECKING, Any

from aligntax.analysis.storage.layout import EVIDENCE, PLAIN, Groups

if TYPE_CHECKING:
    import xarray as xr

QUANTITIES = "derived"  # the group by which an old file is known
PARTS = {
    "posterior": "draws",
    QUANTITIES: "derived",
    "prior": "prior_draws",
    "prior_derived": "prior_derived",
}
# What was observed had names of its own, beside those of its tables.
TABLES = {
    "log_gamma": "scaling_exponents",
    "log_flop": "training_runs",
    "algorithmic_growth_estimate": "algorithmic_progress",
    "log2_horizon": "time_horizons",
    "log_hours": "rlhf_efforts",
    "log_hours_per_year": "feedback_workforces",
    "log_share": "alignment_compute_shares",
    "log_loss": "loss_runs",
    "agreement": "labeller_agreement",
    "oversight_failure": "oversight_games",
    "gold": "gold_curves",
    "failure_share": "density_trials",
    "success_share": "horizon_runs",
}
LAW = ("parameter_loss", "data_loss", "alpha", "beta")  # were variables of their own
REPLICATED = ("observed_data", "posterior_predictive", "prior_predictive")


def groups_of_old(tree: "xr.DataTree") -> Groups:
    """Groups of an old file.

    It holds no rows whose figure is only a bound, nor what the likelihood takes as given.
    """
    found = {str(name): node.to_dataset() for name, node in tree.children.items()}
    parts: dict[str, Any] = {PARTS[name]: found[name] for name in PARTS if name in found}
    parts |= {name: found[name] for name in PLAIN if name in found}
    parts |= {name: _by_table(parts[name]) for name in REPLICATED if name in parts}
    if EVIDENCE in tree.children:
        tables = tree[EVIDENCE].children.items()
        parts["evidence"] = {name: node.to_dataset() for name, node in tables}
    return Groups(**parts)


def _by_table(dataset: "xr.Dataset") -> "xr.Dataset":
    import xarray as xr

    fits = [f"{name}_fit" for name in LAW if f"{name}_fit" in dataset]
    renamed = dataset.rename({old: new for old, new in TABLES.items() if old in dataset})
    if not fits:
        return renamed
    law = xr.concat([dataset[name] for name in fits], "law").transpose(..., "law")
    names = [name.removesuffix("_fit") for name in fits]
    return renamed.drop_vars(fits).assign(loss_laws=law.assign_coords(law=names))
