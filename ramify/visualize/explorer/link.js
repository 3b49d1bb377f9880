// The address remembers what is open, chosen and coloured, so that it can be passed on; the drawing can be saved as SVG.
let waiting = 0, reading = true;

function remember() {
  if (reading) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    const state = new URLSearchParams();
    const opened = items.filter(item => item.open && item.inner);
    if (opened.length) state.set("open", opened.map(item => item.id).join("."));
    if (chosen) state.set("at", chosen.id);
    if (heat.metric) state.set("heat", heat.metric.key + (heat.log ? "~" : ""));
    if (document.documentElement.dataset.theme) state.set("theme", document.documentElement.dataset.theme);
    try {
      history.replaceState(null, "", `#${state}`);
    } catch { /* a page in a frame of another may have no address of its own */ }
  }, 150);
}

function recall() {
  const state = new URLSearchParams(location.hash.slice(1));
  if (state.get("theme")) document.documentElement.dataset.theme = state.get("theme");
  for (const id of (state.get("open") || "").split(".")) if (id && items[id]?.inner) items[id].open = true;
  solveInside(levels[0]);
  place();
  start();
  if (state.get("heat")) setHeat(state.get("heat").replace("~", ""), state.get("heat").endsWith("~"));
  const at = items[state.get("at")];
  if (state.get("at") && at) { openTo(at); choose(at, { move: false }); center(at); }
  reading = false;
}

// The drawing by itself, with the colours of now written into it.
function drawingAlone() {
  const box = bounds(), pad = 24;
  render(true);
  const copy = stage.cloneNode(true);
  const originals = stage.querySelectorAll("*"), copies = copy.querySelectorAll("*");
  originals.forEach((original, k) => {
    const style = getComputedStyle(original), kept = ["fill", "stroke", "stroke-width", "stroke-dasharray", "font-size", "font-weight", "display", "opacity"];
    if (style.display === "none") return copies[k].remove();
    for (const name of kept) if (name !== "display") copies[k].setAttribute(name, style.getPropertyValue(name));
    copies[k].removeAttribute("style");
  });
  copy.querySelector("#world").removeAttribute("transform");
  copy.setAttribute("xmlns", NS);
  copy.setAttribute("viewBox", [box.x - pad, -pad, box.width + 2 * pad, box.height + 2 * pad].map(f1).join(" "));
  copy.setAttribute("width", f1(box.width + 2 * pad));
  copy.setAttribute("height", f1(box.height + 2 * pad));
  copy.setAttribute("font-family", "Helvetica, Arial, sans-serif");
  const paper = getComputedStyle(document.body).backgroundColor;
  copy.prepend(svg("title", {}, data.name), svg("rect", { x: f1(box.x - pad), y: -pad, width: "100%", height: "100%", fill: paper }));
  seen = null;
  render();
  shadow();
  return new XMLSerializer().serializeToString(copy);
}

function save() {
  const address = URL.createObjectURL(new Blob([drawingAlone()], { type: "image/svg+xml" }));
  html("a", { href: address, download: `${data.name}.svg` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
