"use strict";
// Sorts and filters the table of runs. Without this script the table stands as it is written, newest first.
const Sortable = (() => {
  // what a first click is likely to want
  const FIRST = { text: "ascending", number: "descending", date: "descending" };
  const compared = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

  /** What a cell sorts by; null where it says nothing. */
  function key(cell, kind) {
    const text = cell.dataset.sort ?? "";
    if (text === "" || kind === "text") return text === "" ? null : text;
    const value = kind === "date" ? Date.parse(text) : Number(text);
    return Number.isNaN(value) ? null : value;
  }

  function order(a, b) {
    if (typeof a === "string") return compared.compare(a, b);
    return a === b ? 0 : a < b ? -1 : 1; // two that are infinite have no difference
  }

  /** Put rows in order; those that say nothing last either way, equal ones as the page was written. */
  function sort(table, written, column, kind, descending) {
    const rows = written.map((row) => ({ row, value: key(row.cells[column], kind) }));
    rows.sort((a, b) => {
      if (a.value === null || b.value === null) return (a.value === null) - (b.value === null);
      return descending ? order(b.value, a.value) : order(a.value, b.value);
    });
    table.tBodies[0].append(...rows.map(({ row }) => row));
  }

  function addButtons(table, written) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const label = head.querySelector(".sorter");
      if (!label) return;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sorter";
      button.textContent = label.textContent;
      label.replaceWith(button);
      button.addEventListener("click", () => {
        const was = head.getAttribute("aria-sort");
        const { kind } = head.dataset;
        const next = was === null ? FIRST[kind] : was === "ascending" ? "descending" : "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", next);
        sort(table, written, column, kind, next === "descending");
      });
    });
  }

  function addFilter(written) {
    const input = document.getElementById("filter");
    const found = document.getElementById("found");
    input.parentElement.hidden = false;
    const apply = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      written.forEach((row) => {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      });
      const shown = written.filter((row) => !row.hidden).length;
      found.textContent = words.length ? `${shown} of ${written.length} runs` : "";
    };
    input.addEventListener("input", apply);
    apply(); // a browser that goes back keeps what was typed
  }

  const table = document.getElementById("runs");
  if (table) {
    const written = [...table.tBodies[0].rows];
    addButtons(table, written);
    addFilter(written);
  }
  return { sort };
})();
