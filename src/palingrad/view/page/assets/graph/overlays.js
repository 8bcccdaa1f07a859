// Overlays: colour nodes by a number: gradient norm, dead units, NaN, time, memory, or the user's own.

const NAN_INF = "nan";

/** All overlays: {id, name, unit, of(node number) → number or null}. */
function overlays() {
  const found = [
    { id: "none", name: "part", of: () => null },
    { id: "gradient", name: "gradient norm", of: (place) => norm(totalOf(place), nodes[place].j) },
    { id: NAN_INF, name: "NaN and ∞", of: strange },
    { id: "dead", name: "dead units", unit: "%", of: deadShare },
    { id: "memory", name: "memory", unit: "B", of: (place) => nodes[place].by ?? null },
  ];
  for (const [k, one] of data.overlays.entries()) {
    found.push({ id: one.name === "time" ? "time" : `own${k}`, name: one.name, unit: one.unit, of: (place) => one.at[place] ?? null });
  }
  return found;
}

/** The norm √Σg² of a total derivative, from the summary if it is large. */
function norm(total, exported) {
  if (total) return Math.sqrt(total.data.reduce((sum, g) => sum + g * g, 0));
  const summary = exported && exported.s;
  if (!summary || rowsNow) return null;
  return Math.sqrt(summary.n * (Number(summary.mean) ** 2 + Number(summary.std) ** 2));
}

/** The number of NaN or infinite elements of the value. */
function strange(place) {
  const value = valueOf(place);
  if (value) return value.data.reduce((sum, x) => sum + (Number.isFinite(x) ? 0 : 1), 0);
  const summary = nodes[place].v && nodes[place].v.s;
  return summary ? summary.nan + summary.inf : null;
}

/** The percentage of a ReLU's units that are 0 for every example. */
function deadShare(place) {
  return nodes[place].dead === undefined ? null : 100 * nodes[place].dead;
}

/** The active overlay, with the colours of all nodes: {one, low, high, colours}, or null. */
function coloured() {
  const one = overlays().find((each) => each.id === state.overlay);
  if (!one || one.id === "none") return null;
  const numbers = nodes.map((_, place) => one.of(place));
  const known = numbers.filter((x) => x !== null && Number.isFinite(x));
  const low = known.length ? known.reduce((a, b) => Math.min(a, b)) : 0;
  const high = known.length ? known.reduce((a, b) => Math.max(a, b)) : 0;
  const least = known.reduce((a, b) => (b > 0 && b < a ? b : a), Infinity); // 0 has no logarithm and is drawn at the low end
  const wide = low >= 0 && high / least > 100; // use a logarithmic scale
  const logarithmic = (x) => (x > 0 ? Math.log(x / least) / Math.log(high / least) : 0);
  const share = (x) => (high === low ? 0.5 : wide ? logarithmic(x) : (x - low) / (high - low));
  const colours = numbers.map((x) => {
    if (x === null) return null;
    if (one.id === NAN_INF) return x ? "#d55e00" : null;
    return Number.isFinite(x) ? ramp(share(x)) : "#d55e00";
  });
  return { one, low, high, wide, numbers, colours, known: known.length };
}

// Stops of cividis (Nuñez, Anderton & Renslow 2018), which is safe for colour-blind readers.
const STOPS = [[0, 34, 78], [50, 69, 109], [95, 104, 110], [138, 138, 119], [187, 175, 111], [254, 232, 56]];

/** The colour for a fraction between 0 and 1. */
function ramp(share) {
  const t = Math.max(0, Math.min(1, share)) * (STOPS.length - 1);
  const k = Math.min(STOPS.length - 2, Math.floor(t));
  const mixed = STOPS[k].map((c, n) => Math.round(c + (t - k) * (STOPS[k + 1][n] - c)));
  return `rgb(${mixed})`;
}

let paint = null; // the last result of `coloured`

function startOverlays() {
  const select = at("overlay");
  for (const one of overlays()) select.append(make("option", { value: one.id }, one.name));
  select.onchange = () => set({ overlay: select.value });
  const show = () => {
    select.value = state.overlay;
    paint = coloured();
    legend();
    redraw();
  };
  watch(["overlay", "version"], show);
  show();
}

/** The legend of the colours. */
function legend() {
  const box = at("legend");
  box.hidden = !paint;
  if (!paint) return;
  const { one, low, high, wide, known, numbers } = paint;
  const written = (x) => (one.unit === "s" ? duration(x) : short(x) + (one.unit ? ` ${one.unit}` : ""));
  if (one.id === NAN_INF) {
    const bad = numbers.filter(Boolean).length;
    box.replaceChildren(make("div", {}, bad ? `${bad} nodes hold NaN or ∞` : "No node holds NaN or ∞"));
    return;
  }
  if (!known) {
    const why = { dead: "No rectifier with a batch in this graph", gradient: "No gradients are known" }[one.id];
    box.replaceChildren(make("div", {}, why || "No numbers for these nodes"));
    return;
  }
  const stops = STOPS.map((_, k) => ramp(k / (STOPS.length - 1))).join(",");
  box.replaceChildren(
    make("div", {}, `${one.name}${wide ? ", logarithmic" : ""}`),
    make("div", { class: "ramp", style: `background:linear-gradient(90deg,${stops})` }),
    make("div", { class: "ends" }, make("span", {}, written(low)), make("span", {}, written(high))),
  );
}
