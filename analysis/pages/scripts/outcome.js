"use strict";
// The answer under moved priors in words: verdict, command, sentence, claims and headline numbers.
const Outcome = (() => {
  const { element } = Downloads;
  const REASONS = {
    reach: "the new posterior has mass where the run has no draws",
    weights_variance: "the correlations differ too much",
    k_hat: "the weights have too heavy a tail",
    weighted_ess: "too few draws count",
  };
  const EXACT = 1e-3; // of a posterior standard deviation, by which the page may miss the run's numbers
  const ENDS = ["q05", "q25", "q50", "q75", "q95"];

  /** A number of an answer in words; a delay that is nothing or for ever in shares. */
  function told(held, answer, column) {
    const shares = column.name === AlignmentWait.DELAY && AlignmentWait.words(answer, held.horizon);
    const [median, interval] = Words.interval(answer.rows[column.name], column);
    return shares || (interval ? `${median} (${interval})` : median);
  }

  /** Add to an answer the rows of its columns, by name. */
  function summarised(run, answer) {
    const row = ({ name }) => [name, Weights.summary(answer.columns[name], answer.weights)];
    answer.rows = Object.fromEntries(run.held.columns.map(row));
    return answer;
  }

  /** Probability of a claim, and its condition with the probability of that, in words. */
  function claimWords(run, answer, claim) {
    const found = Weights.claim(claim, answer.columns, answer.weights, run);
    const conditions = [claim.condition, claim.arrival].filter(Boolean).join(" and ");
    return {
      chance: found.probability === null ? "undefined" : Words.chance(found.probability, found.mcse),
      given: conditions ? `given ${conditions} (${Words.probability(found.given_probability)})` : "",
    };
  }

  function sentence(held, answer) {
    const columns = Object.fromEntries(held.columns.map((column) => [column.name, column]));
    const words = (_, name, ninety) => Words.interval(answer.rows[name], columns[name])[ninety ? 1 : 0];
    return held.sentence.replace(/\{(\w+(?:\[[^\]]*\])?)(\|90)?\}/g, words).replaceAll(" (90%: )", "");
  }

  /** How many draws the answer rests on. */
  function basis(held, answer) {
    const count = (draws) => Math.round(draws).toLocaleString("en");
    if (answer.exact) return `${count(held.draws)} draws count the same`;
    const value = (name) => answer.checks.find((check) => check.name === name)?.value;
    const limit = held.limits.k_hat.toFixed(2);
    return (
      `${count(value("weighted_ess"))} effective draws of ${count(held.draws)}, ` +
      `Pareto k-hat ${value("k_hat").toFixed(2)} (limit ${limit})`
    );
  }

  /** Whether to trust an answer: `verdict` and `reason` in words, and `trusted`. */
  function judged(answer, priors) {
    const failed = answer.checks.find((check) => !check.passed);
    const { unanswerable } = priors.state;
    const trusted = !unanswerable && !failed;
    if (!priors.any()) return { trusted, verdict: "As the run.", reason: "Move a prior, or leave evidence out." };
    if (unanswerable) {
      const reason = `The view changes ${unanswerable}: the run's draws cannot answer that.`;
      return { trusted, verdict: "Sample this one.", reason };
    }
    if (failed) {
      const where = failed.where ? ` (${failed.where})` : "";
      const reason = `Reweighting cannot be trusted: ${REASONS[failed.name]}${where}.`;
      return { trusted, verdict: "Sample this one.", reason };
    }
    if (!answer.exact) return { trusted, verdict: "Reweighted.", reason: "" };
    return { trusted, verdict: "Redrawn exactly.", reason: "No evidence bears on what was moved." };
  }

  /** Columns whose stored numbers the page's own arithmetic does not give. */
  function misses(held, base) {
    return held.columns.filter(({ name, stored }) => {
      // a censored quantile has no number
      const ends = ENDS.map((key) => stored[key]).filter((end) => end !== null);
      const spread = stored.sd ?? (ends.length ? (ends.at(-1) - ends[0]) / 3 : 0);
      const most = EXACT * Math.max(spread, 1e-3);
      const close = (key) => Math.abs(base.rows[name][key] - stored[key]) <= most;
      return ["q05", "q50", "q95"].some((key) => stored[key] !== null && !close(key));
    });
  }

  /** Fill the section's places; `show(answer)` puts another answer in them and returns whether to trust it. */
  function create(place, run, base, priors) {
    const { held } = run;
    const out = (name) => place.querySelector(`[data-out="${name}"]`);
    const cells = {};
    const conditions = {};

    function makeNumbers() {
      const body = out("numbers").querySelector("tbody");
      for (const column of held.columns) {
        const own = told(held, base, column);
        cells[column.name] = element("td", { "data-number": column.name });
        const head = element("th", { scope: "row" }, column.label);
        body.append(element("tr", {}, head, element("td", {}, own), cells[column.name]));
      }
    }

    function makeClaims() {
      for (const claim of held.claims) {
        cells[claim.name] = element("strong", { "data-claim": claim.name });
        conditions[claim.name] = element("span", { "data-given": claim.name });
        const text = ` ${claim.text} `;
        const words = `(${claim.whose}; this run: ${claimWords(run, base, claim).chance})`;
        const own = element("span", { class: "soft" }, words);
        out("claims").append(
          element("li", {}, cells[claim.name], text, conditions[claim.name], " ", own),
        );
      }
    }

    function showStatus(answer) {
      const { trusted, verdict, reason } = judged(answer, priors);
      place.classList.toggle("untrusted", !trusted);
      out("status").className = trusted ? "verdict" : "verdict fail";
      const draws = element("span", { class: "soft" }, `${basis(held, answer)}.`);
      out("status").replaceChildren(element("strong", {}, verdict), ` ${reason} `, draws);
      return trusted;
    }

    function showCommand() {
      const box = out("command");
      box.hidden = !priors.any();
      place.querySelector("[data-do=export]").disabled = Boolean(priors.state.unanswerable);
      box.querySelector("code").textContent = priors.command();
      box.querySelector("p").hidden = priors.expressible();
    }

    function show(answer) {
      for (const column of held.columns) {
        cells[column.name].textContent = told(held, answer, column);
      }
      for (const claim of held.claims) {
        const { chance, given } = claimWords(run, answer, claim);
        cells[claim.name].textContent = chance;
        conditions[claim.name].textContent = given;
      }
      out("sentence").textContent = sentence(held, answer);
      showCommand();
      return showStatus(answer);
    }

    /** Say so where the page's arithmetic does not give the run's stored numbers. */
    function checkArithmetic() {
      const off = misses(held, base);
      if (!off.length || held.draws !== held.all_draws) return;
      const labels = off.map((column) => column.label).join(", ");
      out("check").hidden = false;
      out("check").textContent =
        `This page's own arithmetic does not give the run's numbers of ${labels}: ` +
        "trust the table above, not what is moved here.";
    }

    checkArithmetic();
    makeNumbers();
    makeClaims();
    return { show };
  }

  return { create, summarised };
})();
