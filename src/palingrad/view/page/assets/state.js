// The page's state: the selection, listeners for its changes, and deep links to it.

const state = {
  node: null, // the selected node's number
  edge: null, // the selected edge's number
  group: null, // the selected box
  inner: null, // the selected node of a loop's body
  step: 0, // the timeline's step
  tab: "details",
  overlay: "none",
  collapsed: new Set(), // collapsed scopes, as "a/b"
  panes: true, // whether the source and the equation are shown
  from: null, // the ends of the paths, and the highlighted path
  to: null,
  path: null, // edge numbers
  version: 0, // increases with each edit of a value
  run: null, // the run to compare with, and the difference of each node
  differences: null,
};

const watchers = [];

/** Calls `run` whenever one of `keys` changes; with `now` also immediately. */
function watch(keys, run) {
  watchers.push([keys, run]);
}

/** Changes the state and notifies the listeners of what changed. */
function set(changes) {
  const changed = Object.keys(changes).filter((key) => state[key] !== changes[key]);
  if (!changed.length) return;
  Object.assign(state, changes);
  for (const [keys, run] of watchers) if (keys.some((key) => changed.includes(key))) run(changed);
  linkLater();
}

/** Selects a node, an edge or a group, and deselects the others. */
function choose(what) {
  set({ node: null, edge: null, group: null, inner: null, ...what });
}

// ---------------------------------------------------------------- deep links

let linking = 0;

function linkLater() {
  clearTimeout(linking);
  linking = setTimeout(link, 120);
}

/** Writes the state to the address, without a new entry in the history. */
function link() {
  const parts = new URLSearchParams();
  if (state.node !== null) parts.set("node", nodes[state.node].k);
  if (state.edge !== null) parts.set("edge", state.edge);
  if (state.group !== null) parts.set("group", state.group);
  if (state.step !== schedule.steps.length && !opening.on) parts.set("step", state.step);
  if (state.tab !== "details") parts.set("tab", state.tab);
  if (state.overlay !== "none") parts.set("overlay", state.overlay);
  if (state.from !== null && state.tab === "paths") parts.set("from", nodes[state.from].k);
  if (state.to !== null && state.tab === "paths") parts.set("to", nodes[state.to].k);
  if (isRepaired) parts.set("run", "repaired");
  const edits = writtenEdits();
  if (edits && edits.length < LONGEST) parts.set("edits", edits);
  if (!state.panes) parts.set("panes", "off");
  const closed = [...state.collapsed].filter((path) => !folded.has(path));
  const opened = [...folded].filter((path) => !state.collapsed.has(path));
  if (closed.length) parts.set("collapsed", closed.join("|"));
  if (!sameSet(state.collapsed, initial) && opened.length < 60) parts.set("opened", opened.join("|"));
  try {
    history.replaceState(null, "", `#${parts}`);
  } catch {
    // a notebook's iframe has no address to change
  }
}

/** Reads the state from the address. */
function follow() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const place = (name) => (parts.has(name) && byKey.has(parts.get(name)) ? byKey.get(parts.get(name)) : null);
  const step = parts.has("step") ? Math.round(Number(parts.get("step"))) : schedule.steps.length;
  const edge = parts.has("edge") ? Number(parts.get("edge")) : null;
  const changes = {
    node: place("node"),
    edge: edge !== null && edges[edge] ? edge : null,
    group: parts.get("group"),
    panes: parts.get("panes") !== "off",
    step: Math.max(0, Math.min(schedule.steps.length, step || 0)),
    tab: ["paths", "whatif", "compare"].includes(parts.get("tab")) ? parts.get("tab") : "details",
    overlay: overlays().some((one) => one.id === parts.get("overlay")) ? parts.get("overlay") : "none",
  };
  if (parts.has("from")) changes.from = place("from");
  if (parts.has("to")) changes.to = place("to");
  const paths = (name) => (parts.get(name) || "").split("|").filter((path) => groups.has(path) || loops.has(path));
  if (parts.has("collapsed") || parts.has("opened")) {
    const opened = new Set(paths("opened"));
    changes.collapsed = new Set([...folded, ...paths("collapsed")].filter((path) => !opened.has(path)));
  }
  set(changes);
  readEdits(parts.get("edits"));
}
