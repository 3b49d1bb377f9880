// The small map: all that is open, and the frame of what is in sight.
const map = { canvas: $("map"), k: 1, x: 0, y: 0 };

function drawMap() {
  const { canvas } = map, box = bounds(), ratio = window.devicePixelRatio || 1;
  const wide = 150, high = 190;
  map.k = Math.min(wide / box.width, high / box.height);
  const w = Math.max(30, box.width * map.k), h = Math.max(30, box.height * map.k);
  canvas.width = w * ratio;
  canvas.height = h * ratio;
  canvas.style.width = `${w}px`;
  canvas.style.height = `${h}px`;
  map.x = (w - box.width * map.k) / 2 - box.x * map.k;
  map.y = (h - box.height * map.k) / 2;
  const style = getComputedStyle(document.documentElement), brush = canvas.getContext("2d");
  brush.scale(ratio, ratio);
  const colors = { plain: style.getPropertyValue("--edge"), hit: style.getPropertyValue("--focus") };
  for (const item of shown) {
    if (isPort(item) || item.open) continue;
    brush.fillStyle = hits.has(item) ? colors.hit : colors.plain;
    const size = hits.has(item) ? 2.5 : 0.8;
    brush.fillRect(map.x + (item.X - item.left) * map.k, map.y + item.Y * map.k,
      Math.max(size, (item.left + item.right) * map.k), Math.max(size, item.h * map.k));
  }
  frameMap();
}

function frameMap() {
  const box = sight(0), frame = $("map-frame").style;
  const w = parseFloat(map.canvas.style.width) || 0, h = parseFloat(map.canvas.style.height) || 0;
  const clip = (value, most) => Math.min(most, Math.max(0, value));
  const left = clip(map.x + box.left * map.k, w), right = clip(map.x + box.right * map.k, w);
  const top = clip(map.y + box.top * map.k, h), low = clip(map.y + box.bottom * map.k, h);
  frame.left = `${left}px`;
  frame.top = `${top}px`;
  frame.width = `${Math.max(3, right - left)}px`;
  frame.height = `${Math.max(3, low - top)}px`;
}

function fromMap(event) {
  const box = map.canvas.getBoundingClientRect();
  view.x = width / 2 - ((event.clientX - box.left - map.x) / map.k) * view.k;
  view.y = height / 2 - ((event.clientY - box.top - map.y) / map.k) * view.k;
  show();
}
map.canvas.addEventListener("pointerdown", event => { map.canvas.setPointerCapture(event.pointerId); fromMap(event); });
map.canvas.addEventListener("pointermove", event => { if (event.buttons) fromMap(event); });
