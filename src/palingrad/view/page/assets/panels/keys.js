// Keyboard control: an equivalent of every pointer action.

const KEYS = [
  ["← ↑ ↓ →", "in the graph: along a line, or to the nearest card"],
  ["Enter", "open the details of the selection; open or close a chosen box"],
  ["/", "find a node"],
  ["space", "play or pause"],
  [", and .", "one step back, one step forward"],
  ["Home, End", "to the start, to the end of the timeline"],
  ["+ − 0", "zoom in, zoom out, fit everything"],
  ["d p w c", "details, paths, what if, compare"],
  ["e", "the next edge of the chosen node"],
  ["g", "close or open the chosen box, or the chosen node's"],
  ["o", "colour by the next overlay"],
  ["v", "edit the chosen leaf on its card"],
  ["s", "show or hide the source and the equation"],
  ["t", "light or dark"],
  ["Esc", "end the opening, clear the selection"],
  ["?", "this list"],
];

function startKeys() {
  for (const [keys, text] of KEYS) at("keys-list").append(make("dt", {}, make("kbd", {}, keys)), make("dd", {}, text));
  at("help").onclick = () => at("keys").showModal();
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || at("keys").open) return;
    const typing = event.target.closest?.("input:not([type=range]), select, textarea");
    if (typing) return;
    const pressing = event.target.closest?.("button") && (event.key === " " || event.key === "Enter");
    if (!pressing && pressed(event)) event.preventDefault();
  });
  document.querySelectorAll('[role="tab"]').forEach((tab) => tab.addEventListener("keydown", tabKeys));
  at("skip").onclick = (event) => {
    event.preventDefault();
    focusRow(outline.current);
  };
}

const TABS = ["details", "paths", "whatif", "compare"];

function tabKeys(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const next = TABS[(TABS.indexOf(state.tab) + step + TABS.length) % TABS.length];
  set({ tab: next });
  at(`tab-${next}`).focus();
  event.preventDefault();
  event.stopPropagation();
}

/** Handles a key; returns whether the key has a meaning. */
function pressed(event) {
  const { key } = event;
  const inGraph = document.activeElement === canvas || document.activeElement === document.body;
  const slider = event.target.id === "step";
  const simple = {
    "/": () => at("search").focus(), " ": togglePlay, ",": () => goStep(state.step - 1), ".": () => goStep(state.step + 1, true),
    "+": () => zoomBy(1.25), "=": () => zoomBy(1.25), "-": () => zoomBy(0.8), "0": fit,
    d: () => set({ tab: "details" }), p: () => set({ tab: "paths" }), w: () => set({ tab: "whatif" }), c: () => set({ tab: "compare" }),
    e: nextEdge, g: toggleChosen, o: nextOverlay, t: () => at("theme").click(), s: () => set({ panes: !state.panes }), v: editChosen,
    Escape: () => choose({}), "?": () => at("keys").showModal(),
  }[key];
  if (simple) {
    simple();
    return true;
  }
  if (!inGraph || slider) return false;
  if (key.startsWith("Arrow")) walk(key);
  else if (key === "Home") goStep(0);
  else if (key === "End") goStep(schedule.steps.length);
  else if (key === "Enter" && state.group !== null) toggleGroup(state.group);
  else if (key === "Enter") {
    set({ tab: "details" });
    at("details").focus();
  } else return false;
  return true;
}

/** The card of the selection, or null. */
function selectedBox() {
  if (state.node !== null) return boxFor(state.node);
  if (state.group !== null && scene.ofGroup.has(state.group)) return scene.boxes[scene.ofGroup.get(state.group)];
  return scene.boxes.find((box) => box.inner && state.inner && box.inner.loop === state.inner.loop && box.inner.k === state.inner.k) || null;
}

/** Selects the card in the direction of an arrow key: a neighbour along a line, else the nearest card. */
function walk(key) {
  const here = selectedBox();
  if (!here) {
    choose({ node: result ?? 0 });
    return;
  }
  const [dx, dy] = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[key];
  const own = scene.boxes.indexOf(here);
  const near = scene.lines.filter((line) => line.from === own || line.to === own).map((line) => scene.boxes[line.from === own ? line.to : line.from]);
  const ahead = (box) => {
    const [x, y] = [box.x - here.x, box.y - here.y];
    const forward = x * dx + y * dy;
    return forward > 4 ? forward + 2.2 * Math.abs(x * dy - y * dx) : Infinity;
  };
  const best = (boxes) => boxes.reduce((a, b) => (b !== here && ahead(b) < ahead(a) ? b : a), here);
  const linked = best(near);
  const found = linked !== here ? linked : best(closeBy(here));
  if (found !== here) chooseBox(found);
}

function chooseBox(box) {
  if (box.inner) choose({ inner: box.inner });
  else choose(box.group === null ? { node: box.node } : { group: box.group });
}

/** The cards around a card. */
function closeBy(box) {
  const seen = visible(box.x - 900, box.x + 900, box.y - 500, box.y + 500);
  return seen.boxes.map((k) => scene.boxes[k]);
}

function nextEdge() {
  const place = state.node ?? (state.edge !== null ? edges[state.edge].b : null);
  if (place === null) return;
  const all = [...ins[place], ...(ins[place].length ? [] : outs[place])];
  if (all.length) choose({ edge: all[(all.indexOf(state.edge) + 1) % all.length] });
  set({ tab: "details" });
}

function toggleChosen() {
  if (state.group !== null) toggleGroup(state.group);
  else if (state.node !== null && nodes[state.node].s) {
    const path = nodes[state.node].s.join("/");
    toggleGroup(path);
    choose({ group: path });
  }
}

function nextOverlay() {
  const ids = overlays().map((one) => one.id);
  set({ overlay: ids[(ids.indexOf(state.overlay) + 1) % ids.length] });
}
