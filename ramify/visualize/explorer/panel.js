// The panel on the chosen card, the model as text, and help.
function html(tag, attributes = {}, ...inside) {
  const made = document.createElement(tag);
  for (const name in attributes) made.setAttribute(name, attributes[name]);
  made.append(...inside);
  return made;
}

function link(item) {
  const made = html("button", { type: "button", class: "link" }, title(item));
  made.addEventListener("click", () => { openTo(item); choose(item); });
  return made;
}

function details() {
  const box = $("details");
  box.hidden = !chosen;
  if (!chosen) return;
  const item = chosen, rows = [];
  const row = (name, ...value) => rows.push(html("dt", {}, name), html("dd", {}, ...value));
  const list = all => all.map(link);
  if (parent(item)) row("In", ...list([parent(item)]));
  for (const [name, value] of Object.entries(item.args || {})) row(name, String(value));
  if (!item.args && item.c) row("Told", item.c);
  const before = around(item, "prev"), after = around(item, "next");
  if (before.length) row("Reads", ...list(before));
  if (after.length) row("Feeds", ...list(after));
  if (item.s) row(item.s.length > 1 ? "Outputs" : "Output", item.s.join(", "), item.dt ? html("small", {}, ` ${item.dt}`) : "");
  for (const metric of data.metrics) {
    const value = item.v?.[metric.key];
    if (value !== undefined) row(metric.label, metric.unit === "count" ? DIGITS.format(value) : amount(value, metric.unit));
  }
  if (item.tr !== undefined) row("Training", item.tr ? "changes its weights" : "leaves it as it is (frozen)");
  if (item.sh) row("Shared", `call ${item.sh[1]} of ${item.sh[2]}: `, ...list(cards.filter(one => one !== item && one.sh?.[0] === item.sh[0])));
  if (item.times) row("Repeated", `${item.times} times: identical configuration, separate weights`);
  if (item.note) row("Note", item.note);
  const actions = html("p", { class: "actions" });
  if (item.inner) {
    const button = html("button", { type: "button" }, item.open ? "Close" : "Open");
    button.addEventListener("click", () => { toggle(item); details(); });
    actions.append(button);
  }
  $("details-body").replaceChildren(
    html("h2", {}, html("i", { class: `dot f-${item.f}` }), title(item)), html("p", { class: "kind-line" }, item.t), html("dl", {}, ...rows), actions);
}

// The model line by line, for those who read rather than look.
function turnText() {
  const dialog = $("text");
  if (dialog.open) return dialog.close();
  const list = html("ol", {});
  for (const item of cards) {
    const from = around(item, "prev").map(title);
    const line = html("li", {}, `${"  ".repeat(item.depth - 1)}${describe(item)}${from.length ? `, from ${from.join(" and ")}` : ""}`);
    list.append(line);
  }
  $("text-body").replaceChildren(list);
  dialog.showModal();
}

function turnHelp() {
  const dialog = $("help");
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

function closeDialogs() {
  const open = document.querySelectorAll("dialog[open]");
  open.forEach(dialog => dialog.close());
  return open.length > 0;
}

function turnTheme() {
  const now = document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
  drawMap();
  remember();
}
