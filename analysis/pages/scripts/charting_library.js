"use strict";
// The charting library, Vega-Lite, which a page holds deflated and runs when its first chart is drawn.
const ChartingLibrary = (() => {
  let running = null;

  async function run() {
    const held = JSON.parse(document.getElementById("charting_library").textContent);
    const bytes = Uint8Array.from(atob(held), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
  }

  /** Resolves when `vegaEmbed` can be called. */
  const ready = () => (running ??= run());

  return { ready };
})();
