// The window on the drawing: what of it is in sight is in the document, the rest is not.
const $ = id => document.getElementById(id);
const view = { x: 0, y: 0, k: 1 };
const stage = $("stage"), world = $("world"), tree = $("tree");
const layers = { frames: $("frames"), edges: $("edges"), cards: $("cards") };
const MARGIN = 300, FAR = 0.16, MANY = 1500;
let seen = null, inSight = new Set(), far = false, width = 800, height = 600;

function show() {
  world.setAttribute("transform", `translate(${f1(view.x)} ${f1(view.y)}) scale(${view.k.toFixed(4)})`);
  const box = sight(0);
  if (!seen || box.left < seen.left || box.right > seen.right || box.top < seen.top || box.bottom > seen.bottom) render();
  frameMap();
}

function sight(margin) {
  const m = margin / view.k;
  return {
    left: -view.x / view.k - m, right: (width - view.x) / view.k + m,
    top: -view.y / view.k - m, bottom: (height - view.y) / view.k + m,
  };
}

const touches = (item, box) =>
  item.X + item.right > box.left && item.X - item.left < box.right && item.Y < box.bottom && bottom(item) > box.top;

function render(all = false) {
  seen = all ? { left: -1e9, right: 1e9, top: -1e9, bottom: 1e9 } : sight(MARGIN);
  const wanted = shown.filter(item => touches(item, seen));
  far = !all && (view.k < FAR || wanted.length > MANY);
  tree.classList.toggle("far", far);
  const now = new Set();
  for (const item of wanted) {
    if (isPort(item) || (far && !item.open && item !== chosen)) continue;
    now.add(item);
    if (!item.node || item.drawn !== item.open || item.stale) drawCard(item);
    item.stale = false;
    item.node.setAttribute("transform", `translate(${f1(item.X - item.left)} ${f1(item.Y)})`);
    const layer = item.open ? depthLayer(item.depth) : layers.cards;
    if (item.node.parentNode !== layer) layer.append(item.node);
  }
  for (const item of inSight) if (!now.has(item)) item.node.remove();
  inSight = now;
  drawFar(far ? wanted : []);
  drawEdges(seen);
}

// Frames of inner containers lie on those of outer ones.
function depthLayer(depth) {
  while (layers.frames.children.length < depth) layers.frames.append(svg("g"));
  return layers.frames.children[depth - 1];
}

// From far away a card is a patch of its family's colour.
function drawFar(wanted) {
  const patches = new Map();
  for (const item of wanted) {
    if (isPort(item) || item.open || item === chosen) continue;
    const fill = heat.fill(item) || (heat.metric ? "var(--line)" : "");
    const d = `M${f1(item.X - item.left)} ${f1(item.Y)}h${f1(item.left + item.right)}v${item.h}h${-f1(item.left + item.right)}z`;
    const key = fill || item.f;
    patches.set(key, { style: `patch f-${item.f}`, fill, d: (patches.get(key)?.d || "") + d });
  }
  $("patches").replaceChildren(...[...patches.values()].map(({ style, fill, d }) => {
    const made = svg("path", { class: style, d });
    if (fill) made.style.fill = fill;
    return made;
  }));
}

function drawEdges(box) {
  const parts = { plain: "", lit: "" }, heads = { plain: "", lit: "" };
  let dots = "", times = [];
  for (const level of openLevels) {
    if (level.oy > box.bottom || level.oy + level.high < box.top) continue;
    level.e.forEach((edge, number) => {
      const source = level.items[edge[0]], target = level.items[edge[3]];
      if (source.Y > box.bottom || target.Y < box.top || edge[6] === 0) return;
      const way = route(level, number);
      const style = lit.size && lit.has(source) && lit.has(target) && onPath(source, target) ? "lit" : "plain";
      parts[style] += way.d;
      if (way.arrow) heads[style] += `M${f1(way.x)} ${f1(way.y)}l-3.6-7h7.2z`;
      if (edge[6] > 1 && !far) times.push(words("shape", way.x + 7, way.y - 4, `${edge[6]}×`));
    });
    for (const item of level.items) if (isPort(item)) dots += `M${f1(item.X - 3)} ${f1(item.Y)}a3 3 0 1 0 6 0a3 3 0 1 0-6 0z`;
  }
  for (const style of ["plain", "lit"]) {
    $(`edges-${style}`).setAttribute("d", parts[style]);
    $(`heads-${style}`).setAttribute("d", heads[style]);
  }
  $("ports").setAttribute("d", dots);
  $("times").replaceChildren(...times);
}

// ---- moving ----

function fit() {
  const box = bounds();
  view.k = Math.max(0.02, Math.min(1, (width - 60) / box.width, (height - 60) / box.height));
  view.x = (width - box.width * view.k) / 2 - box.x * view.k;
  view.y = (height - box.height * view.k) / 2;
  seen = null;
  show();
}

// The first look: all of it where it can be read, else its beginning.
function start() {
  const box = bounds();
  const whole = Math.min(1, (width - 60) / box.width, (height - 60) / box.height);
  if (whole > 0.55) return fit();
  view.k = Math.max(0.55, Math.min(1, (width - 60) / box.width));
  const first = levels[0].items[0];
  view.x = width / 2 - (first ? first.X : 0) * view.k;
  view.y = 24;
  seen = null;
  show();
}

function zoom(factor, x = width / 2, y = height / 2) {
  const k = Math.min(4, Math.max(0.02, view.k * factor));
  view.x = x - (x - view.x) * (k / view.k);
  view.y = y - (y - view.y) * (k / view.k);
  view.k = k;
  seen = null;
  show();
}

function pan(dx, dy) {
  view.x += dx;
  view.y += dy;
  show();
}

// The width beside the panel.
const room = () => (chosen && width > 760 ? width - 300 : width);

function center(item) {
  if (view.k < 0.4) view.k = 0.8;
  view.x = room() / 2 - item.X * view.k;
  view.y = (item.open ? 80 : height / 2) - (item.Y + HEADER / 2) * view.k;
  seen = null;
  show();
}

function reveal(item) {
  const x = item.X * view.k + view.x, y = item.Y * view.k + view.y, edge = 70;
  if (view.k < FAR) return center(item);
  const dx = x < edge ? edge - x : x > room() - edge ? room() - edge - x : 0;
  const dy = y < edge ? edge - y : y > height - edge ? height - edge - y : 0;
  if (dx || dy) pan(dx, dy);
}
