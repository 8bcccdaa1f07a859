// Lighting: what the pointer is on in one pane is lit in all three: source, graph and equation.

const lit = new Set(); // node numbers
const litScopes = new Set(); // collapsed scopes that contain one of them
const lights = [];

/** Calls `run(from)` whenever other nodes are lit; `from` is the pane that the pointer is in. */
function onLight(run) {
  lights.push(run);
}

/** Lights these nodes, and no others. */
function light(places, from) {
  if (places.length === lit.size && places.every((place) => lit.has(place))) return;
  lit.clear();
  litScopes.clear();
  for (const place of places) {
    lit.add(place);
    const scope = collapsedScope(place);
    if (scope !== null) litScopes.add(scope);
  }
  for (const run of lights) run(from);
  redraw();
}

/** Whether a card is lit. */
function isLit(box) {
  return box.group === null ? lit.has(box.node) : litScopes.has(box.group);
}

function startLighting() {
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons) return;
    const found = hit(...toGraph(event.offsetX, event.offsetY), 7 / camera.scale);
    if (!found) light([], "graph");
    else if (found.node !== undefined) light([found.node], "graph");
    else if (found.edge !== undefined) light([edges[found.edge].b], "graph");
    else light(groups.get(found.group) || [], "graph");
  });
  canvas.addEventListener("pointerleave", () => light([], "graph"));
}

/** The node numbers of an element: data-n="3,5". */
function placesOf(element) {
  return element ? element.dataset.n.split(",").map(Number) : [];
}

/** The pointer lights what it is on; a click chooses it, and the next one of several. */
function lightsUp(pane, name, under) {
  pane.addEventListener("pointerover", (event) => light(under(event.target), name));
  pane.addEventListener("pointerleave", () => light([], name));
  pane.addEventListener("click", (event) => chooseNext(under(event.target)));
  pane.addEventListener("keydown", (event) => {
    const rows = [...pane.querySelectorAll("[data-row]")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const now = rows.findIndex((row) => row.classList.contains("at"));
    if (step && rows.length) {
      const next = Math.max(0, Math.min(rows.length - 1, now + step));
      rows.forEach((row, k) => row.classList.toggle("at", k === next));
      rows[next].scrollIntoView({ block: "nearest" });
      light(under(rows[next]), name);
    } else if (event.key === "Enter" && now >= 0) chooseNext(under(rows[now]));
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  pane.addEventListener("blur", () => {
    pane.querySelector(".at")?.classList.remove("at");
    light([], name);
  });
}

/** Chooses the last of the nodes, or the one before the chosen one. */
function chooseNext(places) {
  if (!places.length) return;
  const now = places.indexOf(state.node);
  const next = places[(now <= 0 ? places.length : now) - 1];
  unfold(next);
  choose({ node: next });
}

/** Marks the elements of a pane whose nodes are lit or chosen, and scrolls to the first one. */
function markLit(pane, elements, from, name) {
  let first = null;
  for (const [element, places] of elements) {
    const on = places.some((place) => lit.has(place));
    element.classList.toggle("lit", on);
    element.classList.toggle("chosen", state.node !== null && places.includes(state.node));
    if (on && !first) first = element;
  }
  if (first && from !== name) {
    const [box, view] = [first.getBoundingClientRect(), pane.getBoundingClientRect()];
    if (box.top < view.top || box.bottom > view.bottom) pane.scrollTop += box.top - view.top - view.height / 3;
  }
}
