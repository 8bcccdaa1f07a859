// The details panel of a node: formula, value, derivatives, neighbours and origin.

function startDetails() {
  const show = () => {
    const panel = at("details");
    if (state.node !== null) panel.replaceChildren(...nodeDetails(state.node));
    else if (state.edge !== null) panel.replaceChildren(...edgeDetails(state.edge));
    else if (state.inner !== null) panel.replaceChildren(...innerDetails(state.inner));
    else if (state.group !== null && loops.has(bodyOf(state.group))) panel.replaceChildren(...loopDetails(bodyOf(state.group)));
    else if (state.group !== null && groups.has(state.group)) panel.replaceChildren(...groupDetails(state.group));
    else panel.replaceChildren(...welcome());
    panel.scrollTop = 0;
  };
  watch(["node", "edge", "group", "inner", "version", "collapsed"], show);
  watch(["step"], () => {
    if (state.node !== null && schedule.active.has(state.node)) show();
  });
  show();
}

/** The panel's content while nothing is selected. */
function welcome() {
  const outcome = result === null ? [] : [part(`Derivatives of ${nodes[result].n}`, chip(result))];
  const leaves = nodes.map((_, place) => place).filter((place) => !ins[place].length && ((nodes[place].g && totalOf(place)) || complexTexts(place, true)));
  const list = leaves.slice(0, 30).map((place) => {
    const complex = complexTexts(place, true);
    if (complex) return link_(place, make("span", { class: "number gradient" }, complex.length === 1 ? `∂ ${complex[0]}` : `${counted(complex.length)} numbers`));
    const total = totalOf(place);
    return link_(place, make("span", { class: "number gradient" }, total.data.length === 1 ? `∂ ${short(total.data[0])}` : `‖∂‖ ${short(norm(total), 3)}`));
  });
  return [
    make("h3", {}, data.title),
    make("p", { class: "note" }, "Choose a node or an edge. Press ? for all keys."),
    ...data.notes.map((text) => make("p", { class: "warn" }, text)),
    ...outcome,
    ...contentsPart(),
    ...(list.length ? [part("Gradients of the leaves", make("ul", { class: "list" }, ...list))] : []),
  ];
}

function part(title, ...children) {
  return make("section", {}, make("h2", {}, title), ...children);
}

/** A row that shows a node and selects it when clicked. */
function link_(place, ...more) {
  const node = nodes[place];
  const where = node.sc ? make("small", { class: "where" }, ` ${node.sc[node.sc.length - 1]}`) : null;
  return make("li", {}, make("button", { class: "row", type: "button", onclick: () => goTo(place) },
    make("span", { class: `dot ${node.r} ${node.t}` }), make("span", { title: node.n.length > 24 ? node.n : null }, node.n, where), ...more));
}

function chip(place) {
  return make("ul", { class: "list" }, link_(place, valueOf(place) && sizeOf(place) === 1 ? make("span", { class: "number" }, short(valueOf(place).data[0])) : null));
}

function goTo(place) {
  unfold(place);
  choose({ node: place });
  set({ tab: "details" });
}

function nodeDetails(place) {
  const node = nodes[place];
  const role = { forward: "forward pass", backward: "backward pass", update: "update" }[node.r];
  const found = [
    make("p", { class: "kind" }, node.t === "operation" ? titleOf(node) : node.t, " ", make("span", { class: `tag ${node.r}` }, role)),
    make("h3", {}, node.n),
  ];
  const formula = formulaOf(place);
  if (formula) found.push(make("div", { class: "formula", html: formula }));
  found.push(make("section", {}, make("dl", { class: "facts" }, ...facts(node))));
  if (stale.has(place)) found.push(make("p", { class: "warn" }, `Not computed in the page: ${stale.get(place)}.`));
  if (isEditable(place)) found.push(make("button", { type: "button", id: "edit-on-card", title: "Type or drag its numbers at the card, with the result as a curve (v)", onclick: () => openEditor(place) }, "Edit on the card"));
  const numbers_ = isComplex(place) ? complexPart(place) : [...valuePart(place), ...gradientPart(place)];
  found.push(...numbers_, ...workedPart(place), ...arrivalPart(place), ...neighbours(place), ...sourcePart(node));
  return found;
}

function facts(node) {
  const rows = [["shape", shapeText(node.sh)], ["dtype", node.d || (node.parts ? "several outputs" : "?")]];
  if (node.sc) rows.push(["scope", node.sc.join(" / ")]);
  if (node.by !== undefined) rows.push(["memory", `${counted(node.by)} bytes`]);
  if (node.dead !== undefined) rows.push(["dead units", `${short(100 * node.dead, 3)} %`]);
  for (const one of data.overlays) {
    const number = one.at[byKey.get(node.k)];
    if (number !== undefined) rows.push([one.name, one.name === "time" ? duration(number) : short(number, 5)]);
  }
  return rows.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]);
}

function duration(seconds) {
  return seconds < 1e-3 ? `${short(seconds * 1e6, 3)} µs` : seconds < 1 ? `${short(seconds * 1e3, 3)} ms` : `${short(seconds, 3)} s`;
}

