// Finding cards: words that their name, type or shape holds, and comparisons such as `params>1e6`.
let hits = new Set(), found = [], marked = -1;
const FIELDS = {
  name: item => [path(item), ...(item.tw || [])].join(" "), type: item => item.t, shape: item => (item.s || []).join(" "), config: item => item.c,
};
const COMPARE = { ">": (a, b) => a > b, "<": (a, b) => a < b, ">=": (a, b) => a >= b, "<=": (a, b) => a <= b, "=": (a, b) => a === b };
const STATES = {
  frozen: item => item.tr === 0, trainable: item => item.tr === 1, shared: item => Boolean(item.sh), nested: item => Boolean(item.inner),
  added: item => item.diff === "added", removed: item => item.diff === "removed", changed: item => item.diff === "changed",
};

// One word of a query as a test of a card.
function test(word) {
  const compare = word.match(/^(\w+)(>=|<=|>|<|=)([\d.,_]+(?:e\d+)?)([kmgt]?)$/i);
  if (compare) {
    const [, key, sign, digits, unit] = compare;
    const value = Number(digits.replace(/[,_]/g, "")) * ({ k: 1e3, m: 1e6, g: 1e9, t: 1e12 }[unit.toLowerCase()] || 1);
    return item => {
      const own = key === "params" ? item.v?.params ?? item.p ?? 0 : item.v?.[key];
      return own !== undefined && COMPARE[sign](own, value);
    };
  }
  const [, field, text] = word.match(/^(name|type|shape|config|is):(.+)$/i) || [null, null, word];
  const wanted = text.toLowerCase().replace(/([\db?])[x×](?=[\d?])/g, "$1 × ");
  if (field && field.toLowerCase() === "is") return STATES[wanted] || (() => false);
  if (field) return item => (FIELDS[field.toLowerCase()](item) || "").toLowerCase().includes(wanted);
  return item => item.text.includes(wanted);
}

function search(query) {
  const tests = query.trim().split(/\s+/).filter(Boolean).map(test);
  for (const item of cards) item.text ??= [item.n, item.t, item.c, ...(item.s || []), ...(item.tw || [])].join(" ").toLowerCase();
  // Names that are the query come first, containers last: what is sought is most often in them.
  const exact = query.trim().toLowerCase();
  const place = item => (item.n && item.n.toLowerCase() === exact ? 0 : item.inner ? 2 : 1);
  found = tests.length ? cards.filter(item => tests.every(one => one(item))).sort((a, b) => place(a) - place(b)) : [];
  hits = new Set(found);
  marked = found.length ? 0 : -1;
  listHits(query);
  render();
  shadow();
  drawMap();
}

function listHits(query) {
  const list = $("hits");
  list.hidden = !query.trim();
  $("find").setAttribute("aria-expanded", String(!list.hidden));
  list.replaceChildren(...found.slice(0, 100).map((item, k) => {
    const entry = html("li", { role: "option", id: `h${k}` }, html("b", {}, title(item)), " ", html("span", {}, item.t));
    const where = parent(item);
    if (where) entry.append(html("small", {}, path(where)));
    entry.addEventListener("pointerdown", event => { event.preventDefault(); go(k); });
    return entry;
  }));
  if (query.trim()) list.append(html("li", { class: "count", role: "status" }, countText()));
  markHit();
}

const countText = () =>
  found.length > 100 ? `${DIGITS.format(found.length)} found, the first 100 listed`
    : `${found.length || "nothing"} found${found.length ? "" : "; try part of a name, conv, 3x3 or params>1e6"}`;

function markHit() {
  [...$("hits").children].forEach((entry, k) => entry.setAttribute("aria-selected", String(k === marked)));
  if (marked >= 0) $("find").setAttribute("aria-activedescendant", `h${marked}`);
  else $("find").removeAttribute("aria-activedescendant");
  $(`h${marked}`)?.scrollIntoView({ block: "nearest" });
}

// Show a hit, and open what it is in.
function go(k) {
  if (!found[k]) return;
  marked = k;
  markHit();
  openTo(found[k]);
  choose(found[k], { move: false });
  center(found[k]);
  shadow();
}

function stopSearch() {
  $("find").value = "";
  search("");
}

$("find").addEventListener("input", event => search(event.target.value));
$("find").addEventListener("focus", event => event.target.select());
$("find").addEventListener("blur", () => { $("hits").hidden = true; });
$("find").addEventListener("keydown", event => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const end = Math.min(found.length, 100);
  if (step && end) {
    marked = (marked + step + end) % end;
    markHit();
  } else if (event.key === "Enter" && found.length) {
    const again = found[marked] === chosen;
    go(again ? (marked + 1) % found.length : marked);
    if (!event.shiftKey) tree.focus();
  } else if (event.key === "Escape") {
    stopSearch();
    tree.focus();
  } else return;
  event.preventDefault();
});
