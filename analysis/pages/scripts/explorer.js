"use strict";

// Interactive figures and tables: the values behind each image by pointer and arrow keys, as a table and
// as files. Without it every image, caption and table still stands. Data becomes text nodes alone.
const explorer = (() => {
  const PLACES = 10000; // of an image's width and height
  const REACH = 48; // pixels from the pointer within which a value is shown
  const COLUMNS = ["x", "y", "low", "high", "value"];
  const data = JSON.parse(document.getElementById("figures").textContent);

  const make = Downloads.element;

  // Files

  const plain = (text) =>
    text
      .normalize("NFKC")
      .replace(/[^\p{L}\p{N}._-]+/gu, "-")
      .slice(0, 60);
  const save = (name, content, type) => Downloads.save(`${plain(data.run)}-${name}`, content, type);
  const saveTable = (name, rows) => save(`${name}.csv`, Downloads.csv(rows), "text/csv;charset=utf-8");

  const saveImage = (figure, image) => {
    const data = image.src.slice(image.src.indexOf(",") + 1);
    const name = figure.dataset.figure;
    if (image.src.startsWith("data:image/svg")) {
      save(`${name}.svg`, decodeURIComponent(data), "image/svg+xml");
      return;
    }
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    save(`${name}.png`, bytes, "image/png");
  };

  // Values

  const has = (panel, key) => panel.series.some((series) => key in series);
  const shown = (panel) => COLUMNS.filter((key) => has(panel, key));
  const inWords = (panel, key) => panel.series.some((series) => series.words?.[key]);
  const axisOf = (panel, key) =>
    key === "x" || key === "y" ? key : panel.series.find((series) => series.along)?.along;
  const label = (panel, key) => (key === "x" || key === "y" ? panel[key] : key);
  const word = (series, key, row) => series.words?.[key]?.[row] ?? String(series[key]?.[row] ?? "");
  const rows = (series) => series[COLUMNS.find((key) => key in series)].length;

  const csvOf = (panels) => {
    const keys = COLUMNS.filter((key) => panels.some((panel) => has(panel, key)));
    const spelt = new Set(keys.filter((key) => panels.some((panel) => inWords(panel, key))));
    const same = (texts) => (new Set(texts).size === 1 ? texts[0] : null);
    const header = (key) => {
      const named = (panel) =>
        [panel.numbers[axisOf(panel, key)], label(panel, key)].filter(Boolean).join(" of ");
      return same(panels.filter((panel) => has(panel, key)).map(named)) ?? key;
    };
    const head = [
      "panel",
      "series",
      ...keys.flatMap((key) => [header(key), ...(spelt.has(key) ? [`${key} in words`] : [])]),
    ];
    const body = panels.flatMap((panel) =>
      panel.series.flatMap((series) =>
        Array.from({ length: rows(series) }, (_, row) => [
          panel.title,
          series.name,
          ...keys.flatMap((key) => [
            series[key]?.[row],
            ...(spelt.has(key) ? [series.words?.[key]?.[row]] : []),
          ]),
        ]),
      ),
    );
    return [head, ...body];
  };

  const headOf = (panel, key) => {
    const numbers = inWords(panel, key) && panel.numbers[axisOf(panel, key)];
    return make("th", {}, label(panel, key), ...(numbers ? [" ", make("small", {}, numbers)] : []));
  };

  const cell = (series, key, row) => {
    const number = series.words?.[key] ? series[key][row] : null;
    return make(
      "td",
      {},
      word(series, key, row),
      ...(number === null ? [] : [" ", make("small", {}, String(number))]),
    );
  };

  const tableOf = (panel) => {
    const keys = shown(panel);
    const body = panel.series.flatMap((series) =>
      Array.from({ length: rows(series) }, (_, row) =>
        make("tr", {}, make("td", {}, series.name), ...keys.map((key) => cell(series, key, row))),
      ),
    );
    const head = make("tr", {}, make("th", {}, "series"), ...keys.map((key) => headOf(panel, key)));
    const title = panel.title ? [make("caption", {}, panel.title)] : [];
    return make("table", {}, ...title, make("thead", {}, head), make("tbody", {}, ...body));
  };

  const notes = (panels) => {
    const all = panels.flatMap((panel) => panel.series);
    const thinned = all.filter((series) => series.thinned);
    const cut = all.some((series) =>
      COLUMNS.some((key) => series[key]?.some((value) => /^[<>]/.test(value ?? ""))),
    );
    const most = Math.max(...thinned.map((series) => series.thinned));
    return [
      thinned.length
        ? `Long series are thinned evenly, the longest from ${most} values; ` +
          "lines between them are drawn whole."
        : "",
      cut ? "What lies beyond an axis stands as < or > its end." : "",
    ]
      .filter(Boolean)
      .join(" ");
  };

  // Hover: every row is a spot, or the stretch between two

  const spotsOf = (panels) =>
    panels
      .flatMap((panel) =>
        panel.series.map((series) => {
          const ends = series.along ? 2 : 1;
          return Array.from({ length: rows(series) }, (_, row) => {
            const at = series.at.slice(2 * ends * row, 2 * ends * (row + 1));
            return at.includes(null) ? null : { panel, series, row, at: at.map((place) => place / PLACES) };
          }).filter(Boolean);
        }),
      )
      .filter((spots) => spots.length);

  // The nearest place of a spot to the pointer, and its distance. A curve or a point takes precedence
  // over an interval that contains it.
  const near = (spot, x, y, width, height) => {
    const [left, top] = [spot.at[0] * width, spot.at[1] * height];
    if (!spot.series.along) return { spot, left, top, far: Math.hypot(x - left, y - top) };
    const [dx, dy] = [spot.at[2] * width - left, spot.at[3] * height - top];
    const long = Math.hypot(dx, dy);
    const share = long ? Math.min(1, Math.max(0, ((x - left) * dx + (y - top) * dy) / long ** 2)) : 0;
    const far = Math.hypot(x - left - share * dx, y - top - share * dy);
    return {
      spot,
      left: left + Math.round(share) * dx,
      top: top + Math.round(share) * dy,
      far: far + 8 + long / 1000,
    };
  };

  const lines = ({ panel, series, row }) => {
    const labelled = (key) => `${label(panel, key)}: ${word(series, key, row)}`;
    const range =
      series.along && `${panel[series.along]}: ${word(series, "low", row)} to ${word(series, "high", row)}`;
    return [
      ...["x", "y"].map((key) =>
        key === series.along ? range : key in series && series[key][row] !== null && labelled(key),
      ),
      "value" in series && labelled("value"),
    ].filter(Boolean);
  };

  const hover = (image, spots) => {
    const ring = make("span", { class: "ring", hidden: "" });
    const box = make("output", { class: "tip", hidden: "" });
    image.parentElement.append(ring, box);
    let [group, index] = [0, -1];

    const hide = () => {
      ring.hidden = box.hidden = true;
    };
    const show = ({ spot, left, top }, spoken) => {
      const title =
        spot.panel.title && spot.panel.title !== spot.series.name
          ? [make("span", {}, spot.panel.title)]
          : [];
      box.setAttribute("aria-live", spoken ? "polite" : "off");
      box.replaceChildren(
        make("strong", {}, spot.series.name),
        ...title,
        ...lines(spot).map((text) => make("span", {}, text)),
      );
      ring.hidden = box.hidden = false;
      Object.assign(ring.style, { left: `${left}px`, top: `${top}px` });
      const aside =
        left + 14 + box.offsetWidth <= image.clientWidth ? left + 14 : left - 14 - box.offsetWidth;
      const below = Math.min(top + 10, image.clientHeight - box.offsetHeight);
      Object.assign(box.style, { left: `${Math.max(0, aside)}px`, top: `${Math.max(0, below)}px` });
    };
    const go = (to, at) => {
      [group, index] = [(to + spots.length) % spots.length, at];
      const row = spots[group];
      index = (index + row.length) % row.length;
      const [left, top] = row[index].at;
      show({ spot: row[index], left: left * image.clientWidth, top: top * image.clientHeight }, true);
    };
    // Row of another series that lies nearest across, so that series can be compared at one place.
    const beside = (to) => {
      const from = spots[group][Math.max(0, index)].at[0];
      const row = spots[(to + spots.length) % spots.length];
      return row.reduce(
        (best, spot, i) => (Math.abs(spot.at[0] - from) < Math.abs(row[best].at[0] - from) ? i : best),
        0,
      );
    };

    image.addEventListener("pointermove", (event) => {
      const frame = image.getBoundingClientRect();
      const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
      const found = spots.flat().map((spot) => near(spot, x, y, frame.width, frame.height));
      const best = found.reduce((a, b) => (b.far < a.far ? b : a));
      if (best.far > REACH) return hide();
      group = spots.findIndex((row) => row.includes(best.spot));
      index = spots[group].indexOf(best.spot);
      return show(best, false);
    });
    image.addEventListener("pointerleave", hide);
    image.addEventListener("blur", hide);
    image.addEventListener("keydown", (event) => {
      const moves = {
        ArrowRight: () => go(group, index + 1),
        ArrowLeft: () => go(group, Math.max(index, 0) - 1),
        ArrowDown: () => go(group + 1, beside(group + 1)),
        ArrowUp: () => go(group - 1, beside(group - 1)),
        Home: () => go(group, 0),
        End: () => go(group, -1),
        Escape: hide,
      };
      if (!(event.key in moves)) return;
      event.preventDefault();
      moves[event.key]();
    });
  };

  // The page

  const button = (text, title, act) => {
    const made = make("button", { type: "button", title }, text);
    made.addEventListener("click", act);
    return made;
  };

  const fill = (details, panels) => {
    const note = notes(panels);
    const scroll = make("div", {
      class: "values",
      tabindex: "0",
      role: "region",
      "aria-label": "Values of the figure",
    });
    scroll.append(...panels.map(tableOf));
    details.append(scroll, ...(note ? [make("p", { class: "soft" }, note)] : []));
  };

  const openFigure = (figure) => {
    const image = figure.querySelector("img");
    const name = figure.dataset.figure;
    const panels = data.panels[name];
    const tools = make("div", { class: "tools" });
    const kind = image.src.startsWith("data:image/svg") ? "SVG" : "PNG";
    if (panels) {
      const details = make("details", {}, make("summary", {}, "Table"));
      details.addEventListener("toggle", () => {
        if (details.children.length === 1) fill(details, panels);
        // columns may have been balanced anew
        if (details.open) details.scrollIntoView({ block: "nearest" });
      });
      tools.append(
        details,
        button("CSV", "Download the values", () => saveTable(name, csvOf(panels))),
      );
      image.setAttribute("tabindex", "0");
      image.setAttribute("role", "img");
      hover(image, spotsOf(panels));
    }
    tools.append(button(kind, "Download the figure", () => saveImage(figure, image)));
    figure.append(tools);
  };

  // Text of a cell; a second, small line of a cell explains the first and is no value.
  const textOf = (element) => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const parts = [];
    while (walker.nextNode()) {
      const aside = element.tagName === "TD" && walker.currentNode.parentElement.matches("br + small");
      if (!aside) parts.push(walker.currentNode.textContent.trim());
    }
    return parts.filter(Boolean).join(" ");
  };

  const openTable = (table) => {
    const read = () => [...table.rows].map((row) => [...row.cells].map(textOf));
    const place = table.closest(".wide") ?? table;
    const bar = make("div", { class: "tools" });
    bar.append(button("CSV", "Download this table", () => saveTable(table.dataset.csv, read())));
    place.before(bar);
  };

  document.querySelectorAll("figure[data-figure]").forEach(openFigure);
  document.querySelectorAll("table[data-csv]").forEach(openTable);
  return { csvOf };
})();
