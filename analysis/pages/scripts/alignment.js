"use strict";
// Hours, taxes and waits, as models/practice.py, ai_labour.py, taxes.py, waits.py, alignment.py and compute.py
// compute them.
// All amounts are log10; shares and dates are not.
const Alignment = (() => {
  const people = (x) => x.usd_per_hour + x.labour_overhead; // cost of their hour
  const priced = (x) => x.ai_substitution !== undefined;
  /** What AI hours save of the cost of labour, OOM; nothing where they have no price. */
  function saving(x) {
    if (!priced(x)) return 0;
    const worth = x.ai_efficiency + 2 * x.ai_margin + x.ai_transfer;
    const odds = (x.ai_substitution - 1) * (people(x) - x.ai_usd_per_hour + worth);
    const most = Math.max(odds, 0);
    return (most + Math.log10(10 ** (odds - most) + 10 ** -most)) / (x.ai_substitution - 1);
  }
  const cost = (x) => people(x) - saving(x); // of a human-hour's worth of labour
  /** Hours of those that people work. */
  const humanHours = (x, hours) => (priced(x) ? hours - x.ai_substitution * saving(x) : hours);

  /** Functions of one draw `x` at a date under constants `c`. */
  function trends(c) {
    const smoothMinimum = (a, b) => 0.5 * (a + b - Math.sqrt((a - b) ** 2 + c.sharpness ** 2));
    const saturating = (free, stated) => {
      const limit = Math.max(stated, c.least_limit);
      const [above, below] = [free + limit, free - limit];
      const square = c.sharpness ** 2;
      return 0.5 * (Math.sqrt(above * above + square) - Math.sqrt(below * below + square));
    };
    const spend = (x, t) => {
      const beyond = Math.max(t - c.now, 0);
      const elapsed = t - beyond - c.reference + x.spend_growth_ratio * beyond;
      const free = x.spend_level + x.largest_run_offset + x.spend_growth * elapsed;
      const cap = x.spend_cap + c.world_product + x.world_product_growth * (t - c.world_product_year);
      return smoothMinimum(free, cap);
    };
    const hardware = (x, t) =>
      smoothMinimum(x.hardware_level + x.hardware_growth * (t - c.reference), x.hardware_limit);
    const physical = (x, t) => spend(x, t) + hardware(x, t);
    const practice = (x, flop, t) =>
      x.practice_hours +
      x.practice_slope * (flop - c.instructgpt_flop) -
      saturating(x.label_efficiency_growth * (t - c.practice_year), x.label_efficiency_limit);
    const needed = (x, flop, t) => {
      const scaled = practice(x, flop, t) + x.rlhf_multiplier + x.quality_factor;
      const most = Math.max(scaled, x.hours_floor);
      return most + Math.log10(10 ** (scaled - most) + 10 ** (x.hours_floor - most));
    };
    /** Labour tax of one hour, and compute tax of as many hours as practice uses. */
    const rates = (x, flop, t) => {
      const share =
        Math.log10(x.alignment_compute_share) + x.compute_size_exponent * (flop - c.instructgpt_flop);
      const labour = cost(x) - spend(x, t) - x.rnd_ratio;
      return [labour, share + flop - physical(x, t) - x.rnd_ratio];
    };
    /** Hours needed, labour tax and compute tax of a model of `flop` that is aligned at `t`. */
    const taxes = (x, flop, t) => {
      const hours = needed(x, flop, t);
      const [labour, compute] = rates(x, flop, t);
      const beyond = x.compute_data_exponent * (hours - practice(x, flop, t));
      return [hours, hours + labour, compute + beyond];
    };
    /** Hours whose taxes together are the tolerance, by Newton's steps from above. */
    const affordable = (x, flop, t) => {
      const [labour, compute] = rates(x, flop, t);
      const [tolerance, exponent] = [x.tolerance_at_arrival, x.compute_data_exponent];
      const usual = practice(x, flop, t);
      let hours = Math.min(tolerance - labour, usual + (tolerance - compute) / exponent);
      for (let i = 0; i < c.newton_steps; i += 1) {
        const work = 10 ** (labour + hours);
        const computing = 10 ** (compute + exponent * (hours - usual));
        const tax = work + computing;
        const step = ((Math.log10(tax) - tolerance) * tax) / (work + exponent * computing);
        hours -= step;
        if (Math.abs(step) < 1e-12) break; // further steps are rounding
      }
      return hours;
    };
    /** Hours a year that a developer can buy in 2025: at least what it buys. */
    const workforce = (x) => {
      const usual = practice(x, physical(x, c.workforce_year), c.workforce_year);
      const buys = usual + x.models_per_year - Math.log10(x.alignment_share_of_human_data);
      return Math.max(x.workforce_hours, buys);
    };
    /** Hours that the workforce can have worked by `t`. */
    const worked = (x, t) => {
      const rate = x.workforce_growth * Math.LN10;
      const level = workforce(x) + x.workforce_growth * (c.work_starts - c.workforce_year);
      const years = Math.max(t - c.work_starts, 0);
      const grown = Math.abs(rate * years) < 1e-9 ? years : Math.expm1(rate * years) / rate;
      return level + Math.log10(grown);
    };
    return { spend, physical, practice, needed, taxes, affordable, workforce, worked };
  }

  /** Headline quantities of the largest run at a date; NaN dates give NaN. */
  function atDate(x, t, c, { physical, practice, taxes, affordable, workforce, worked }) {
    const flop = physical(x, t);
    const [needed, labour, computing] = taxes(x, flop, t);
    const tax = 10 ** labour + 10 ** computing;
    const tolerated = 10 ** x.tolerance_at_arrival;
    const paid = affordable(x, flop, t);
    const met = (value) => (Number.isNaN(needed) ? NaN : Number(value));
    const tooMuchCompute = computing > x.tolerance_at_arrival;
    return {
      alignment_hours_needed: needed,
      alignment_hours_affordable: paid,
      rlhf_multiple_needed: needed - c.instructgpt_hours,
      rlhf_multiple_affordable: paid - c.instructgpt_hours,
      rlhf_multiple_affordable_at_arrival: paid - practice(x, flop, t),
      labour_tax: labour,
      compute_tax: computing,
      alignment_tax: Math.log10(tax),
      tax_headroom: paid - needed,
      prob_affordable: met(tax <= tolerated),
      tolerance_at_arrival: x.tolerance_at_arrival,
      tolerance_of_training_cost: x.tolerance_at_arrival + x.rnd_ratio,
      workforce_available: workforce(x),
      compute_not_tolerated: met(tooMuchCompute),
      labour_not_tolerated: met(!tooMuchCompute && tax > tolerated),
      workforce_too_small: met(tax <= tolerated && worked(x, t) < humanHours(x, needed)),
    };
  }

  /**
   * Years after arrival until the tax is tolerable and until the hours have been worked; infinite if
   * never.
   */
  function waits(x, arrival, c, { physical, needed: hours, taxes, worked }) {
    const flop = physical(x, arrival);
    const taxMargin = (t) => {
      const [, labour, computing] = taxes(x, flop, t);
      return x.tolerance_at_arrival - Math.log10(10 ** labour + 10 ** computing);
    };
    const workMargin = (t) => worked(x, t) - humanHours(x, hours(x, flop, t));
    return [firstCrossing(taxMargin, arrival, c), firstCrossing(workMargin, arrival, c)];
  }

  /**
   * Years from `start` until a margin first reaches zero, by linear interpolation between steps; infinite if
   * that is not before the horizon.
   */
  function firstCrossing(margin, start, c) {
    let before = margin(start);
    if (before >= 0) return 0;
    if (before === -Infinity && margin(c.horizon) === -Infinity) return Infinity;
    for (let i = 1; start + (i - 1) * c.wait <= c.horizon; i += 1) {
      const after = margin(start + i * c.wait);
      if (after >= 0) {
        const part = before / (before - after);
        const years = c.wait * (i - 1 + (Number.isFinite(part) ? part : 1));
        return start + years <= c.horizon ? years : Infinity;
      }
      before = after;
    }
    return Infinity;
  }

  /** The larger of two waits that run at the same time, and its parts by Shapley values. */
  function shapley(tax, work) {
    const smaller = Math.min(tax, work);
    const larger = Math.max(tax, work);
    const rest = smaller === Infinity ? Infinity : larger - 0.5 * smaller;
    return tax >= work ? [larger, rest, 0.5 * smaller] : [larger, 0.5 * smaller, rest];
  }

  /** Arrival of the aligned model, and the shift and its parts, where the wait ends. */
  function delayed(x, year, held, c, functions) {
    const come = Number.isFinite(year);
    const byCompute = Math.max(held, 0); // held in single precision, which may miss zero
    const met = come && Number.isFinite(byCompute) ? year + byCompute : NaN;
    const [wait, byTax, byWork] = Number.isNaN(met)
      ? [Infinity, NaN, NaN]
      : shapley(...waits(x, met, c, functions));
    const ends = Number.isFinite(wait);
    const delay = ends ? byCompute + wait : NaN;
    return {
      tai_year_aligned: year + delay,
      alignment_ends: come ? Number(ends) : NaN,
      timeline_shift_alignment: delay,
      timeline_shift_alignment_tax: ends ? byTax : NaN,
      timeline_shift_alignment_work: ends ? byWork : NaN,
    };
  }

  return { trends, atDate, delayed, cost };
})();