function valuePart(place) {
  const node = nodes[place];
  const value = valueOf(place);
  const touched = edited.size && value && node.v && node.v.f && value.data.some((x, k) => !Object.is(x, exportedValue(place).data[k]));
  const title = make("span", {}, "Value ", touched ? make("span", { class: "tag" }, "edited") : null);
  if (value) {
    const shape = node.parts ? [value.data.length] : node.sh || [value.data.length];
    return [make("section", {}, make("h2", {}, title), imagesView(place, false), arrayView(shape, value.data, `value of ${node.n}`, node.d))];
  }
  if (stale.has(place)) return [];
  if (node.v) return [part("Value, summarised", imagesView(place, false), summaryView(node.v, `value of ${node.n}`))];
  return [part("Value", make("p", { class: "note" }, "Unknown, as a feed is missing. Pass feeds= to pg.view, or enter values under What if."))];
}

/** The gradient of a scalar result, or the total Jacobian of a result with several elements. */
function gradientPart(place) {
  const node = nodes[place];
  if (!node.g || result === null) return [];
  const total = totalOf(place);
  const of = nodes[result].n;
  const title = make("span", { class: "derive" }, `∂${of} / ∂${node.n}`);
  if (total) {
    const whole = total.rows === 1;
    const shape = whole ? node.sh : [total.rows, total.n];
    const word = whole ? (total.n === 1 ? "the gradient" : "the gradient, of the value's shape") : `the total Jacobian, ${total.rows} × ${total.n}: ${structureOf(total.rows, total.n, total.data)}`;
    return [make("section", {}, make("h2", {}, title), arrayView(shape, total.data, `gradient of ${node.n}`),
      make("p", { class: "caption" }, total.data.length === 1 ? "the total derivative: the sum over all paths" : word))];
  }
  if (node.j && !rowsNow) return [make("section", {}, make("h2", {}, title), imagesView(place, true), summaryView(node.j, `gradient of ${node.n}`))];
  if (rowsNow) return [make("section", {}, make("h2", {}, title), make("p", { class: "note" }, schedule.active.has(place) || node.j ? "Not computed in the page after this edit." : "No gradient reaches this node."))];
  return schedule.active.has(place) || !valueOf(place) ? [] : [make("section", {}, make("h2", {}, title), make("p", { class: "note" }, `${of} doesn't depend on it.`))];
}

/** The written-out chain rule from the result to this node, with the exported values. */
function workedPart(place) {
  const text = (data.worked || {})[place];
  if (rowsNow) return [];
  if (!text) return derivedPart(place);
  const lines = (text.match(/<math/g) || []).length;
  return [make("details", { class: "worked", open: lines <= 9 ? "" : null }, make("summary", {}, "The chain rule, step by step"), make("div", { html: text }))];
}

/** The contributions to the gradient of a node with several consumers, and their running sum. */
function arrivalPart(place) {
  if (!schedule.active.has(place) || place === result) return [];
  const { all, come } = arrivals(place, state.step);
  if (all.length < 2) return [];
  const order = [...all].sort((a, b) => schedule.arrived[a] - schedule.arrived[b]);
  let sum = null;
  const rows = order.map((number) => {
    const arrived = come.includes(number);
    const sent = arrived ? contributionOf(number) : null;
    if (sent) sum = sum ? sum.map((x, k) => x + sent.data[k]) : sent.data;
    const text = !arrived ? "pending" : !sent ? "unknown" : sent.data.length === 1 ? short(sent.data[0], 5) : `norm ${short(Math.hypot(...sent.data), 4)}`;
    const running = sent && sum && sum.length === 1 ? `Σ ${short(sum[0], 5)}` : sent ? `Σ norm ${short(Math.hypot(...sum), 4)}` : "";
    return make("li", {}, make("button", { class: "row", type: "button", onclick: () => choose({ edge: number }) },
      `from ${nodes[edges[number].b].n}`, make("span", { class: "number gradient" }, text), make("span", { class: "number" }, running)));
  });
  return [part(`Contributions: ${come.length} of ${all.length} arrived`, make("ul", { class: "list", id: "arrivals" }, ...rows))];
}

function neighbours(place) {
  const row = (number, other, word) => {
    const local = nodes[edges[number].a].g && sizeOf(edges[number].a) === 1 && sizeOf(edges[number].b) === 1 ? localOf(number) : null;
    const node = nodes[other];
    return make("li", {}, make("button", { class: "row", type: "button", onclick: () => goTo(other) }, make("span", { class: `dot ${node.r} ${node.t}` }), make("span", {}, node.n)),
      make("button", { class: "link", type: "button", title: "Show the edge", "aria-label": `edge ${word} ${node.n}`, onclick: () => choose({ edge: number }) },
        local && local.data.length ? `×${short(local.data[0])}` : "edge"));
  };
  const found = [];
  if (ins[place].length) found.push(part("Inputs", make("ol", { class: "list" }, ...ins[place].map((n) => row(n, edges[n].a, "from")))));
  const users = outs[place];
  if (users.length) {
    found.push(part(users.length === 1 ? "Used once" : `Used ${users.length} times`, make("ul", { class: "list" }, ...users.slice(0, 50).map((n) => row(n, edges[n].b, "to")))));
  }
  return found;
}

function sourcePart(node) {
  if (!node.src) return [];
  const [file, line, text] = node.src;
  return [part(`Built at ${file}:${line}`, text ? make("div", { class: "code", tabindex: "0" }, text) : null)];
}
