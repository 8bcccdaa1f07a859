// The outline: all nodes by scope as a tree, with keyboard and screen-reader support.
//
// Only visible rows are in the document; each states its position and the number of rows to screen readers.

const ROW = 26;
const outline = { rows: [], open: new Set(), current: 0 };

/** The rows of expanded scopes: {kind, place or path, level, at, of}. */
function outlineRows() {
  const rows = [];
  const childrenOf = new Map([["", []]]);
  const into = (path) => {
    if (!childrenOf.has(path)) childrenOf.set(path, []);
    return childrenOf.get(path);
  };
  const seen = new Set();
  nodes.forEach((node, place) => {
    let path = "";
    for (const part of node.s || []) {
      const inner = path ? `${path}/${part}` : part;
      if (!seen.has(inner)) {
        seen.add(inner);
        into(path).push({ kind: "group", path: inner });
      }
      path = inner;
    }
    into(path).push({ kind: "node", place });
  });
  const stack = childrenOf.get("").map((child, k, all) => ({ ...child, level: 1, at: k + 1, of: all.length })).reverse();
  while (stack.length) {
    const row = stack.pop();
    rows.push(row);
    if (row.kind === "group" && outline.open.has(row.path)) {
      const inner = childrenOf.get(row.path).map((child, k, all) => ({ ...child, level: row.level + 1, at: k + 1, of: all.length }));
      for (const child of inner.reverse()) stack.push(child);
    }
  }
  return rows;
}

function startTree() {
  outline.open = new Set([...groups.keys()].filter((path) => !state.collapsed.has(path)));
  const tree = at("tree");
  const space = make("div", { class: "space" });
  tree.append(space);
  tree.addEventListener("scroll", showRows);
  tree.addEventListener("keydown", treeKeys);
  tree.addEventListener("focus", () => focusRow(outline.current));
  at("scopes").hidden = groups.size === 0;
  at("collapse").onclick = () => set({ collapsed: new Set([...folded, ...[...groups.keys()].filter((path) => !path.includes("/"))]) });
  at("expand").onclick = () => set({ collapsed: closedBeyond(OPENED) });
  new ResizeObserver(showRows).observe(tree);
  watch(["node", "group", "version"], () => {
    const row = outline.rows.findIndex((one) => (one.kind === "node" ? one.place === state.node : one.path === state.group));
    if (row >= 0) {
      outline.current = row;
      intoView(row);
    }
    showRows();
  });
  refreshTree();
}

const OPENED = 1000; // cards that "Expand all" shows at most: outer boxes are opened first

/** The boxes that stay closed if boxes are opened, outer ones first, until so many cards are visible. */
function closedBeyond(limit) {
  const inside = new Map([["", 0]]);
  for (const path of groups.keys()) inside.set(path, 0);
  for (const node of nodes) inside.set((node.s || []).join("/"), inside.get((node.s || []).join("/")) + 1);
  const parent = (path) => path.split("/").slice(0, -1).join("/");
  for (const path of groups.keys()) inside.set(parent(path), inside.get(parent(path)) + 1);
  const closed = new Set();
  let cards = inside.get("");
  for (const path of [...groups.keys()].sort((a, b) => a.split("/").length - b.split("/").length)) {
    if (closed.has(parent(path)) || cards - 1 + inside.get(path) > limit) closed.add(path);
    else cards += inside.get(path) - 1;
  }
  return closed;
}

function refreshTree() {
  outline.rows = outlineRows();
  at("tree").firstChild.style.height = `${outline.rows.length * ROW}px`;
  outline.current = Math.min(outline.current, outline.rows.length - 1);
  showRows();
}

/** Renders the visible rows. */
function showRows() {
  const tree = at("tree");
  const space = tree.firstChild;
  const first = Math.max(0, Math.floor(tree.scrollTop / ROW) - 6);
  const last = Math.min(outline.rows.length, Math.ceil((tree.scrollTop + tree.clientHeight) / ROW) + 6);
  const held = document.activeElement && document.activeElement.getAttribute("role") === "treeitem";
  const wanted = [];
  for (let k = first; k < last; k++) wanted.push(rowElement(k));
  if (outline.current < first || outline.current >= last) wanted.push(rowElement(outline.current));
  space.replaceChildren(...wanted);
  if (held) space.querySelector('[tabindex="0"]')?.focus({ preventScroll: true });
}

