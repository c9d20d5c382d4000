"""A plug-in of aligntax: a lab's own timings of labels, and its own scaling study."""

from pathlib import Path

HOME = Path(__file__).parent


def register() -> None:
    """Add what the plug-in has; its entry point names this function."""
    from aligntax import register_model, register_quantity, register_table, with_likelihood
    from aligntax.models.catalogue import find_model
    from aligntax_example import lab_studies, label_minutes

    register_quantity(label_minutes.MINUTES, label_minutes.PRIOR)
    register_quantity(label_minutes.HOURS)
    register_table(label_minutes.TABLE, HOME / "label_timings.csv")
    register_model(label_minutes.MODEL)
    register_table(lab_studies.TABLE, HOME / "lab_studies.csv")
    register_model(
        with_likelihood(
            find_model("scaling"),
            lab_studies,
            name="scaling-with-lab",
            title="The data exponent from published scaling studies and the lab's own",
            tables=("lab_studies",),
        )
    )
