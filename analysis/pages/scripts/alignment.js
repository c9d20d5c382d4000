"use strict";
// Hours, tax and waits of alignment, as models/alignment.py and models/compute.py compute them.
// All amounts are log10; shares and dates are not.
const Alignment = (() => {
  /** Functions of one draw `x` at a date under constants `c`. */
  function trends(c) {
    const smoothMinimum = (a, b) => 0.5 * (a + b - Math.sqrt((a - b) ** 2 + c.sharpness ** 2));
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
    const needed = (x, flop, t) => {
      const practice = x.practice_hours + x.practice_slope * (flop - c.instructgpt_flop);
      const efficiency = smoothMinimum(
        x.label_efficiency_growth * (t - c.practice_year),
        x.label_efficiency_limit,
      );
      return practice + x.rlhf_multiplier + x.quality_factor - efficiency;
    };
    return { spend, physical, needed };
  }

  /** Headline quantities of the largest run at a date; NaN dates give NaN. */
  function atDate(x, t, c, { spend, physical, needed: hours }) {
    const budget = spend(x, t);
    const flop = physical(x, t);
    const needed = hours(x, flop, t);
    const perHour = x.usd_per_hour + x.labour_overhead;
    const share = x.alignment_compute_share;
    const tolerance = 10 ** x.alignment_tax_tolerance;
    const tax = 10 ** (needed + perHour - budget) + share;
    const affordable = Math.log10(Math.max(tolerance - share, 0)) + budget - perHour;
    const practice = needed - x.rlhf_multiplier - x.quality_factor;
    return {
      alignment_hours_needed: needed,
      alignment_hours_affordable: Number.isNaN(needed) ? NaN : affordable,
      rlhf_multiple_needed: needed - c.instructgpt_hours,
      rlhf_multiple_affordable: affordable - c.instructgpt_hours,
      rlhf_multiple_affordable_at_arrival: affordable - practice,
      alignment_tax: Math.log10(tax),
      tax_headroom: affordable - needed,
      prob_affordable: Number.isNaN(needed) ? NaN : Number(tax <= tolerance),
    };
  }

  /**
   * Years after arrival until the tax is tolerable and until the hours have been worked; infinite if
   * never.
   */
  function waits(x, arrival, c, { spend, physical, needed: hours }) {
    const flop = physical(x, arrival);
    const perHour = x.usd_per_hour + x.labour_overhead;
    const room = Math.log10(Math.max(10 ** x.alignment_tax_tolerance - x.alignment_compute_share, 0));
    const rate = x.workforce_growth * Math.LN10;
    const level = x.workforce_hours + x.workforce_growth * (c.work_starts - c.workforce_year);
    const worked = (t) => {
      const years = Math.max(t - c.work_starts, 0);
      return level + Math.log10(Math.abs(rate * years) < 1e-9 ? years : Math.expm1(rate * years) / rate);
    };
    const taxMargin = (t) => room - (hours(x, flop, t) + perHour - spend(x, t));
    const workMargin = (t) => worked(t) - hours(x, flop, t);
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

  /** Arrival of the aligned model, and the shift and its parts. */
  function delayed(x, year, byCompute, c, functions) {
    const come = Number.isFinite(year);
    const met = come && Number.isFinite(byCompute) ? year + byCompute : NaN;
    if (Number.isNaN(met)) {
      const delay = come ? Infinity : NaN;
      return {
        tai_year_aligned: Infinity,
        timeline_shift_alignment: delay,
        timeline_shift_alignment_tax: NaN,
        timeline_shift_alignment_work: NaN,
      };
    }
    const [wait, byTax, byWork] = shapley(...waits(x, met, c, functions));
    const delay = byCompute + wait;
    return {
      tai_year_aligned: year + delay,
      timeline_shift_alignment: delay,
      timeline_shift_alignment_tax: byTax,
      timeline_shift_alignment_work: byWork,
    };
  }

  return { trends, atDate, delayed };
})();
