// The equation pane: the graph as equations in which every node has a term.

const FEW = 14; // equations around a node of a graph that is too large for all of them

function startEquation() {
  const pane = at("equation");
  let terms = [];
  const fill = (lines) => {
    pane.replaceChildren(...lines);
    terms = [...pane.querySelectorAll("[data-n]")].map((element) => [element, placesOf(element)]);
  };
  const whole = (data.equations || []).length > 0 || nodes.length < 40;
  if (whole) {
    fill((data.equations || []).map(([place, text]) => equationLine(place, text)));
    const known = new Set(terms.flatMap(([, places]) => places));
    const rest = nodes.map((_, place) => place).filter((place) => !known.has(place));
    fill([...pane.children, ...rest.map((place) => equationLine(place, ownEquation(place)))]);
  }
  const around = () => {
    const [first] = lit;
    const focus = first ?? state.node ?? result ?? nodes.length - 1;
    if (pane.dataset.focus === String(focus)) return;
    pane.dataset.focus = focus;
    fill([make("p", { class: "note" }, `Around ${calledAs[focus]}, of ${counted(nodes.length)} nodes:`),
      ...neighbourhood(focus).map((place) => equationLine(place, ownEquation(place)))]);
  };
  const show = (from) => {
    if (!whole && from !== "equation") around();
    markLit(pane, terms, from, "equation");
  };
  lightsUp(pane, "equation", (element) => placesOf(element.closest?.("[data-n]")));
  onLight(show);
  watch(["node"], () => show("choice"));
  show("start");
}

/** The node, and those before it, in the order of computation. */
function neighbourhood(focus) {
  const found = new Set([focus]);
  for (const place of found) {
    if (found.size >= FEW) break;
    for (const number of ins[place]) if (ins[edges[number].a].length || place === focus) found.add(edges[number].a);
  }
  for (const number of outs[focus].slice(0, 4)) found.add(edges[number].b);
  return [...found].sort((a, b) => a - b);
}

function equationLine(place, inside) {
  const line = make("div", { class: "eq", "data-row": place });
  const marked = inside.startsWith("<mrow data-n") ? inside : `<mrow data-n="${place}">${inside}</mrow>`;
  line.innerHTML = `<math display="block">${marked}</math>`;
  return line;
}

/** name = formula of the operands' names, or name = value for a leaf. */
function ownEquation(place) {
  const node = nodes[place];
  const called = (at_) => letter(calledAs[at_]);
  const named = (at_) => `<mrow data-n="${at_}">${called(at_)}</mrow>`;
  const name = called(place);
  if (node.m !== undefined) {
    const inside = data.formulas[node.m].replace(/<mi>\{(\d+)\}<\/mi>/g, (_, position) => (edges[ins[place][position]] ? named(edges[ins[place][position]].a) : "<mtext>?</mtext>"));
    return `${name}<mo>=</mo>${inside}`;
  }
  if (ins[place].length) return `${name}<mo>⟵</mo>${ins[place].map((number) => named(edges[number].a)).join("<mo>,</mo>")}`;
  const value = sizeOf(place) === 1 && valueOf(place);
  if (value && letter(node.n).startsWith("<mn>")) return name;
  return `${name}<mo>=</mo>${value ? `<mn>${short(value.data[0], 6)}</mn>` : `<mtext>${safe(node.t)} ${safe(shapeText(node.sh))}</mtext>`}`;
}
