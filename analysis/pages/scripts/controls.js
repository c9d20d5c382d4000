"use strict";
// The priors of a run as controls: sliders and numbers for the 10, 50 and 90% points, a lock and a reset.
const Controls = (() => {
  const { element } = Downloads;
  const ENDS = 4;
  const STEPS = 400;
  const DIGITS = 4; // a slider runs over the prior's scores from -4 to 4
  const PERCENT = ["10%", "50%", "90%"];

  const rounded = (x) => Number(x.toPrecision(DIGITS));

  /**
   * The control of one prior. `changed(points)` is called with three numbers in the quantity's own unit,
   * or with null for the run's own prior.
   */
  function prior(run, quantity, changed) {
    const table = run.now[run.index[quantity.name]];
    const at = (score) => Tables.value(table, score);
    const low = at(-ENDS);
    const high = at(ENDS);
    const own = run.held.score.map((score) => rounded(Tables.fromLink(quantity, at(score))));
    const state = { points: own.slice(), locked: false, moved: false };
    const words = element("output", { class: "soft" });
    const problem = element("small", { class: "problem", role: "alert" });
    const numbers = [];
    const sliders = [];

    function show() {
      state.points.forEach((x, k) => {
        if (document.activeElement !== numbers[k]) numbers[k].value = String(x);
        sliders[k].value = String(Tables.toLink(quantity, x));
        sliders[k].setAttribute("aria-valuetext", spelt(quantity, x));
      });
      const [low90, middle, high90] = state.points.map((x, k) => spelt(quantity, x, k === 1));
      words.textContent = `${middle} (${low90} to ${high90})`;
      box.classList.toggle("moved", state.moved);
      for (const input of [...numbers, ...sliders]) input.disabled = state.locked || !quantity.movable;
      reset.disabled = !state.moved || state.locked;
    }

    /** Take points if they are in order and in range; otherwise say why not and keep the last ones. */
    function take(points) {
      const inside = points.every((x) => Number.isFinite(Tables.toLink(quantity, x)));
      const ordered = points[0] < points[1] && points[1] < points[2];
      problem.textContent = !inside
        ? `Outside the quantity's range (${range(quantity)}).`
        : ordered
          ? ""
          : "The three points must increase.";
      for (const input of numbers) input.setAttribute("aria-invalid", String(!inside || !ordered));
      if (!inside || !ordered) return;
      Object.assign(state, { points, moved: true });
      show();
      changed(points);
    }

    /** A slider pushes its neighbours along, so that the points stay in order. */
    function slide(k, y) {
      const gap = (high - low) / STEPS;
      const links = state.points.map((x) => Tables.toLink(quantity, x));
      links[k] = y;
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

    const points = PERCENT.map((percent, k) => {
      const label = `${quantity.label}, ${percent} point`;
      numbers[k] = element("input", {
        type: "number",
        step: "any",
        inputmode: "decimal",
        "aria-label": `${label}, ${quantity.unit}`,
        oninput: (event) =>
          take(state.points.map((x, j) => (j === k ? Number(event.target.value || NaN) : x))),
        onblur: show,
      });
      sliders[k] = element("input", {
        type: "range",
        min: low,
        max: high,
        step: (high - low) / STEPS,
        "aria-label": label,
        oninput: (event) => slide(k, Number(event.target.value)),
      });
      return element("div", {}, element("span", { class: "soft" }, percent), numbers[k], sliders[k]);
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
      element("div", { class: "points" }, ...points),
      problem,
      element("div", { class: "tools" }, words, element("label", {}, lock, " lock"), reset),
    );

    /** Show the run's own points (null), or those of a table that is not the run's. */
    function put(next) {
      Object.assign(state, {
        points: next
          ? run.held.score.map((score) => rounded(Tables.fromLink(quantity, Tables.value(next, score))))
          : own.slice(),
        moved: next !== null,
      });
      problem.textContent = "";
      for (const input of numbers) input.removeAttribute("aria-invalid");
      show();
    }

    show();
    return {
      box,
      put,
      get locked() {
        return state.locked;
      },
    };
  }

  function range(quantity) {
    if (quantity.scale === "log10") return "above 0";
    return quantity.scale === "logit"
      ? `between ${quantity.lower} and ${quantity.upper}`
      : "a finite number";
  }

  /** A natural value in words. */
  function spelt(quantity, x, unit = true) {
    return Words.amount(quantity.scale === "log10" ? Math.log10(x) : x, quantity, unit);
  }

  return { prior };
})();
