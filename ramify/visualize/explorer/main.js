// Pointers, buttons, and the beginning.
let drag = null;
const fingers = new Map();

function resize() {
  const box = stage.getBoundingClientRect();
  width = box.width || 800;
  height = box.height || 600;
  seen = null;
}

const itemAt = node => {
  const group = node.closest?.("[role=treeitem]");
  return group ? items[Number(group.id.slice(1))] : null;
};

stage.addEventListener("pointerdown", event => {
  fingers.set(event.pointerId, event);
  drag = { x: event.clientX, y: event.clientY, from: event.target, moved: false };
  tree.focus({ preventScroll: true });
});
stage.addEventListener("pointermove", event => {
  const before = fingers.get(event.pointerId);
  if (!before || !drag) return;
  if (fingers.size === 2) pinch(event);
  else if (drag.moved || Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > 4) {
    if (!drag.moved) stage.setPointerCapture(event.pointerId);
    drag.moved = true;
    tree.classList.add("dragging");
    pan(event.clientX - before.clientX, event.clientY - before.clientY);
  }
  fingers.set(event.pointerId, event);
});
for (const name of ["pointerup", "pointercancel"]) {
  stage.addEventListener(name, event => {
    fingers.delete(event.pointerId);
    tree.classList.remove("dragging");
    if (name === "pointerup" && drag && !drag.moved) click(itemAt(drag.from), drag.from);
    if (!fingers.size) drag = null;
  });
}

function pinch(event) {
  const [a, b] = [...fingers.values()], other = a.pointerId === event.pointerId ? b : a, before = a === other ? b : a;
  const size = one => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
  drag.moved = true;
  zoom(size(event) / size(before), (event.clientX + other.clientX) / 2, (event.clientY + other.clientY) / 2 - stage.getBoundingClientRect().top);
}

function click(item, node) {
  if (!item) return choose(null);
  if (item.inner && (!item.open || node.matches(".head, .chevron, .kind, .name, .amount"))) toggle(item);
  choose(item, { move: false });
}

stage.addEventListener("wheel", event => {
  event.preventDefault();
  const box = stage.getBoundingClientRect();
  if (event.ctrlKey || event.metaKey) zoom(Math.exp(-event.deltaY * 0.01), event.clientX - box.left, event.clientY - box.top);
  else if (event.shiftKey && !event.deltaX) pan(-event.deltaY, 0);
  else pan(-event.deltaX, -event.deltaY);
}, { passive: false });

const BUTTONS = {
  in: () => zoom(1.25), out: () => zoom(0.8), fit, all: () => setAll(true), none: () => setAll(false), words: turnText,
  theme: turnTheme, save, keys: turnHelp, shut: () => choose(null),
};
for (const name in BUTTONS) $(`do-${name}`).addEventListener("click", BUTTONS[name]);
document.querySelectorAll("dialog button").forEach(button => button.addEventListener("click", closeDialogs));
$("heat").append(...data.metrics.map(metric => html("option", { value: metric.key }, metric.label)));
$("heat").addEventListener("change", event => setHeat(event.target.value));
$("log").addEventListener("change", event => setHeat($("heat").value, event.target.checked));
$("heat-box").hidden = !data.metrics.length;
const nesting = items.some(item => item.inner);
$("do-all").hidden = $("do-none").hidden = !nesting;

window.addEventListener("resize", () => { resize(); show(); shadow(); });
window.addEventListener("beforeprint", () => {
  const box = bounds();
  render(true);
  stage.setAttribute("viewBox", [box.x - 10, -10, box.width + 20, box.height + 20].map(f1).join(" "));
  world.removeAttribute("transform");
});
window.addEventListener("afterprint", () => { stage.removeAttribute("viewBox"); seen = null; show(); shadow(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawMap);

// Cards were measured for Helvetica; a wider font is set smaller.
const ruler = $("map").getContext("2d");
ruler.font = `bold 100px ${getComputedStyle(document.body).fontFamily}`;
tree.style.setProperty("--fit", Math.min(1, data.probe / ruler.measureText("BatchNormalization").width).toFixed(3));

resize();
recall();
drawMap();
shadow();
