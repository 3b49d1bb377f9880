// What is chosen, what leads to it and what it leads to; opening and closing in place.
let chosen = null, lit = new Set(), up = new Set();

function choose(item, { move = true } = {}) {
  const before = chosen;
  chosen = item;
  follow(item);
  if (before && before.node) before.node.classList.remove("chosen");
  render();
  if (item) {
    if (move) reveal(item);
    item.node?.classList.add("chosen");
    tree.setAttribute("aria-activedescendant", `c${item.id}`);
  } else tree.removeAttribute("aria-activedescendant");
  before?.node?.setAttribute("aria-selected", "false");
  item?.node?.setAttribute("aria-selected", "true");
  shadow();
  details();
  remember();
}

// All that feeds a card and all that it feeds: in its own level, and around each container that it is in.
function follow(item) {
  lit = new Set();
  up = new Set();
  for (let at = item; at; at = parent(at)) {
    lit.add(at);
    spread(at, "prev", up);
    spread(at, "next", lit);
  }
  up.forEach(one => lit.add(one));
  if (item && item.open) inside(item, lit);
}

function spread(from, way, found) {
  const stack = [from];
  while (stack.length) {
    for (const one of stack.pop()[way]) {
      if (found.has(one)) continue;
      found.add(one);
      stack.push(one);
      if (one.inner) inside(one, found);
    }
  }
}

function inside(item, found) {
  const stack = [item.inner];
  while (stack.length) {
    for (const one of stack.pop().items) {
      found.add(one);
      if (one.inner) stack.push(one.inner);
    }
  }
}

// An edge beside the way, from what comes before the chosen card to what comes after it, is not on the way.
const onPath = (source, target) => {
  const before = item => item === chosen || up.has(item);
  return before(source) === before(target) || source === chosen || target === chosen || contains(source) || contains(target);
};
function contains(item) {
  for (let at = chosen; at; at = parent(at)) if (at === item) return true;
  return false;
}

// Cards off the way step back.
function shadow() {
  tree.classList.toggle("picking", lit.size > 0);
  const kin = chosen && chosen.sh && chosen.sh[0];
  for (const item of inSight) {
    item.node.classList.toggle("off", lit.size > 0 && !lit.has(item));
    item.node.classList.toggle("kin", Boolean(kin) && item !== chosen && item.sh?.[0] === kin);
    item.node.classList.toggle("hit", hits.has(item));
    item.node.classList.toggle("chosen", item === chosen);
  }
}

// Open or close a container; its header stays where it is on the screen.
function toggle(item, open = !item.open) {
  if (!item.inner || item.open === open) return;
  const x = item.X, y = item.Y;
  if (!open && chosen && contains(item)) chosen = item;
  item.open = open;
  if (open && item.inner.starts === undefined) solveInside(item.inner);
  solveUp(item.level);
  place();
  view.x += (x - item.X) * view.k;
  view.y += (y - item.Y) * view.k;
  follow(chosen);
  seen = null;
  show();
  shadow();
  drawMap();
  remember();
}

function solveInside(level) {
  for (const item of level.items) if (item.open) solveInside(item.inner);
  solve(level);
}

function openTo(item) {
  const chain = [];
  for (let at = parent(item); at; at = parent(at)) chain.unshift(at);
  chain.forEach(one => toggle(one, true));
}

function setAll(open) {
  for (const item of items) if (item.inner) item.open = open;
  solveInside(levels[0]);
  place();
  follow(chosen && shown.includes(chosen) ? chosen : null);
  start();
  shadow();
  drawMap();
  remember();
}
