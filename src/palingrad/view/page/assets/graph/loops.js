// Loops and branches: an operation that opens to its body, with the values of one step.

const loops = new Map(data.regions.map((one) => [one.path, one])); // path of the frame → region
const loopAt = new Map(data.regions.map((one) => [one.at, one]));
let loopStep = null; // the step whose values bodies show, or null for the last

/** The frame around a frame of a body: a body opens and closes as a whole. */
function bodyOf(path) {
  for (const own of loops.keys()) if (path === own || path.startsWith(`${own}/`)) return own;
  return path;
}

/** Whether an operation is shown with its body. */
function isOpened(place) {
  return loopAt.has(place) && !state.collapsed.has(loopAt.get(place).path);
}

/** Adds the cards of open bodies, and returns their lines. */
function openBodies(boxes, boxOf) {
  const lines = [];
  for (const one of loops.values()) {
    const own = boxes[boxOf[one.at]];
    if (own.group !== null || !isOpened(one.at)) continue;
    own.path = one.path.split("/");
    const first = boxes.length;
    one.nodes.forEach((item, k) => boxes.push({
      node: null, group: null, inner: { loop: one, k }, w: item.w, h: HEIGHT, path: item.s, role: own.role, leaf: false,
    }));
    const box = (end) => (end < 0 ? boxOf[-1 - end] : first + end);
    for (const [a, b] of one.edges) if (box(a) !== box(b)) lines.push({ edges: [], from: box(a), to: box(b), body: true });
  }
  return lines;
}

/** The number of steps whose values are known. */
function stepsOf(one) {
  return one.nodes.reduce((n, item) => Math.max(n, item.v ? item.v.length : 0), 0);
}

/** The step whose values are shown: by default the last that all parts took (a condition is asked once more). */
function shownStep(one) {
  const last = one.nodes.reduce((n, item) => (item.v ? Math.min(n, item.v.length) : n), Infinity) - 1;
  return loopStep === null ? (Number.isFinite(last) ? last : 0) : Math.min(loopStep, stepsOf(one) - 1);
}

/** The value of a node of a body in that step: numbers, or null. */
function bodyValue(one, item) {
  return item.v && item.v[shownStep(one)] ? item.v[shownStep(one)].map(Number) : null;
}

/** The card of a node of a body. */
function paintInner(g, box, detail) {
  const item = box.inner.loop.nodes[box.inner.k];
  const chosen = state.inner && state.inner.loop === box.inner.loop && state.inner.k === box.inner.k;
  const [left, right] = [box.x - box.w / 2 + 14, box.x + box.w / 2 - 9];
  g.globalAlpha = scene.fade;
  g.beginPath();
  g.roundRect(box.x - box.w / 2, box.y - box.h / 2, box.w, box.h, 9);
  g.fillStyle = ink.raised;
  g.fill();
  g.lineWidth = chosen ? 2.6 : 1.2;
  g.strokeStyle = chosen ? ink.chosen : ink["strong-line"];
  if (item.t === "placeholder") g.setLineDash([5, 3]);
  g.stroke();
  g.setLineDash([]);
  g.fillStyle = ink.ink;
  g.textAlign = "left";
  g.textBaseline = detail === 2 ? "alphabetic" : "middle";
  g.font = `600 ${Math.min(26, type(13))}px ${ink.sans}`;
  g.fillText(fitted(g, item.n, right - left), left, detail === 2 ? box.y - 5 : box.y);
  if (detail === 2) {
    const value = bodyValue(box.inner.loop, item);
    g.font = `${type(11.5)}px ${ink.mono}`;
    g.fillStyle = ink.soft;
    g.fillText(fitted(g, value && value.length === 1 ? short(value[0], 4) : item.sh ? shapeText(item.sh) : item.o, right - left), left, box.y + 14);
  }
  g.globalAlpha = 1;
}

/** The mark of an operation that opens to its body. */
function paintLoopMark(g, box) {
  if (loopAt.has(box.node) && !isOpened(box.node)) mark(g, box.x + box.w / 2 - 12, box.y - box.h / 2 + 12, true);
}

// ---------------------------------------------------------------- details

function loopDetails(path) {
  const one = loops.get(path);
  const steps = stepsOf(one);
  const shown = shownStep(one);
  const name = make("output", {}, String(shown));
  const slider = make("input", { type: "range", id: "loop-step", min: 0, max: Math.max(0, steps - 1), value: shown, "aria-label": "Step of the loop", oninput: () => {
    loopStep = Number(slider.value);
    name.textContent = slider.value;
    list.replaceChildren(...rows());
    redraw();
  } });
  const rows = () => one.nodes.map((item, k) => {
    const value = bodyValue(one, item);
    return make("li", {}, make("button", { class: "row", type: "button", onclick: () => choose({ inner: { loop: one, k } }) },
      make("span", { class: `dot ${item.t}` }), make("span", {}, item.n), make("span", { class: "number" }, value && value.length === 1 ? short(value[0]) : item.sh ? shapeText(item.sh) : "")));
  });
  const list = make("ul", { class: "list", id: "body" }, ...rows());
  const open = isOpened(one.at);
  return [
    make("p", { class: "kind" }, `body of ${nodes[one.at].n}`), make("h3", {}, boxTitle(path)),
    make("div", { class: "row", style: "margin-top:10px" }, make("button", { type: "button", id: "toggle-group", onclick: () => toggleGroup(path) }, open ? "Collapse" : "Expand")),
    part("The operation", chip(one.at)),
    ...(steps > 1 ? [part("Values in step", make("div", { class: "row" }, slider, name))] : []),
    part("Its body", list),
  ];
}

/** The details of a node of a body, with its values in all steps, a row for each. */
function innerDetails({ loop, k }) {
  const item = loop.nodes[k];
  const found = [make("p", { class: "kind" }, `${item.o} in the body of ${nodes[loop.at].n}`), make("h3", {}, item.n),
    make("div", { class: "row" }, make("button", { type: "button", class: "link", onclick: () => choose({ group: loop.path }) }, "the whole body"))];
  if (item.m !== undefined) found.push(make("div", { class: "formula", html: bodyFormula(loop, k) }));
  found.push(make("section", {}, make("dl", { class: "facts" }, make("dt", {}, "shape"), make("dd", {}, shapeText(item.sh)), make("dt", {}, "dtype"), make("dd", {}, item.d || "several outputs"))));
  if (item.v && item.v.length) {
    const size = item.v[0].length;
    found.push(part("Values, a row for each step", matrixView(item.v.length, size, Float64Array.from(item.v.flat(), Number), `values of ${item.n}`)));
  } else found.push(make("p", { class: "note" }, "No values: the body is too large for that, or this branch was not taken."));
  return found;
}

/** The formula of a node of a body, with the names of its operands. */
function bodyFormula(loop, k) {
  const item = loop.nodes[k];
  const operand = (position) => {
    const edge = loop.edges.find(([, b, i]) => b === k && i === position);
    return edge ? letter(edge[0] < 0 ? nodes[-1 - edge[0]].n : loop.nodes[edge[0]].n) : "<mtext>?</mtext>";
  };
  const inside = data.formulas[item.m].replace(/<mi>\{(\d+)\}<\/mi>/g, (_, position) => operand(Number(position)));
  return `<math display="block"><mrow>${letter(item.n === item.o ? "y" : item.n)}<mo>=</mo>${inside}</mrow></math>`;
}
