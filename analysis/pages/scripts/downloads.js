"use strict";
// Files that a page hands out, made in the page: pictures as SVG, rows as CSV, and tables of rows.
const Downloads = (() => {
  function element(tag, attributes = {}, ...children) {
    const found = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) found.addEventListener(name.slice(2), value);
      else if (value !== false && value !== undefined) found.setAttribute(name, value === true ? "" : value);
    }
    found.append(...children);
    return found;
  }

  function save(name, text, type) {
    const url = URL.createObjectURL(new Blob([text], { type }));
    const link = element("a", { href: url, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  const keys = (rows) => [...new Set(rows.flatMap((row) => Object.keys(row)))];

  /** A cell of CSV (RFC 4180); a text that a spreadsheet would run as a formula is marked as text. */
  function cell(value) {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return String(value);
    const text = /^[=+@\t\r]|^-(?![\d.])/.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  /** Rows of cells as CSV. */
  const csv = (rows) => rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";

  /** Objects as a header and rows of cells. */
  function cells(rows) {
    const names = keys(rows);
    return [names, ...rows.map((row) => names.map((name) => row[name]))];
  }

  const shown = (value) =>
    typeof value === "number" ? String(Number(value.toPrecision(5))) : String(value ?? "");

  function table(rows) {
    const names = keys(rows);
    const head = element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name)));
    const body = rows.map((row) =>
      element(
        "tr",
        {},
        ...names.map((name) =>
          element("td", { class: typeof row[name] === "number" ? "number" : "" }, shown(row[name])),
        ),
      ),
    );
    return element(
      "div",
      { class: "wide" },
      element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)),
    );
  }

  const slug = (text) =>
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, "")
      .slice(0, 60) || "figure";

  /** Below a live chart: its rows as a table that is made when opened, and both downloads. */
  function tools(chart, name) {
    const details = element("details", {}, element("summary", {}, "Table"));
    details.addEventListener("toggle", () => {
      details.querySelector(".wide")?.remove();
      if (details.open) details.append(table(chart.rows));
    });
    const picture = element(
      "button",
      { type: "button", onclick: async () => save(`${slug(name)}.svg`, await chart.svg(), "image/svg+xml") },
      "SVG",
    );
    const rows = element(
      "button",
      {
        type: "button",
        onclick: () => save(`${slug(name)}.csv`, csv(cells(chart.rows)), "text/csv;charset=utf-8"),
      },
      "CSV",
    );
    picture.setAttribute("aria-label", `Download ${name} as SVG`);
    rows.setAttribute("aria-label", `Download the numbers of ${name} as CSV`);
    return element("div", { class: "tools" }, picture, rows, details);
  }

  return { element, save, csv, tools };
})();
