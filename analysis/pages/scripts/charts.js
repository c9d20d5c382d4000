"use strict";
// Vega-Lite charts whose rows can be replaced. A chart that fails shows its error and is counted on the
// page.
const Charts = (() => {
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  // Okabe and Ito's palette, as the other figures have; lines differ in dash too.
  const COLOURS = { blue: "#0072B2", orange: "#D55E00", green: "#009E73", grey: "#808080" };
  // Orders of magnitude as numbers: 0.01, 10k, 1M, 1B; beyond that powers of ten.
  const OOM =
    "datum.value > 14 || datum.value < -3 ? '1e' + datum.value : " +
    "datum.value < 0 ? format(pow(10, datum.value), '~g') : " +
    "replace(format(pow(10, datum.value), '~s'), 'G', 'B')";
  const PERCENT =
    "datum.value > 2 ? format(pow(10, datum.value + 2), ',.0f') + '%' : " +
    "format(pow(10, datum.value + 2), '~g') + '%'";

  function config() {
    const ink = css("--ink");
    const line = css("--line");
    const soft = css("--soft");
    const axis = {
      labelColor: soft,
      titleColor: ink,
      gridColor: line,
      domainColor: line,
      tickColor: line,
      titleFontWeight: 400,
      labelFontSize: 11,
      titleFontSize: 11,
    };
    return {
      background: "transparent",
      font: "system-ui, sans-serif",
      view: { stroke: null },
      axis,
      legend: {
        labelColor: ink,
        titleColor: ink,
        orient: "bottom",
        labelFontSize: 12,
        columns: 1,
        labelLimit: 280,
      },
      title: { color: ink, subtitleColor: soft, fontSize: 12, fontWeight: 600, anchor: "start" },
      text: { color: ink },
    };
  }

  function failed(element, error) {
    const box = document.createElement("div");
    box.className = "broken";
    box.setAttribute("role", "alert");
    box.textContent = `This figure could not be drawn. ${error.name}: ${error.message}`;
    element.replaceChildren(box);
    document.documentElement.dataset.failed = String(
      Number(document.documentElement.dataset.failed ?? 0) + 1,
    );
  }

  /**
   * Draw a chart of the data `rows`, which `update` replaces, and of `still`, which stay. Colours follow the
   * page's scheme.
   */
  async function draw(element, spec, rows, label, still = []) {
    let now = rows;
    let found = null;
    const embed = async () => {
      try {
        const whole = {
          $schema: "https://vega.github.io/schema/vega-lite/v6.json",
          width: "container",
          autosize: { type: "fit", contains: "padding" },
          data: { name: "rows", values: now },
          datasets: { still },
          config: config(),
          description: label,
          ...spec,
        };
        found?.finalize();
        await ChartingLibrary.ready();
        found = await vegaEmbed(element, whole, {
          ast: true,
          actions: false,
          renderer: "canvas",
          mode: "vega-lite",
        });
      } catch (error) {
        found = null;
        failed(element, error);
      }
    };
    await embed();
    let width = element.clientWidth;
    new ResizeObserver(() => {
      // a chart knows of the window's size alone
      if (element.clientWidth === width || !element.clientWidth) return;
      width = element.clientWidth;
      dispatchEvent(new Event("resize"));
    }).observe(element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", embed);
    return {
      get rows() {
        return [...still, ...now];
      },
      async update(next) {
        now = next;
        if (!found) return;
        try {
          await found.view.data("rows", next).runAsync();
        } catch (error) {
          found = null;
          failed(element, error);
        }
      },
      async svg() {
        return found ? found.view.toSVG() : null;
      },
    };
  }

  return { draw, COLOURS, OOM, PERCENT };
})();
