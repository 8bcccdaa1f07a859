// The details panel of an edge: its local derivative, and the product of the chain rule at this edge.

function edgeDetails(number) {
  const edge = edges[number];
  const [from, to] = [nodes[edge.a], nodes[edge.b]];
  const head = [
    make("p", { class: "kind" }, `operand ${edge.i + 1} of ${ins[edge.b].length} of ${to.o}`),
    make("h3", {}, `${from.n} → ${to.n}`),
    make("ul", { class: "list" }, link_(edge.a), link_(edge.b)),
  ];
  const formula = formulaOf(edge.b);
  if (formula) head.push(make("div", { class: "formula", html: formula }));
  if (!isFloat(edge.a) || !isFloat(edge.b)) {
    const why = isComplex(edge.a) || isComplex(edge.b) ? "The page has no local derivatives of complex numbers; pg.vjp gives them." : "No derivative: only floating-point values have one.";
    return [...head, make("p", { class: "note" }, why)];
  }
  return [...head, ...localPart(number), ...chainPart(number)];
}

/** ∂to/∂from: a number, or a matrix with the name of its structure. */
function localPart(number) {
  const edge = edges[number];
  const [from, to] = [nodes[edge.a], nodes[edge.b]];
  const title = make("span", { class: "derive" }, `∂${to.n} / ∂${from.n}`);
  const local = localOf(number);
  if (!local) {
    const why = to.why || "values are missing or too large for the page";
    return [make("section", {}, make("h2", {}, title), structureLine(edge, null), make("p", { class: "note" }, `No numbers are shown: ${why}.`))];
  }
  const shown = local.whole
    ? matrixView(local.m, local.n, local.data, `derivative of ${to.n} by ${from.n}`)
    : make("div", {}, make("p", { class: "caption" }, `${counted(local.m)} × ${counted(local.n)}; the first ${local.rows} × ${local.columns}`),
      local.data.length ? matrixView(local.rows, local.columns, local.data, "corner of the derivative") : null);
  return [make("section", {}, make("h2", {}, title), structureLine(edge, local), shown)];
}

function structureLine(edge, local) {
  const known = local && local.whole ? structureOf(local.m, local.n, local.data) : null;
  if (known === "number") return make("p", { class: "caption" }, "the local derivative");
  const kind = edge.st && edge.st !== "general" && edge.st !== "composite" && edge.st !== known ? edge.st : null;
  const size = local ? `${counted(local.m)} × ${counted(local.n)}, ` : "";
  return make("p", { class: "caption" }, `local Jacobian, ${size}`, make("strong", { id: "structure" }, known || edge.st || "unknown"), kind && known ? ` (${kind})` : "");
}

/** The equation: incoming gradient · local derivative = contribution. */
function chainPart(number) {
  const edge = edges[number];
  if (result === null || !schedule.active.has(edge.b)) return [];
  const [from, to, end] = [nodes[edge.a], nodes[edge.b], nodes[result]];
  const total = totalOf(edge.b);
  const sent = contributionOf(number);
  const local = localOf(number);
  if (!total || !sent || !local) return [part("In the chain rule", make("p", { class: "note" }, "These gradients are too large to show."))];
  const users = outs[edge.a].length;
  const closing = users > 1 ? `One of ${users} contributions to ∂${end.n}/∂${from.n}.` : `The only contribution to ∂${end.n}/∂${from.n}.`;
  if (sent.data.length === 1 && total.data.length === 1) {
    const row = (name, x, id) => [make("span", {}, name), make("span", { id, html: digitsOf(x) })];
    return [part("The product on this edge", make("div", { class: "sum" },
      ...row(`∂${end.n}/∂${to.n} arrives`, total.data[0], "arrives"),
      ...row(`× ∂${to.n}/∂${from.n}`, local.data[0], "factor"),
      ...row("= passed on", sent.data[0], "passed")),
    make("p", { class: "caption" }, closing))];
  }
  return [part("The product on this edge",
    make("p", { class: "caption" }, `∂${end.n}/∂${to.n} arrives, ${total.rows} × ${total.n}`), matrixView(total.rows, total.n, total.data, "incoming gradient"),
    make("p", { class: "caption" }, `times the ${local.m} × ${local.n} matrix above is passed on, ${sent.rows} × ${sent.n}`), matrixView(sent.rows, sent.n, sent.data, "gradient passed on"),
    make("p", { class: "caption" }, closing))];
}
