"""What a view states besides priors: the choice of evidence, and settings of each model part."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

ANCHORS = (
    "lifetime",
    "short_horizon",
    "medium_horizon",
    "long_horizon",
    "genome",
    "evolution",
    "direct_approach",
    "user",
    "time_horizon",
    "none",
)


@dataclass(frozen=True)
class Role:
    """What a setting enters, and so what a change of it asks for.

    Attributes
    ----------
    likelihood : tuple of str
        Tables whose likelihood depends on it. A model with one of them is sampled again.
    no_tai : bool
        Whether the probability of no transformative AI so far depends on it. Stored draws are
        weighted by its change.
    compiled : bool
        Whether it is a constant of the graph. A compiled model cannot change it.

    A setting that enters none of these changes derived quantities alone.
    """

    likelihood: tuple[str, ...] = ()
    no_tai: bool = False
    compiled: bool = False


def enters(
    default: Any,
    *,
    likelihood: tuple[str, ...] = (),
    no_tai: bool = False,
    compiled: bool = False,
) -> Any:
    """Field of a section, with its default and its :class:`Role`.

    An empty mapping as default becomes a factory, because dataclasses refuse mutable defaults.
    """
    role = {"role": Role(likelihood, no_tai, compiled)}
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=role)
    return field(default=default, metadata=role)


@dataclass(frozen=True)
class EvidenceChoice:
    """Which evidence a view uses.

    Attributes
    ----------
    use : str or tuple of str
        ``all``, ``none``, or names of tables. The name ``no_tai`` stands for the absence of
        transformative AI so far.
    until : float or None
        Decimal year of the last evidence; None means no limit.
    """

    use: str | tuple[str, ...] = "all"
    until: float | None = None

    @property
    def no_tai(self) -> bool:
        """Whether the absence of transformative AI so far is evidence."""
        return self.use == "all" or "no_tai" in self.use


@dataclass(frozen=True)
class Scaling:
    """Settings of the meta-analysis.

    Attributes
    ----------
    error_correlation : float
        Correlation of the sampling errors of analyses of the same runs.
    between_study_scale : float
        Scale of the half-normal prior of ``between_study_sd``. A view that holds one exponent true
        for every regime sets it near 0.
    """

    error_correlation: float = enters(0.5, likelihood=("scaling_exponents",))
    between_study_scale: float = enters(0.3, likelihood=("scaling_exponents",))


@dataclass(frozen=True)
class LossLaw:
    """Settings of the loss law.

    At the default ``parameters`` and ``tokens``, Chinchilla's runs leave each term uncorrelated
    with its exponent.

    Attributes
    ----------
    parameters, tokens : float
        Reference N0 and D0 at which ``parameter_loss`` and ``data_loss`` are stated. With both 1
        these are A and B.
    compute : float
        FLOP at which tokens per parameter is reported. The default is the budget of Chinchilla and
        Gopher.
    errors : {"student_t", "gaussian"}
        Distribution of the errors of log loss.
    """

    parameters: float = enters(2.5e7, likelihood=("loss_runs", "loss_laws"), compiled=True)
    tokens: float = enters(6e8, likelihood=("loss_runs", "loss_laws"), compiled=True)
    compute: float = enters(5.76e23)
    errors: Literal["student_t", "gaussian"] = enters(
        "student_t", likelihood=("loss_runs",), compiled=True
    )


@dataclass(frozen=True)
class Compute:
    """Settings of the compute trends.

    Attributes
    ----------
    reference_year : float
        Decimal year at which levels are quoted.
    runs_since : float
        Decimal year from which runs enter.
    """

    reference_year: float = enters(2023.0, likelihood=("training_runs",), compiled=True)
    runs_since: float = enters(2018.0, likelihood=("training_runs",), compiled=True)


@dataclass(frozen=True)
class Algorithms:
    """How algorithmic progress differs between requirement anchors.

    Attributes
    ----------
    since : float
        Decimal year from which progress is counted: requirements are FLOP of that year's
        algorithms.
    growth : mapping of str to float
        Multiple of ``algorithmic_growth``, by anchor; 1 where not stated.
    limit : mapping of str to float
        OOM on top of ``algorithmic_limit``, by anchor; 0 where not stated.
    limit_since : float
        Decimal year from which the source of ``algorithmic_limit`` counts it.
    limit_floor : {"progress", "none"}
        Whether the limit is at least what has been gained by the date of the evidence. Published
        models have no such floor.
    """

    since: float = enters(2020.0, no_tai=True, compiled=True)
    growth: Mapping[str, float] = enters({}, no_tai=True, compiled=True)
    limit: Mapping[str, float] = enters({}, no_tai=True, compiled=True)
    limit_since: float = enters(2023.0, no_tai=True, compiled=True)
    limit_floor: Literal["progress", "none"] = enters("progress", no_tai=True, compiled=True)


@dataclass(frozen=True)
class Research:
    """Settings of what AI does for AI research; see :mod:`aligntax.models.research`.

    Attributes
    ----------
    feedback : {"none", "effective_compute", "time_horizon"}
        What the share of research that AI does rises with. With ``none`` algorithms progress as
        their trend.
    inputs : {"balanced", "ai-futures", "kwa"}
        People and compute of research: such that the trend holds without more automation, or a
        published model's own paths.
    since : float or None
        Decimal year from which feedback counts, and whose research is speed one. None is the date
        of the evidence.
    labour_gain : float
        Power of the share left to people by which their labour is divided. 1 is Amdahl's law.
    substitution : float
        Of labour and compute; 0 is Cobb-Douglas, below they are complements.
    serial : float
        Returns to labour over those to compute.
    ceiling : float
        Where the logistic share of automated research would end, if it could exceed 1.
    taste_growth : float
        Standard deviations of people's research taste that AI gains in a year at today's rate.
    taste_at_coder : float
        Standard deviations above people's median when AI does all coding.
    taste_spread : float
        Standard deviation of the log of people's taste.
    taste_limit : float
        OOM of taste that AI cannot exceed.
    speed_limit : float
        Most years of research in a year.
    milestone : float or None
        Share of automated research that is the user's milestone, in place of ``user_flop``. It is
        for views without the evidence of no TAI.
    """

    feedback: Literal["none", "effective_compute", "time_horizon"] = enters("none")
    inputs: Literal["balanced", "ai-futures", "kwa"] = enters("balanced")
    since: float | None = enters(None)
    labour_gain: float = enters(1.0)
    substitution: float = enters(0.0)
    serial: float = enters(1.0)
    ceiling: float = enters(1.0)
    taste_growth: float = enters(0.0)
    taste_at_coder: float = enters(0.0)
    taste_spread: float = enters(0.4)
    taste_limit: float = enters(5.0)
    speed_limit: float = enters(100.0)
    milestone: float | None = enters(None)


@dataclass(frozen=True)
class Requirement:
    """Settings of the requirement.

    Attributes
    ----------
    low_flop : float or None
        FLOP that the requirement of every anchor is known to exceed. This is the update of Bio
        Anchors in 2020 on cheaper runs that were not transformative. It is for views without the
        evidence of no TAI, which says the same and more.
    user_milestone : str
        In words, what has arrived when compute reaches ``user_flop``.
    """

    low_flop: float | None = enters(None, no_tai=True, compiled=True)
    user_milestone: str = enters("transformative AI")


@dataclass(frozen=True)
class DirectApproach:
    """Settings of the Direct Approach's requirement.

    Attributes
    ----------
    allocation : {"optimal", "published"}
        Parameters and tokens of least loss, or the constant that the published program computes.
    year : float
        The requirement counts FLOP of the algorithms of this decimal year. The loss law was fitted
        to runs of 2022.
    units : {"nats", "published"}
        Unit of the judge's log odds: that of the loss, or bits as in the published program.
    update : {"none", "published"}
        Whether requirements are weighted by the published program's update on no TAI so far
        (``aligntax.models.direct_approach.survival``). It is for views without the evidence of no
        TAI, which says the same and more.
    """

    allocation: Literal["optimal", "published"] = enters("optimal", no_tai=True, compiled=True)
    year: float = enters(2022.0, no_tai=True, compiled=True)
    units: Literal["nats", "published"] = enters("nats", no_tai=True, compiled=True)
    update: Literal["none", "published"] = enters("none", no_tai=True, compiled=True)


@dataclass(frozen=True)
class TimeHorizon:
    """Settings of the time horizon's trend.

    Attributes
    ----------
    since : float
        Decimal year from which models enter. 2023 is METR's headline window; 2019 takes all.
    reference_date : float
        Decimal year at which the horizon's level and doubling time are quoted.
    rows : {"all", "records"}
        Every evaluated model of the frontier's class, or those with the longest horizon at release.
    reward_hacks : {"fail", "count"}
        How the suite's authors score runs that exploit the scoring: as failures, or as successes
        where they published that figure.
    """

    since: float = enters(2023.0, likelihood=("time_horizons",), compiled=True)
    reference_date: float = enters(
        2025.0, likelihood=("time_horizons", "horizon_runs"), compiled=True
    )
    rows: Literal["all", "records"] = enters("all", likelihood=("time_horizons",), compiled=True)
    reward_hacks: Literal["fail", "count"] = enters(
        "fail", likelihood=("time_horizons",), compiled=True
    )


@dataclass(frozen=True)
class Arrival:
    """Settings of arrival.

    Attributes
    ----------
    mode : {"hazard", "crossing"}
        In ``hazard``, arrival is random with a rate that rises with effective FLOP. ``crossing`` is
        the rule of the published models: arrival when effective FLOP first reaches the requirement.
    hazard_cap : float
        Largest arrival rate, per year.
    start : float
        First decimal year in which transformative AI could have arrived.
    horizon : float
        Decimal year at which draws are censored.
    none_final : float or None
        Weight of the anchor "none" at the horizon, to which it falls linearly from its weight
        today. With None it does not fall.
    """

    mode: Literal["hazard", "crossing"] = enters("hazard", no_tai=True, compiled=True)
    hazard_cap: float = enters(10.0, no_tai=True, compiled=True)
    start: float = enters(2012.0, no_tai=True, compiled=True)
    horizon: float = enters(2100.0)
    none_final: float | None = enters(None)


@dataclass(frozen=True)
class Alignment:
    """Settings of alignment.

    Attributes
    ----------
    work_starts : float
        Decimal year in which work on labels starts.
    date : float
        Decimal year for which the alignment model answers when it is run alone.
    ai_labour : {"priced"} or None
        Whether AI hours can stand in for human-hours, at a price; see
        :mod:`aligntax.models.ai_labour`. A file states None as ``"none"``.
    """

    work_starts: float = enters(2026.0)
    date: float = enters(2030.0)
    ai_labour: Literal["priced"] | None = enters(None, likelihood=("ai_labour",), compiled=True)


@dataclass(frozen=True)
class OuterAlignment:
    """Settings of outer alignment.

    Attributes
    ----------
    delta : float
        Probability with which some unaligned rival may win.
    ties : {"split", "losses"}
        How comparisons recorded as ties count for the aligned policy: as half a vote, or as losses.
        A tied tally is a coin's, or lost.
    tie_share : float
        Share of comparisons recorded as ties.
    labels_per_comparison : float
        Number of labels whose majority decides a comparison; odd.
    error_correlation : float
        Correlation of the errors of two labellers on one comparison, as hard items cause.
    oversight : {"none", "amplification", "debate", "recursive_reward_modelling"}
        Scheme of scalable oversight that helps the evaluators; see
        :mod:`aligntax.models.outer_alignment.oversight`.
    game_spread : float
        Standard deviation of the logit of failure of a game of oversight about its law.
    """

    delta: float = enters(0.05)
    ties: Literal["split", "losses"] = enters("split")
    tie_share: float = enters(0.0)
    labels_per_comparison: float = enters(1.0)
    error_correlation: float = enters(0.0, likelihood=("labeller_agreement",))
    oversight: Literal["none", "amplification", "debate", "recursive_reward_modelling"] = enters(
        "none"
    )
    game_spread: float = enters(0.7, likelihood=("oversight_games",))


SECTIONS = {
    "scaling": Scaling,
    "loss_law": LossLaw,
    "compute": Compute,
    "algorithms": Algorithms,
    "research": Research,
    "requirement": Requirement,
    "direct_approach": DirectApproach,
    "time_horizon": TimeHorizon,
    "arrival": Arrival,
    "alignment": Alignment,
    "outer_alignment": OuterAlignment,
}
ROLES: Mapping[str, Role] = {
    f"{section}.{setting.name}": setting.metadata["role"]
    for section, kind in SECTIONS.items()
    for setting in fields(kind)
}
