"use strict";
// Forest and pair plots of quantities that a reader chooses, under whatever priors are set.
const Chosen = (() => {
  const { element } = Downloads;
  const DOTS = 600;

  /** Draws that count the same, in proportion to their weights, by systematic resampling. */
  function resampled(weights, size) {
    const found = [];
    let sum = 0;
    let i = 0;
    for (let d = 0; d < weights.length; d += 1) {
      sum += weights[d];
      while (i < size && (i + 0.5) / size <= sum) {
        found.push(d);
        i += 1;
      }
    }
    return found;
  }

  function forestRows(run, names, answer) {
    return names.map((name) => {
      const i = run.index[name];
      const quantity = run.held.quantities[i];
      const row = Weights.summary(answer.carried.z[i], answer.weights);
      const value = (score) =>
        Words.amount(Tables.toScale(quantity, Tables.value(answer.carried.tables[i], score)), quantity);
      const { q05, q25, q50, q75, q95 } = row;
      return {
        label: quantity.label,
        q05,
        q25,
        q50,
        q75,
        q95,
        median: value(q50),
        interval: `${value(q05)} to ${value(q95)}`,
      };
    });
  }

  /** Values by name: elicited quantities and columns. */
  function values(run, name, answer) {
    if (name in answer.columns)
      return { quantity: run.held.columns.find((column) => column.name === name), x: answer.columns[name] };
    return { quantity: run.held.quantities[run.index[name]], x: answer.carried.values[run.index[name]] };
  }

  function pairRows(run, names, answer) {
    const [first, second] = names.map((name) => values(run, name, answer));
    return resampled(answer.weights, Math.min(DOTS, run.n))
      .filter((d) => Number.isFinite(first.x[d]) && Number.isFinite(second.x[d]))
      .map((d) => ({
        x: first.x[d],
        y: second.x[d],
        first: Words.amount(first.x[d], first.quantity),
        second: Words.amount(second.x[d], second.quantity),
      }));
  }

  /** Fill a <details>; nothing is drawn until it is opened. */
  function create(place, run, answer) {
    const state = { answer, charts: [] };
    const forest = element(
      "select",
      { "aria-label": "Quantities of the forest plot" },
      ...run.held.groups.map(({ title }, i) => element("option", { value: i }, title)),
    );
    const all = [
      ...run.held.columns,
      ...run.held.quantities.filter(({ name }) => !run.held.columns.some((column) => column.name === name)),
    ];
    const pick = (label, at) => {
      const select = element(
        "select",
        { "aria-label": label },
        ...all.map(({ name, label: words }) => element("option", { value: name }, words)),
      );
      select.selectedIndex = Math.min(at, all.length - 1);
      return select;
    };
    const across = pick("Horizontal quantity", 0);
    const up = pick("Vertical quantity", 1);
    const left = element("figure", {});
    const right = element("figure", {});
    place.append(
      element(
        "div",
        { class: "charts" },
        element("div", {}, element("label", {}, "Forest of ", forest), left),
        element(
          "div",
          {},
          element("label", {}, "Pairs: ", across),
          element("label", {}, " and ", up),
          right,
        ),
      ),
    );

    async function drawn(figure, spec, rows, title, note) {
      const area = element("div", { class: "chart" });
      figure.replaceChildren(area, element("figcaption", {}, note));
      const chart = await Charts.draw(area, spec, rows(state.answer), title);
      figure.append(Downloads.tools(chart, `${run.held.run} ${title}`));
      return (now) => chart.update(rows(now));
    }

    async function drawAll() {
      if (!place.open) {
        state.charts = [];
        return;
      }
      const { quantities } = run.held.groups[Number(forest.value)];
      const names = [across.value, up.value];
      const [first, second] = names.map((name) => values(run, name, state.answer).quantity);
      state.charts = [
        await drawn(
          left,
          Specs.forest(quantities.length),
          (now) => forestRows(run, quantities, now),
          "Forest plot",
          "What the evidence moved: each posterior (median, 50% and 90%) in scores of its prior, " +
            "as set above.",
        ),
        await drawn(
          right,
          Specs.pair(first, second),
          (now) => pairRows(run, names, now),
          `${first.label} and ${second.label}`,
          "Draws in proportion to their weights; those without both numbers are left out.",
        ),
      ];
    }

    let queue = Promise.resolve(); // one after the other, so that the last choice is what stands
    const draw = () => {
      queue = queue.then(drawAll);
    };
    place.addEventListener("toggle", draw);
    for (const select of [forest, across, up]) select.addEventListener("change", draw);
    return async (now) => {
      state.answer = now;
      await Promise.all(state.charts.map((redraw) => redraw(now)));
    };
  }

  return { create };
})();
