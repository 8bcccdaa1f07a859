// Comparison of two runs or states: which nodes differ, by how much, and which is the first.

function startCompare() {
  watch(["tab", "version"], () => state.tab === "compare" && showCompare());
  watch(["run"], () => {
    measureRun();
    if (state.tab === "compare") showCompare();
    redraw();
  });
  watch(["version"], () => {
    if (state.run !== null) measureRun();
  });
}

/** The alternatives to compare with: other runs, and the state before edits. */
function runs() {
  const found = data.runs.map((run_, k) => ({ id: k, name: run_.name, value: (place) => decoded(run_.v[place], nodes[place].d) }));
  if (edited.size) found.push({ id: "before", name: "before the edits", value: (place) => exportedValue(place)?.data ?? null });
  return found;
}

/** The largest difference of two arrays relative to the larger one; 0 if all bits agree. */
function apart(a, b) {
  if (a.length !== b.length) return Infinity;
  let [worst, size] = [0, 0];
  for (let k = 0; k < a.length; k++) {
    if (Object.is(a[k], b[k]) || (Number.isNaN(a[k]) && Number.isNaN(b[k]))) continue;
    const d = Math.abs(a[k] - b[k]);
    worst = Math.max(worst, Number.isNaN(d) ? Infinity : d);
    size = Math.max(size, Math.abs(a[k]) || 0, Math.abs(b[k]) || 0);
  }
  return worst === 0 ? 0 : worst / (size || 1);
}

/** The difference of each node, and the first node that differs in the order of computation. */
function measureRun() {
  const run_ = runs().find((one) => one.id === state.run);
  state.firstDifference = null;
  if (!run_) {
    state.differences = null;
    return;
  }
  const found = new Map();
  const raw = new Map();
  nodes.forEach((_, place) => {
    const [mine, theirs] = [valueOf(place), run_.value(place)];
    if (!mine || !theirs) return;
    const d = apart(mine.data, theirs);
    if (d === 0) return;
    raw.set(place, d);
    if (state.firstDifference === null) state.firstDifference = place;
  });
  const sizes = [...raw.values()].filter(Number.isFinite);
  const [low, high] = [Math.min(...sizes), Math.max(...sizes)];
  for (const [place, d] of raw) found.set(place, high > low && Number.isFinite(d) ? Math.log(d / low) / Math.log(high / low) : 1);
  state.differences = found;
  state.raw = raw;
}

function showCompare() {
  const panel = at("compare");
  const all = runs();
  if (!all.length) {
    panel.replaceChildren(make("h3", {}, "Compare two runs"),
      make("p", { class: "note" }, "Pass another run of the same graph as compare= to pg.view, or change a leaf under What if to compare the values before and after."));
    return;
  }
  const select = make("select", { id: "run", onchange: () => set({ run: pick(select.value) }) },
    make("option", { value: "" }, "nothing"), ...all.map((one) => make("option", { value: String(one.id), selected: one.id === state.run }, one.name)));
  const pick = (text) => (text === "" ? null : text === "before" ? "before" : Number(text));
  panel.replaceChildren(make("h3", {}, "Compare this run"), make("div", { class: "choose" }, make("label", { for: "run", class: "field" }, "with"), select), ...differences(all));
}

function differences(all) {
  const run_ = all.find((one) => one.id === state.run);
  if (!run_) return [make("p", { class: "note" }, "Choose another run to compare with. Values are compared bit for bit, in the order of computation.")];
  const raw = [...state.raw];
  if (!raw.length) return [make("p", { class: "note", id: "difference" }, "No difference: all values known in both runs are equal, bit for bit.")];
  const first = state.firstDifference;
  const row = ([place, d]) => link_(place, make("span", { class: "number" }, sizeOf(place) === 1 ? `${short(valueOf(place).data[0])} ↔ ${short(run_.value(place)[0])}` : Number.isFinite(d) ? `${short(100 * d, 3)} %` : "∞"));
  return [
    part("First difference", make("ul", { class: "list", id: "first-difference" }, row([first, state.raw.get(first)]))),
    make("p", { class: "note", id: "difference" }, `${counted(raw.length)} of ${counted(nodes.length)} nodes differ. In the graph, the first is vermilion; the others are coloured by the size of the difference.`),
    part("All, in order", make("ul", { class: "list" }, ...raw.slice(0, 100).map(row))),
  ];
}
