// The paths panel: every path with the product of its local derivatives, and their sum next to the total.

const PAGE = 25; // paths listed per page
const ADDED = 2000; // the most paths that are summed one by one

function startPaths() {
  watch(["from", "to", "version", "tab"], () => state.tab === "paths" && showPaths());
  watch(["tab"], () => state.tab !== "paths" && set({ path: null }));
  watch(["path"], () => {
    if (state.path) unfoldAll(state.path.flatMap((number) => [edges[number].a, edges[number].b]));
    redraw();
  });
}

/** The default ends of the paths: the first leaf with a gradient, and the result. */
function defaultEnds() {
  const to = result ?? nodes.findLastIndex((_, place) => isFloat(place));
  const chosen = state.node !== null && isFloat(state.node) && state.node !== to ? state.node : null;
  const leaf = nodes.findIndex((node, place) => !ins[place].length && node.g && schedule.active.has(place));
  return { to, from: chosen ?? (leaf >= 0 ? leaf : 0) };
}

function showPaths() {
  const ends = defaultEnds();
  if (state.from === null || state.to === null) {
    set({ from: state.from ?? ends.from, to: state.to ?? ends.to });
    return;
  }
  const panel = at("paths");
  const { from, to } = state;
  const choices = nodes.map((_, place) => place).filter((place) => isFloat(place) && !nodes[place].parts && (nodes[place].g || place === from));
  const picker = (id, value, label, test) => {
    const some = choices.filter(test).slice(0, 1000);
    const options = (some.includes(value) ? some : [value, ...some]).map((place) => make("option", { value: place, selected: place === value }, `${nodes[place].n}${ambiguous(place)}`));
    return [make("label", { for: id, class: "field" }, label), make("select", { id, onchange: (event) => set({ [id === "path-from" ? "from" : "to"]: Number(event.target.value), path: null }) }, ...options)];
  };
  panel.replaceChildren(
    make("div", { class: "choose" },
      ...picker("path-from", from, "From", (place) => !ins[place].length || place === from || nodes.length < 400),
      ...picker("path-to", to, "to", (place) => ins[place].length > 0 || place === to)),
    ...pathList(from, to));
}

const namesakes = new Map(); // name → the number of nodes that have it
for (const { n } of nodes) namesakes.set(n, (namesakes.get(n) || 0) + 1);

/** A suffix that distinguishes nodes of the same name. */
function ambiguous(place) {
  return namesakes.get(nodes[place].n) > 1 ? ` (${nodes[place].k})` : "";
}

/** Whether a node depends on another, which may be complex itself, through complex numbers. */
function isComplexBetween(from, to) {
  const reached = new Map([[from, isComplex(from)]]); // node → whether a complex number is on a way to it
  for (let place = from + 1; place <= to; place++) {
    const given = ins[place].map((number) => edges[number].a).filter((one) => reached.has(one));
    if (given.length) reached.set(place, isComplex(place) || given.some((one) => reached.get(one)));
  }
  return reached.get(to) === true;
}

function pathList(from, to) {
  const [a, b] = [nodes[from].n, nodes[to].n];
  if (from === to) return [make("p", { class: "note" }, "Both are the same node: its derivative with respect to itself is 1.")];
  const ways = between(from, to);
  const total = ways.get(from) || 0n;
  const title = make("h3", { class: "derive" }, `∂${b} / ∂${a}`);
  const outside = isComplexBetween(from, to);
  if (!total) {
    const said = outside ? `The way from ${a} to ${b} leads through complex numbers, whose derivatives the page doesn't have: pg.gradients does.`
      : `No path leads from ${a} to ${b}: the derivative is 0.`;
    return [title, make("p", { class: "note" }, said)];
  }
  const how = make("p", { class: "note", id: "path-count", "data-count": String(total) },
    total === 1n ? "One path: the derivative is the product of its local derivatives." : `${counted(total)} paths. By the chain rule, the derivative is the sum of the products along the paths.`);
  if (outside) how.append(" Others lead through complex numbers, along which the page has no derivatives; they are part of the total.");
  const list = make("div", { id: "path-list" });
  const walker = pathsBetween(from, to, ways);
  const more = make("button", { type: "button", style: "margin-top:8px" }, "Show more");
  let shown = 0;
  const show = () => {
    for (let k = 0; k < PAGE; k++) {
      const { value, done } = walker.next();
      if (done) break;
      shown++;
      list.append(pathCard(value, from));
    }
    more.hidden = BigInt(shown) >= total;
    more.textContent = `Show more (${counted(total - BigInt(shown))} left)`;
  };
  more.onclick = show;
  show();
  return [title, how, list, more, sumPart(from, to, ways, total, outside)];
}

