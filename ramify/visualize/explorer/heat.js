// Cards coloured by a number: how much of the parameters, the work, the memory or the time is theirs.
const heat = {
  metric: null,
  log: false,
  most: 0,
  least: 0,
  share(item) {
    const value = this.value(item);
    if (!this.metric || value === undefined || value <= 0) return null;
    if (!this.log) return Math.min(1, value / this.most);
    return this.most > this.least ? Math.min(1, Math.max(0, Math.log(value / this.least) / Math.log(this.most / this.least))) : 1;
  },
  value(item) { return this.metric ? item.v?.[this.metric.key] : undefined; },
  fill(item) {
    const share = this.share(item);
    return share === null ? null : `color-mix(in oklab, var(--hot) ${Math.round(share * 100)}%, var(--cold))`;
  },
};

function heatWord(item) {
  if (!heat.metric) return item.sh && item.told === "shared" ? "" : item.told;
  const value = heat.value(item);
  return !value ? "" : amount(value, heat.metric.unit);
}

function paint(item) {
  const plate = item.node?.querySelector(".plate");
  if (!plate || item.open) return;
  plate.style.fill = heat.fill(item) || "";
}

function setHeat(key, log = heat.log) {
  heat.metric = data.metrics.find(metric => metric.key === key) || null;
  heat.log = log;
  const values = cards.filter(item => !item.open && shown.includes(item)).length && heatValues();
  heat.most = values ? Math.max(0, ...values) : 0;
  heat.least = values ? Math.min(Infinity, ...values.filter(value => value > 0)) : 0;
  $("heat").value = heat.metric ? key : "";
  $("log").checked = log;
  tree.classList.toggle("hot", Boolean(heat.metric));
  for (const item of items) item.stale = true;
  seen = null;
  render();
  shadow();
  legend();
  remember();
}

// The scale ends at the largest card, not at the containers that add their cards up.
function heatValues() {
  return cards.filter(item => !item.inner).map(item => heat.value(item) ?? 0);
}

function legend() {
  const box = $("legend");
  box.hidden = !heat.metric;
  if (!heat.metric) return;
  const { unit, label } = heat.metric;
  $("legend-name").textContent = heat.log ? `${label}, logarithmic` : label;
  $("legend-least").textContent = amount(heat.log && Number.isFinite(heat.least) ? heat.least : 0, unit);
  $("legend-most").textContent = amount(heat.most, unit);
}
