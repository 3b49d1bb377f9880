// What cards look like. Words were cut to size by Python, which knows how wide text is.
const NS = "http://www.w3.org/2000/svg";
function svg(tag, attributes = {}, ...inside) {
  const made = document.createElementNS(NS, tag);
  for (const name in attributes) made.setAttribute(name, attributes[name]);
  made.append(...inside);
  return made;
}
const words = (style, x, y, text, anchor = "start") =>
  svg("text", { class: style, x, y, "text-anchor": anchor }, text);

const TILE = 26;
function tile(item, height) {
  const made = [svg("path", { class: "tile", d: `M${TILE} 0V${height}H8a8 8 0 0 1-8-8V8a8 8 0 0 1 8-8z` })];
  const sign = svg("path", { class: "sign", d: data.signs[item.f], transform: "translate(5 7)" });
  return [...made, sign];
}

const SIGNS = { added: "+", removed: "−", changed: "~" };

function describe(item) {
  const told = [item.n && item.n !== item.t ? `${item.n}, ${item.t}` : item.t, item.c];
  if (item.times) told.push(`${item.times} times`);
  if (item.s) told.push(`output ${item.s.join(" and ")}`);
  if (item.p) told.push(`${DIGITS.format(item.p)} parameters`);
  if (item.tr === 0) told.push("frozen");
  if (item.sh) told.push(`call ${item.sh[1]} of ${item.sh[2]} of a shared layer`);
  if (item.diff) told.push(item.diff);
  return told.filter(Boolean).join(", ");
}

function badges(item, x, y) {
  const made = [];
  for (const text of [item.sh && `${item.sh[0]} ${item.sh[1]}/${item.sh[2]}`, item.times && !item.head.startsWith("×") && `×${item.times}`]) {
    if (!text) continue;
    const width = text.length * 6 + 10;
    made.push(svg("rect", { class: "badge", x: x - width, y: y - 11, width, height: 15, rx: 7.5 }));
    made.push(words("badge-word", x - width / 2, y, text, "middle"));
    x -= width + 5;
  }
  return [made, x];
}

// Where a tensor leaves, from the middle of the card; nowhere if nothing reads it.
function outlet(item, port) {
  const edge = item.level.e.find(one => one[0] === item.k && one[2] === port);
  return edge ? offset(item, "exit", port, edge[1]) : item.s.length > 1 ? null : 0;
}

// A closed card, or the frame of an open container; drawn at its own corner.
function drawCard(item) {
  const open = item.open, width = item.left + item.right, height = open ? item.high - item.label : item.h;
  const kind = open ? "frame" : item.role === "operation" ? "pill" : "card";
  const group = item.node || svg("g", { id: `c${item.id}`, role: "treeitem" });
  group.setAttribute("class", `${kind} ${item.role} f-${item.f} ${item.diff || ""}`);
  group.setAttribute("aria-label", describe(item));
  group.setAttribute("aria-level", item.depth);
  if (item.inner) group.setAttribute("aria-expanded", open);
  const parts = [svg("title", {}, describe(item))];
  if (kind === "pill") {
    parts.push(svg("rect", { class: "plate", width, height, rx: height / 2 }));
    parts.push(words("name", width / 2, 17, item.head, "middle"));
  } else {
    if (item.inner && !open) parts.push(svg("rect", { class: "stack", x: 4, y: 4, width, height, rx: 8 }));
    parts.push(svg("rect", { class: item.tr === 0 ? "plate frozen" : "plate", width, height, rx: open ? 12 : 8 }));
    if (open) parts.push(svg("path", { class: "head", d: `M0 ${HEADER}V12a12 12 0 0 1 12-12H${width - 12}a12 12 0 0 1 12 12v${HEADER - 12}z` }));
    else parts.push(...tile(item, height));
    const left = open ? 14 : TILE + 9;
    const [pills, edge] = badges(item, width - (item.inner ? 28 : 10), 19);
    parts.push(words("kind", left, 20, item.head), ...pills);
    const told = heatWord(item);
    if (told && item.inner && !open) parts.push(words("amount", width - 10, 35, told, "end"));
    else if (told) parts.push(words("amount", edge, 19.5, told, "end"));
    if (!open) item.lines.forEach((line, k) => parts.push(words("name", left, 35 + 15 * k, line)));
    else if (item.lines[0]) parts.push(words("name", left + item.hw + 10, 20, item.lines[0]));
    if (item.inner) {
      const chevron = open ? "M-5 2.5L0-2.5L5 2.5" : "M-5-2.5L0 2.5L5-2.5";
      parts.push(svg("path", { class: "chevron", d: chevron, transform: `translate(${width - 16} 15)` }));
    }
  }
  if (item.sh && item.role !== "operation") parts.push(svg("rect", { class: "tie", width, height, rx: open ? 12 : 8 }));
  parts.push(svg("rect", { class: "ring", x: -3.5, y: -3.5, width: width + 7, height: height + 7, rx: open ? 15 : 11 }));
  if (item.diff) {
    parts.push(svg("rect", { class: "mark", x: -2, y: -2, width: width + 4, height: height + 4, rx: open ? 14 : 10 }));
    parts.push(svg("circle", { class: "mark-dot", cx: width, cy: 0, r: 8 }), words("mark-word", width, 4, SIGNS[item.diff], "middle"));
  }
  if (item.label) item.s.forEach((text, port) => {
    const at = outlet(item, port);
    if (at !== null) parts.push(words("shape", item.left + at, height + 14, text, "middle"));
  });
  group.replaceChildren(...parts);
  item.node = group;
  item.drawn = open;
  paint(item);
  return group;
}
