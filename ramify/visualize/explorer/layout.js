// Places. Python chose rows, order and columns of each level with everything closed. A card that opens grows, and the
// columns right of it and the rows below it give way; nothing else moves, so closing it gives the old drawing back.
function prepare(level) {
  const xs = [...level.x], rows = [...level.r];
  level.bends = level.e.map(edge => {
    const found = [];
    for (let k = 7; k < edge.length; k += 2) {
      found.push(xs.length);
      rows.push(edge[k]);
      xs.push(edge[k + 1]);
    }
    return found;
  });
  const columns = [...new Set(xs)].sort((a, b) => a - b);
  const where = new Map(columns.map((x, k) => [x, k]));
  level.rows = rows;
  level.base = columns;
  level.column = xs.map(x => where.get(x));
  const byRow = level.y.map(() => []);
  rows.forEach((row, v) => byRow[row].push(v));
  level.pairs = [];
  for (const row of byRow) {
    row.sort((a, b) => xs[a] - xs[b] || a - b);
    for (let k = 1; k < row.length; k++) {
      const a = row[k - 1], b = row[k], n = level.items.length;
      const half = v => (v < n ? level.items[v].w / 2 : 0);
      const free = xs[b] - xs[a] - half(a) - half(b);
      level.pairs.push([a, b, Math.min(free, GAPS[(a < n) + (b < n)])]);
    }
  }
  level.pairs.sort((p, q) => level.column[p[1]] - level.column[q[1]]);
}

// How far an item reaches from its column, and how high it is.
function measure(item) {
  const inner = item.open && item.inner;
  item.left = item.right = item.w / 2;
  item.high = item.h + item.label;
  if (!inner) return;
  const entry = inner.items.find(one => one.role === "entry");
  item.anchor = entry ? entry.cx : (inner.min + inner.max) / 2;
  item.left = Math.max(item.anchor - inner.min + SIDE, 40);
  item.right = Math.max(inner.max - item.anchor + SIDE, 40);
  const lacking = Math.max(0, item.fw - item.left - item.right) / 2;
  item.left += lacking;
  item.right += lacking;
  item.high = HEADER + inner.high + FOOT + item.label;
}

function solve(level) {
  if (!level.pairs) prepare(level);
  const { pairs, column, base, rows, items: own } = level, n = own.length;
  const at = Float64Array.from(base);
  own.forEach(measure);
  for (const [a, b, gap] of pairs) {
    const need = at[column[a]] + (a < n ? own[a].right : 0) + (b < n ? own[b].left : 0) + gap;
    if (need > at[column[b]]) at[column[b]] = need;
  }
  const heights = level.d.slice();
  own.forEach((item, k) => { heights[rows[k]] = Math.max(heights[rows[k]], item.high); });
  const starts = [];
  let y = 0;
  level.y.forEach((start, k) => {
    starts.push(y);
    const gap = k + 1 < level.y.length ? level.y[k + 1] - start - level.d[k] : 0;
    y += heights[k] + gap;
  });
  level.starts = starts;
  level.heights = heights;
  level.high = y;
  level.min = Infinity;
  level.max = -Infinity;
  level.across = column.map(k => at[k]);
  level.across.forEach((x, k) => {
    const item = own[k];
    if (item) {
      item.cx = x;
      item.cy = starts[rows[k]] + (heights[rows[k]] - item.high) / 2;
    }
    level.min = Math.min(level.min, x - (item ? item.left : 4));
    level.max = Math.max(level.max, x + (item ? item.right : 4));
  });
}

// Solve again what an opened or closed container changes: its own level, then those around it.
function solveUp(level) {
  for (let at = level; at; at = at.owner && at.owner.level) solve(at);
}

// From frames of levels to the drawing: fills `shown` and `open`, outside in.
let shown = [], openLevels = [];
function place() {
  shown = [];
  openLevels = [];
  const waiting = [[levels[0], 0, 0]];
  for (let k = 0; k < waiting.length; k++) {
    const [level, x, y] = waiting[k];
    level.ox = x;
    level.oy = y;
    openLevels.push(level);
    for (const item of level.items) {
      item.X = x + item.cx;
      item.Y = y + item.cy;
      shown.push(item);
      if (item.open) waiting.push([item.inner, item.X - item.anchor, item.Y + HEADER]);
    }
  }
  return shown;
}

const bounds = () => ({ x: levels[0].min, y: 0, width: levels[0].max - levels[0].min, height: levels[0].high });
const bottom = item => item.Y + item.high;

// Where a port of an open container lies; a closed one shares its middle out as Python said.
function offset(item, ports, which, given) {
  if (!item.open) return given;
  const port = item.inner.items.filter(one => one.role === ports)[which];
  return port ? port.cx - item.anchor : given;
}

// The way of an edge as path data, and the point of its arrow.
function route(level, number) {
  const [s, from, port, t, to, slot] = level.e[number];
  const source = level.items[s], target = level.items[t];
  const x0 = source.X + offset(source, "exit", port, from), x1 = target.X + offset(target, "entry", slot, to);
  const end = target.Y - (isPort(target) ? 0 : 5);
  let x = x0, y = level.oy + level.starts[level.r[s]] + level.heights[level.r[s]];
  let d = `M${f1(x)} ${f1(bottom(source))}V${f1(y)}`;
  const bend = (nx, ny) => {
    if (Math.abs(nx - x) < 0.05) d += `V${f1(ny)}`;
    else {
      const middle = f1((y + ny) / 2);
      d += `C${f1(x)} ${middle} ${f1(nx)} ${middle} ${f1(nx)} ${f1(ny)}`;
    }
    x = nx;
    y = ny;
  };
  for (const v of level.bends[number]) {
    const top = level.oy + level.starts[level.rows[v]];
    bend(level.ox + level.across[v], top);
    y = top + level.heights[level.rows[v]];
    d += `V${f1(y)}`;
  }
  const top = level.oy + level.starts[level.r[t]];
  bend(x1, top);
  d += `V${f1(Math.max(end, top))}`;
  return { d, x: x1, y: target.Y, arrow: !isPort(target), top: bottom(source), left: Math.min(x0, x1), right: Math.max(x0, x1) };
}
const f1 = value => Math.round(value * 10) / 10;
