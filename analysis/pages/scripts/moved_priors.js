"use strict";
// The priors that a reader has moved, and two ways to state them: as a command and as a view's file.
const MovedPriors = (() => {
  const quoted = (text) => JSON.stringify(text).replaceAll("\u007f", "\\u007f");

  /** A number that TOML reads as a float. */
  function decimal(x) {
    const text = String(x);
    return /[.e]/.test(text) ? text : `${text}.0`;
  }

  function create(run) {
    const { held } = run;
    const views = Object.fromEntries(held.views.map((view) => [view.name, view]));
    // By quantity: `tables` are the priors in use, `points` what was stated by hand. `view` is the menu's
    // choice, `unanswerable` what it changes beside priors, which the page cannot answer.
    const state = { tables: {}, points: {}, view: null, unanswerable: "" };

    const any = () => Object.keys(state.tables).length > 0 || state.unanswerable !== "";

    /** State the three points of a prior; null takes the run's own again. */
    function put(name, points) {
      delete state.tables[name];
      delete state.points[name];
      if (!points) return;
      state.points[name] = points;
      state.tables[name] = WhatIf.stated(run, name, points);
    }

    /** Take the priors of a view, by name, for some quantities; the run's own if there is no such view. */
    function take(viewName, quantities) {
      const view = views[viewName];
      Object.assign(state, { view: view ? viewName : null, unanswerable: view?.other ?? "" });
      for (const name of quantities) {
        const i = run.index[name];
        const table = !view || view.other ? null : (run.views[viewName][name] ?? run.tables[i]);
        put(name, null);
        if (table && !WhatIf.same(table, run.now[i])) state.tables[name] = table;
      }
    }

    /**
     * Whether a command says exactly what the page shows. A prior that a lock keeps from a view may have no
     * points to state.
     */
    function expressible() {
      if (state.unanswerable) return true;
      return held.quantities.every(({ name }) => {
        const i = run.index[name];
        const ofView = state.view ? (run.views[state.view][name] ?? run.tables[i]) : run.now[i];
        return state.points[name] || WhatIf.same(state.tables[name] ?? run.now[i], ofView);
      });
    }

    function command() {
      const words = ["aligntax", "refit", held.run];
      if (!expressible()) return [...words, "--view", "what-if.toml"].join(" ");
      if (state.view) words.push("--view", state.view);
      for (const [name, points] of Object.entries(state.points))
        words.push("--set", `${name}=${points.join(",")}`);
      return words.join(" ");
    }

    /** One prior as a block of TOML: as stated by hand, as the view has it, or as the run has it. */
    function block(name) {
      const points = state.points[name];
      if (points) {
        const lines = points.map((x, k) => `"${held.probability[k]}" = ${decimal(x)}`);
        return `[quantities.${name}.quantiles]\n${lines.join("\n")}\n`;
      }
      return (
        (state.tables[name] && state.view && views[state.view].priors[name]) || held.file.quantities[name]
      );
    }

    /** The view as a file: this run's own, complete, with the moved priors in place of theirs. */
    function viewFile() {
      const today = new Date().toISOString().slice(0, 10);
      const source = `moved in the report of run ${held.run}, ${today}`;
      const head = [
        `name = ${quoted(`${held.view}-what-if`)}`,
        `source = ${quoted(source)}`,
        held.file.head,
      ];
      const rest = Object.keys(held.file.quantities).filter((name) => !(name in run.index));
      return [
        ...head,
        ...held.quantities.map(({ name }) => block(name)),
        ...rest.map((name) => held.file.quantities[name]),
      ].join("\n");
    }

    return { state, any, put, take, expressible, command, viewFile };
  }

  return { create };
})();
