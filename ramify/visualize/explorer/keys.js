// The whole explorer by keyboard. Arrows follow edges; N and P go through every card in order.
const open = item => item.open && item.inner;
const firstIn = item => item.inner.items.find(one => !isPort(one));

function forward(item) {
  return open(item) && firstIn(item) ? firstIn(item) : nearest(around(item, "next"), item);
}

function backward(item) {
  const before = item.prev.filter(one => !isPort(one));
  return before.length ? nearest(before, item) : parent(item) || null;
}

// Of several, the one most straight ahead.
function nearest(list, item) {
  return list.reduce((best, one) => (!best || Math.abs(one.X - item.X) < Math.abs(best.X - item.X) ? one : best), null);
}

function beside(item, sign) {
  const row = item.level.items.filter(one => !isPort(one) && one !== item && (one.X - item.X) * sign > 0);
  const same = row.filter(one => one.Y < bottom(item) && bottom(one) > item.Y);
  return nearest(same.length ? same : branches(item, row), item);
}

const branches = (item, row) => row.filter(one => one.prev.some(before => item.prev.includes(before)));

// Every card in sight of a reader who goes through them: containers before what is in them.
function inOrder() {
  const list = [], stack = [...levels[0].items].reverse();
  while (stack.length) {
    const item = stack.pop();
    if (!isPort(item)) list.push(item);
    if (open(item)) stack.push(...[...item.inner.items].reverse());
  }
  return list;
}

function step(by) {
  const list = inOrder(), at = list.indexOf(chosen);
  return list[Math.min(list.length - 1, Math.max(0, at + by))];
}

const MOVES = {
  ArrowDown: forward, ArrowUp: backward,
  ArrowRight: item => beside(item, 1), ArrowLeft: item => beside(item, -1),
  n: () => step(1), p: () => step(-1), PageDown: () => step(10), PageUp: () => step(-10),
  Home: () => inOrder()[0], End: () => inOrder().at(-1),
};
const ACTS = {
  Enter: () => chosen && toggle(chosen), " ": () => chosen && toggle(chosen),
  "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), 0: fit, f: fit, c: () => chosen && center(chosen),
  e: () => setAll(true), w: () => setAll(false), t: () => turnText(), d: () => turnTheme(), "?": () => turnHelp(),
  "/": () => $("find").focus(),
  h: () => nextHeat(),
  Escape: () => { if (!closeDialogs()) { stopSearch(); choose(null); } },
};

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = /^(INPUT|SELECT)$/.test(event.target.tagName) || (event.target.tagName === "BUTTON" && /^(Enter| )$/.test(event.key));
  if (event.key === "Escape" && event.target !== $("find")) ACTS.Escape();
  else if (typing) return;
  else if (document.querySelector("dialog[open]")) return void ((event.key === "?" || event.key === "t") && closeDialogs());
  else if (event.key in MOVES) {
    const target = chosen ? MOVES[event.key](chosen) : inOrder()[0];
    if (target) choose(target);
    tree.focus({ preventScroll: true });
  } else if (event.key in ACTS) ACTS[event.key]();
  else return;
  event.preventDefault();
});

function nextHeat() {
  const keys = ["", ...data.metrics.map(metric => metric.key)];
  setHeat(keys[(keys.indexOf($("heat").value) + 1) % keys.length]);
}
