// The model as Python wrote it: `items` are cards, containers and ports, `levels` what stands side by side in one of them.
const data = JSON.parse(document.getElementById("model").textContent);
const { items, levels } = data;
const HEADER = 34, SIDE = 18, FOOT = 10;
const GAPS = [14, 20, 28]; // between two edges, an edge and a card, two cards

levels.forEach((level, at) => {
  level.at = at;
  level.owner = level.o < 0 ? null : items[level.o];
  level.items = level.i.map(id => items[id]);
  level.items.forEach((item, k) => { item.level = level; item.k = k; item.next = []; item.prev = []; });
  for (const [s, , , t] of level.e) {
    const from = level.items[s], to = level.items[t];
    if (!from.next.includes(to)) { from.next.push(to); to.prev.push(from); }
  }
});
items.forEach((item, id) => {
  item.id = id;
  item.inner = item.l === undefined ? null : levels[item.l];
  item.open = false;
  item.depth = item.level.owner ? item.level.owner.depth + 1 : 1;
});

const isPort = item => item.role === "entry" || item.role === "exit";
const cards = items.filter(item => !isPort(item));
const parent = item => item.level.owner;
const title = item => item.n || item.t;

function path(item) {
  const names = [];
  for (let at = item; at; at = parent(at)) names.unshift(title(at));
  return names.join(" / ");
}

// What a card reads or feeds, through the borders of containers.
function around(item, way) {
  const found = [];
  for (const one of item[way]) {
    if (!isPort(one)) found.push(one);
    else if (parent(one)) found.push(...around(parent(one), way));
  }
  return [...new Set(found)];
}

const DIGITS = new Intl.NumberFormat("en-US");
const UNITS = { bytes: ["B", "KB", "MB", "GB", "TB"], count: ["", "K", "M", "G", "T", "P"] };
function amount(value, unit) {
  if (unit === "ms") return value < 0.01 ? `${(value * 1000).toPrecision(2)} µs` : `${+value.toPrecision(3)} ms`;
  const step = unit === "bytes" ? 1024 : 1000, words = UNITS[unit] || UNITS.count;
  let k = 0;
  while (Math.abs(value) >= step && k < words.length - 1) { value /= step; k++; }
  const text = k || !Number.isInteger(value) ? +value.toPrecision(3) : value;
  return unit === "bytes" || words[k] ? `${text} ${words[k]}`.trim() : `${text}`;
}
