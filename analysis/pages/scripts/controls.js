"use strict";
// The priors of a run as controls: a sketch, sliders and fields for the 10, 50 and 90% points, a lock and a
// reset.
const Controls = (() => {
  const { element } = Downloads;
  const ENDS = 3; // a slider runs over the prior's scores from -3 to 3
  const STEPS = 600;
  const DIGITS = 4;
  const PERCENT = ["10%", "50%", "90%"];

  const rounded = (x) => Number(x.toPrecision(DIGITS));

  /** The ends of a quantity's sliders in link space; a share that lies below 100% stays there. */
  function ends(quantity, table) {
    const [low, high] = [-ENDS, ENDS].map((score) => Tables.value(table, score));
    const whole = Tables.toLink(quantity, 1);
    return [low, quantity.share && Tables.value(table, 1.3) < whole ? Math.min(high, whole) : high];
  }

  /**
   * The control of one prior. `changed(points)` is called with three numbers in the quantity's own unit,
   * or with null for the run's own prior.
   */
  function prior(run, quantity, changed) {
    const table = run.now[run.index[quantity.name]];
    const [low, high] = ends(quantity, table);
    const gap = (high - low) / STEPS;
    const pointsOf = (of) =>
      run.held.score.map((score) => rounded(Tables.fromLink(quantity, Tables.value(of, score))));
    const own = pointsOf(table);
    const state = { points: own.slice(), locked: false, moved: false, table: null };
    const typed = [false, false, false]; // fields whose text has not been taken yet
    const words = element("output", { class: "soft" });
    const problem = element("p", { class: "problem", role: "alert", id: `problem-${quantity.name}` });
    const sketch = Sketch.create(quantity, table, low, high);
    const fields = [];
    const sliders = [];

    function show() {
      state.points.forEach((x, k) => {
        if (!typed[k] && document.activeElement !== fields[k]) fields[k].value = Amounts.write(quantity, x);
        sliders[k].value = String(Tables.toLink(quantity, x));
        sliders[k].setAttribute("aria-valuetext", spelt(quantity, x));
      });
      const [low90, middle, high90] = state.points.map((x, k) => spelt(quantity, x, k === 1));
      words.textContent = `${middle} (${low90} to ${high90})`;
      box.classList.toggle("moved", state.moved);
      for (const input of [...fields, ...sliders]) input.disabled = state.locked || !quantity.movable;
      reset.disabled = !(state.moved || typed.some(Boolean)) || state.locked;
      sketch.show(state.moved ? (state.table ?? WhatIf.stated(run, quantity.name, state.points)) : null);
    }

    /** Say what is wrong with a field beside it; its text stays, and the answer keeps the last points. */
    function say(k, text) {
      problem.textContent = text
        ? `${PERCENT[k]} point: ${text}. Not taken: the answer keeps ${spelt(quantity, state.points[k])}.`
        : "";
      fields.forEach((field, j) => field.setAttribute("aria-invalid", String(Boolean(text) && j === k)));
    }

    function settle(points, moved, of = null) {
      typed.fill(false);
      say(0, "");
      Object.assign(state, { points, moved, table: of });
    }

    function take(points) {
      settle(points, true);
      show();
      changed(points);
    }

    /** Read the fields; what is wrong with them is said and not taken. */
    function type(k) {
      typed[k] = true;
      reset.disabled = state.locked;
      const order = [k, ...[0, 1, 2].filter((j) => j !== k)];
      const points = state.points.slice();
      for (const j of order.filter((each) => typed[each])) {
        const { value, problem: wrong } = Amounts.read(quantity, fields[j].value);
        if (wrong) return say(j, wrong);
        points[j] = value;
      }
      const told = (j) => spelt(quantity, points[j]);
      if (k > 0 && points[k] <= points[k - 1])
        return say(k, `must lie above the ${PERCENT[k - 1]} point, ${told(k - 1)}`);
      if (k < 2 && points[k] >= points[k + 1])
        return say(k, `must lie below the ${PERCENT[k + 1]} point, ${told(k + 1)}`);
      if (points[0] >= points[1] || points[1] >= points[2]) return say(k, "the three points must increase");
      return take(points);
    }

    /** A slider pushes its neighbours along, so that the points stay in order and on the track. */
    function slide(k, y) {
      const links = state.points.map((x) => Tables.toLink(quantity, x));
      links[k] = Math.min(Math.max(y, low + k * gap), high - (2 - k) * gap);
      for (let j = k + 1; j < 3; j += 1) links[j] = Math.max(links[j], links[j - 1] + gap);
      for (let j = k - 1; j >= 0; j -= 1) links[j] = Math.min(links[j], links[j + 1] - gap);
      take(
        links.map((link, j) =>
          link === Tables.toLink(quantity, state.points[j])
            ? state.points[j]
            : rounded(Tables.fromLink(quantity, link)),
        ),
      );
    }

    const rows = PERCENT.map((percent, k) => {
      const label = `${quantity.label}, ${percent} point`;
      fields[k] = element("input", {
        type: "text",
        inputmode: "decimal",
        autocomplete: "off",
        "aria-label": `${label}, ${quantity.unit}`,
        "aria-describedby": problem.id,
        oninput: () => type(k),
        onblur: show,
      });
      sliders[k] = element("input", {
        type: "range",
        min: low,
        max: high,
        step: gap,
        "aria-label": label,
        oninput: (event) => slide(k, Number(event.target.value)),
      });
      return [
        element("label", { class: "point" }, element("span", { class: "soft" }, percent), sliders[k]),
        element("label", {}, element("span", { class: "soft" }, percent), fields[k]),
      ];
    });
    const reset = element(
      "button",
      {
        type: "button",
        "aria-label": `Reset ${quantity.label}`,
        onclick: () => {
          put(null);
          changed(null);
        },
      },
      "Reset",
    );
    const lock = element("input", {
      type: "checkbox",
      "aria-label": `Lock ${quantity.label}`,
      onchange: (event) => {
        state.locked = event.target.checked;
        show();
      },
    });
    const note = quantity.movable
      ? quantity.informed
        ? "informed by evidence"
        : "assumed"
      : "moves more than this page holds: use aligntax refit";
    const box = element(
      "fieldset",
      { class: "prior", "data-quantity": quantity.name },
      element("legend", {}, quantity.label),
      element(
        "small",
        { class: "soft" },
        `${quantity.meaning}${["1", "x"].includes(quantity.unit) ? "" : `, in ${quantity.unit}`}; ${note}`,
      ),
      element("div", { class: "tracks" }, sketch.element, ...rows.map(([slider]) => slider)),
      element("div", { class: "points" }, ...rows.map(([, field]) => field)),
      problem,
      element("div", { class: "tools" }, words, element("label", {}, lock, " lock"), reset),
    );

    /** Show the run's own points (null), or those of a table that is not the run's. */
    function put(next) {
      settle(next ? pointsOf(next) : own.slice(), next !== null, next);
      show();
    }

    /** Show points that were stated elsewhere. */
    function set(points) {
      settle(points, true);
      show();
    }

    show();
    return {
      box,
      put,
      set,
      get locked() {
        return state.locked;
      },
    };
  }

  /** A natural value in words. */
  function spelt(quantity, x, unit = true) {
    return Words.amount(quantity.scale === "log10" ? Math.log10(x) : x, quantity, unit);
  }

  return { prior };
})();
