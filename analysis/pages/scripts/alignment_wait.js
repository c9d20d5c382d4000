"use strict";
// How long an arrival waits for alignment, in shares, as analysis/summaries/alignment_wait.py tells it.
const AlignmentWait = (() => {
  const DELAY = "timeline_shift_alignment";
  const AT_ONCE = 1 / 12; // years: a shorter wait is none

  /** The shares in words; null where an answer has no such wait, or nothing arrives. */
  function words({ columns, weights }, horizon) {
    const [wait, ends] = [columns[DELAY], columns.alignment_ends];
    if (!wait || !ends) return null;
    const waits = Float64Array.from(wait, (years, d) => (ends[d] === 1 && years > AT_ONCE ? years : NaN));
    let [arrived, some, never] = [0, 0, 0];
    for (let d = 0; d < waits.length; d += 1) {
      if (Number.isNaN(ends[d])) continue;
      arrived += weights[d];
      if (!Number.isNaN(waits[d])) some += weights[d];
      else if (ends[d] === 0) never += weights[d];
    }
    if (!(arrived > 0)) return null;
    const share = (part) => Words.probability(part / arrived);
    const parts = [`not at all in ${share(arrived - some - never)} of arrivals`];
    if (some)
      parts.push(`${Words.number(Weights.summary(waits, weights).q50)} years (median) in ${share(some)}`);
    if (never) parts.push(`past ${horizon.toFixed(0)} or for ever in ${share(never)}`);
    return parts.join(", ");
  }

  return { DELAY, words };
})();