function rowElement(k) {
  const row = outline.rows[k];
  const chosen = row.kind === "node" ? state.node === row.place : state.group === row.path;
  const parts = row.kind === "node" ? nodeRow(row.place) : groupRow(row.path);
  return make("div", {
    role: "treeitem", id: `row${k}`, "aria-level": row.level, "aria-posinset": row.at, "aria-setsize": row.of,
    "aria-selected": String(chosen), "aria-expanded": row.kind === "group" ? String(outline.open.has(row.path)) : null,
    "aria-label": row.kind === "node" ? spoken(row.place) : `${boxKind(row.path)} ${boxTitle(row.path)}, ${groups.get(row.path).length} nodes`,
    tabindex: k === outline.current ? "0" : "-1", style: `top:${k * ROW}px;padding-left:${8 + 14 * (row.level - 1)}px`,
    onclick: () => pickRow(k),
  }, ...parts);
}

function nodeRow(place) {
  const node = nodes[place];
  return [make("span", { class: `dot ${node.r} ${node.t}` }), make("span", { class: "name" }, node.n),
    make("small", {}, node.t === "operation" ? (node.n === node.o ? valueText(place) : node.o) : valueText(place))];
}

function groupRow(path) {
  const open = outline.open.has(path);
  return [make("span", { class: "twist" }, open ? "▾" : "▸"), make("span", { class: "name" }, boxTitle(path)),
    make("small", {}, state.collapsed.has(path) ? "collapsed" : String(groups.get(path).length))];
}

/** Describes a node in a sentence: name, operation, inputs, value and gradient. */
function spoken(place) {
  const node = nodes[place];
  const from = ins[place].map((number) => nodes[edges[number].a].n).join(" and ");
  const what = node.t === "operation" ? `${node.o}${from ? ` of ${from}` : ""}` : node.t;
  const value = sizeOf(place) === 1 && valueOf(place) ? `, value ${short(valueOf(place).data[0])}` : node.sh ? `, shape ${shapeText(node.sh)}` : "";
  const total = node.g ? totalOf(place) : null;
  const slope = total && total.data.length === 1 ? `, gradient ${short(total.data[0])}` : "";
  return `${node.n}, ${what}${value}${slope}`;
}

function pickRow(k) {
  const row = outline.rows[k];
  outline.current = k;
  if (row.kind === "group") fold(row.path);
  if (row.kind === "node") choose({ node: row.place });
  else choose({ group: row.path });
}

function fold(path, open = !outline.open.has(path)) {
  if (open) outline.open.add(path);
  else outline.open.delete(path);
  refreshTree();
}

/** Scrolls the outline until a row is visible. */
function intoView(k) {
  const tree = at("tree");
  if (k * ROW < tree.scrollTop) tree.scrollTop = k * ROW;
  else if ((k + 1) * ROW > tree.scrollTop + tree.clientHeight) tree.scrollTop = (k + 1) * ROW - tree.clientHeight;
}

function focusRow(k) {
  outline.current = Math.max(0, Math.min(outline.rows.length - 1, k));
  intoView(outline.current);
  showRows();
  document.getElementById(`row${outline.current}`)?.focus({ preventScroll: true });
}

/** Handles the keys of a tree view, after the ARIA Authoring Practices. */
function treeKeys(event) {
  const row = outline.rows[outline.current];
  const open = row.kind === "group" && outline.open.has(row.path);
  const go = { ArrowDown: outline.current + 1, ArrowUp: outline.current - 1, Home: 0, End: outline.rows.length - 1 }[event.key];
  if (go !== undefined) focusRow(go);
  else if (event.key === "ArrowRight" && row.kind === "group" && !open) fold(row.path, true);
  else if (event.key === "ArrowRight" && open) focusRow(outline.current + 1);
  else if (event.key === "ArrowLeft" && open) fold(row.path, false);
  else if (event.key === "ArrowLeft") {
    const parent = outline.rows.slice(0, outline.current).findLastIndex((one) => one.level < row.level);
    if (parent >= 0) focusRow(parent);
  } else if (event.key === "Enter" || event.key === " ") {
    if (row.kind === "node") choose({ node: row.place });
    else choose({ group: row.path });
  } else return;
  event.preventDefault();
  event.stopPropagation();
}
