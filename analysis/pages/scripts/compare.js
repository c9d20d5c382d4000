"use strict";
// Draws the charts of a comparison and offers their numbers and pictures as files. A chart that fails
// shows its error.
const Compare = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const FONT = "system-ui, sans-serif";
  const GAP = 14;
  const LINE = 18; // pixels between panels of a saved picture, and of a line of its text
  const held = JSON.parse(document.getElementById("comparison").textContent);
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // Colours are the page's by name, so that a change of its scheme and printing need no drawing again.
  const INK = "var(--ink)";
  const SOFT = "var(--soft)";
  const LINE_COLOUR = "var(--line)";
  const CONFIG = {
    background: "transparent",
    font: FONT,
    view: { stroke: null },
    text: { color: INK },
    axis: {
      labelColor: SOFT,
      titleColor: INK,
      gridColor: LINE_COLOUR,
      domainColor: LINE_COLOUR,
      tickColor: LINE_COLOUR,
      titleFontWeight: 400,
      labelFontSize: 11,
      titleFontSize: 11,
    },
  };

  function failed(place, error) {
    const box = document.createElement("div");
    box.className = "broken";
    box.setAttribute("role", "alert");
    const reason = `${error.name}: ${error.message}`;
    box.textContent = `This chart could not be drawn. ${reason}. Its numbers stand in the table below.`;
    place.replaceChildren(box);
  }

  /** Draw a panel in its place; the drawn view, or null where it failed. */
  async function draw(place, panel) {
    const spec = {
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      width: "container",
      autosize: { type: "fit", contains: "padding" },
      data: { values: panel.rows },
      config: CONFIG,
      description: `${panel.title}. ${panel.description}`,
      ...panel.spec,
    };
    try {
      await ChartingLibrary.ready();
      return (
        await vegaEmbed(place, spec, { ast: true, actions: false, renderer: "svg", mode: "vega-lite" })
      ).view;
    } catch (error) {
      failed(place, error);
      return null;
    }
  }

  /** Colours of the page in place of their names, which a picture alone does not know. */
  const settled = (text) => text.replaceAll(/var\((--\w+)\)/g, (_, name) => css(name));

  function element(name, attributes, text = "") {
    const made = document.createElementNS(SVG, name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    made.textContent = text;
    return made;
  }

  function line(text, x, y, weight = 400) {
    return element(
      "text",
      { x, y, fill: css("--ink"), "font-size": 12, "font-weight": weight, "font-family": FONT },
      text,
    );
  }

  /** Key of the runs, as the page has it, from a height downwards. */
  function key(top) {
    return held.key.flatMap(({ letter, label, colour, dash, shape }, i) => {
      const y = top + i * LINE;
      return [
        element("line", {
          x1: 8,
          x2: 40,
          y1: y,
          y2: y,
          stroke: settled(colour),
          "stroke-width": 2.2,
          "stroke-dasharray": dash,
        }),
        element("path", { d: shape, fill: settled(colour), transform: `translate(24 ${y}) scale(4.6)` }),
        line(`${letter}  ${label}`, 48, y + 4),
      ];
    });
  }

  /**
   * A picture that stands alone: panels below one another with titles and the key, on the page's
   * background.
   */
  function stacked(figure, pictures) {
    const whole = element("svg", { xmlns: SVG });
    whole.append(line(figure.title, 8, LINE, 600), ...key(2 * LINE));
    let top = (held.key.length + 2) * LINE;
    let width = 320;
    figure.panels.forEach((panel, i) => {
      if (!pictures[i]) return;
      const drawn = new DOMParser().parseFromString(settled(pictures[i]), "image/svg+xml").documentElement;
      whole.append(line(panel.title, 8, top, 600));
      drawn.setAttribute("y", top + 6);
      width = Math.max(width, Number(drawn.getAttribute("width")));
      top += Number(drawn.getAttribute("height")) + LINE + GAP;
      whole.append(document.importNode(drawn, true));
    });
    whole.prepend(element("rect", { width: "100%", height: "100%", fill: css("--paper") }));
    Object.entries({ width, height: top, viewBox: `0 0 ${width} ${top}` }).forEach(([name, value]) =>
      whole.setAttribute(name, value),
    );
    return new XMLSerializer().serializeToString(whole);
  }

  async function show(figure) {
    const section = document.getElementById(figure.name);
    const places = section.querySelectorAll(".chart");
    const views = await Promise.all(figure.panels.map((panel, i) => draw(places[i], panel)));
    section.querySelectorAll("[data-save]").forEach((button) => {
      button.hidden = false;
      button.addEventListener("click", async () => {
        if (button.dataset.save === "csv")
          Downloads.save(
            `${figure.name}.csv`,
            Downloads.csv(held.tables[figure.name]),
            "text/csv;charset=utf-8",
          );
        else {
          const pictures = await Promise.all(views.map((view) => view?.toSVG()));
          Downloads.save(`${figure.name}.svg`, stacked(figure, pictures), "image/svg+xml");
        }
      });
    });
  }

  const drawn = Promise.all(held.figures.filter(({ panels }) => panels.length).map(show));
  return { drawn };
})();
