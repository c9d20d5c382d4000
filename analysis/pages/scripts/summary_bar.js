"use strict";
// The three numbers of the first screen, which stay in sight while priors are moved: what they are now, and
// what they were.
const SummaryBar = (() => {
  const { element } = Downloads;
  const LEADING = {
    alignment_hours_needed: "hours needed",
    prob_affordable: "tax can pay",
    tai_year: "arrival",
  };
  const MOST = 3;

  /** Fill the bar; returns how to show another answer. */
  function create(place, run, base) {
    const known = run.held.columns.filter(({ name }) => name in LEADING);
    const columns = known.length ? known : run.held.columns.slice(0, MOST);
    const order = Object.keys(LEADING);
    columns.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
    const median = (answer, column) =>
      Words.interval(answer.rows[column.name], column)[0].replace(" human-hours", "");
    const cells = columns.map((column) => {
      const [now, was] = [element("strong", {}), element("small", { class: "soft" })];
      const label = LEADING[column.name] ?? column.label;
      place.append(element("span", {}, element("small", { class: "soft" }, label), now, was));
      return { column, now, was };
    });
    const verdict = element("span", { class: "stamp bad" });
    place.append(verdict);

    return (answer, trusted) => {
      for (const { column, now, was } of cells) {
        const [before, after] = [median(base, column), median(answer, column)];
        now.textContent = after;
        was.textContent = before === after ? "as the run" : `was ${before}`;
      }
      verdict.textContent = trusted ? "" : "sample this one";
    };
  }

  return { create };
})();