/** One path: its nodes, factors and product. A click highlights it in the graph. */
function pathCard(path, from) {
  const names = [from, ...path.map((number) => edges[number].b)].map((place) => nodes[place].n + ambiguous(place));
  const way = (names.length > 16 ? [...names.slice(0, 8), `${counted(names.length - 12)} more`, ...names.slice(-4)] : names).join(" → ");
  const press = () => {
    const on = button.getAttribute("aria-pressed") === "true";
    for (const other of document.querySelectorAll("#path-list .way")) other.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-pressed", String(!on));
    set({ path: on ? null : path.flatMap(bundle) });
  };
  const button = make("button", { class: "way", type: "button", "aria-pressed": "false" }, way);
  const card = make("div", { class: "path" }, button, make("div", { class: "product" }, ...factors(path, productAlong(path))));
  card.addEventListener("click", (event) => event.target.closest(".matrix") || press());
  return card;
}

function factors(path, product_) {
  if (!product_) return [make("span", { class: "note" }, "a factor is too large for the page")];
  const found = [];
  const shown = path.length > 24 ? [...path.slice(0, 12), ...path.slice(-12)] : path;
  [...shown].reverse().forEach((number, k) => {
    const local = localStep(number);
    if (k) found.push(make("span", { class: "op" }, path.length > 24 && k === 12 ? "· … ·" : "·"));
    found.push(local.data.length === 1
      ? make("span", { class: k && local.data[0] < 0 ? "factor negative" : "factor", title: `∂${nodes[edges[number].b].n}/∂${nodes[edges[number].a].n}`, html: digitsOf(local.data[0]) })
      : make("span", { class: "tag" }, `${local.m}×${local.n} ${structureOf(local.m, local.n, local.data)}`));
  });
  found.push(make("span", { class: "op" }, "="));
  found.push(product_.data.length === 1
    ? make("span", { class: "result", html: digitsOf(product_.data[0]) })
    : make("span", { class: "result", style: "flex-basis:100%" }, exactTable(product_)));
  return found;
}

/** A matrix, with all digits if it is small. */
function exactTable({ rows, n, data: numbers }) {
  if (rows * n > 64) return matrixView(rows, n, numbers, "product");
  return table(rows, n, numbers, { write: (x) => full(x), label: "product" });
}

/** The sum over the paths, next to the total of the reverse pass. */
function sumPart(from, to, ways, count_, outside) {
  const [a, b] = [nodes[from].n, nodes[to].n];
  const oneByOne = count_ <= BigInt(ADDED);
  let sum = null;
  let terms = 0; // the sum of magnitudes, which bounds the rounding error of the sum
  if (oneByOne) {
    for (const path of pathsBetween(from, to, ways)) {
      const term = productAlong(path);
      if (term) terms += most(term.data);
      sum = !term ? null : sum ? added(sum, term) : term;
      if (!term) break;
    }
  } else sum = sumOverPaths(from, to, ways);
  const total = totalBetween(from, to);
  const box = make("div", { class: "sum" });
  const put = (name, matrix, id) => box.append(make("span", {}, name), !matrix ? make("span", { class: "note" }, "too large to show") :
    matrix.data.length === 1 ? make("span", { id, html: digitsOf(matrix.data[0]) }) : make("span", { id, style: "grid-column:1/-1" }, exactTable(matrix)));
  put(oneByOne ? "Sum of all paths" : "Sum of all paths, by dynamic programming", sum, "path-sum");
  put(`Total ∂${b}/∂${a}`, total, "path-total");
  if (outside && sum && total) box.append(make("span", {}), make("span", { id: "path-check", class: "note" }, "the rest comes through complex numbers"));
  else if (sum && total) {
    const apart = sum.data.reduce((worst, x, k) => Math.max(worst, Object.is(x, total.data[k]) ? 0 : Math.abs(x - total.data[k])), 0);
    const size = Math.max(most(total.data), terms);
    const equal = apart === 0 || apart <= 1e-12 * size;
    const word = equal ? (apart ? `equal to rounding: ${short(apart, 2)} apart` : "equal, to the last digit") : `${short(apart, 3)} apart`;
    box.append(make("span", {}), make("span", { id: "path-check", class: equal ? "ok" : "bad" }, word));
  }
  return box;
}
