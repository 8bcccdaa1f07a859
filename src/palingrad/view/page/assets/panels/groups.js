// Boxes: closing and opening them, and the gradients at a box's boundary.

/** Collapses or expands a scope. */
function toggleGroup(path) {
  const collapsed = new Set(state.collapsed);
  path = bodyOf(path);
  if (collapsed.has(path)) collapsed.delete(path);
  else collapsed.add(path);
  set({ collapsed });
}

/** The edges that enter a scope, and those that leave it. */
function boundary(path) {
  const inside = new Set(groups.get(path));
  const entering = edges.map((_, n) => n).filter((n) => inside.has(edges[n].b) && !inside.has(edges[n].a));
  const leaving = edges.map((_, n) => n).filter((n) => inside.has(edges[n].a) && !inside.has(edges[n].b));
  return { inside, entering, leaving };
}

/** The gradient contribution of a scope to a node outside: the sum over the edges from that node into the scope. */
function throughScope(numbers) {
  let sum = null;
  for (const number of numbers) {
    const sent = contributionOf(number);
    if (!sent) return null;
    sum = sum ? { ...sum, data: sum.data.map((x, k) => x + sent.data[k]) } : sent;
  }
  return sum;
}

function boxWord(path) {
  return { phase: "phase", scope: "scope", repeat: "repetition", unit: "one repetition", part: "part", leaves: "leaves" }[boxKind(path)];
}

function groupDetails(path) {
  const { entering, leaving, inside } = boundary(path);
  const collapsed = state.collapsed.has(path);
  const members = groups.get(path);
  const by = (numbers, end) => {
    const found = new Map();
    for (const number of numbers) found.set(edges[number][end], [...(found.get(edges[number][end]) || []), number]);
    return [...found];
  };
  const amount = (total) => (total === null ? "" : total.data.length === 1 ? `∂ ${short(total.data[0], 5)}` : `∂ norm ${short(Math.hypot(...total.data), 4)}`);
  const inputs = by(entering, "a").filter(([place]) => isFloat(place)).map(([place, numbers]) => {
    const through = schedule.active.has(place) ? throughScope(numbers) : null;
    const total = totalOf(place);
    const partly = through && total && through.data.some((x, k) => Math.abs(x - total.data[k]) > 1e-12 * Math.abs(total.data[k]));
    return link_(place, make("span", { class: "number gradient", "data-through": through && through.data.length === 1 ? through.data[0] : null }, partly ? `${amount(through).replace("∂ ", "")} of ${amount(total)}` : amount(through)));
  });
  const outputs = by(leaving, "a").map(([place]) => link_(place, make("span", { class: "number gradient" }, totalOf(place) ? amount(totalOf(place)) : "")));
  if (inside.has(result)) outputs.push(link_(result, make("span", { class: "number gradient" }, "the result")));
  const variables = members.filter((place) => nodes[place].tr);
  return [
    make("p", { class: "kind" }, `${boxWord(path)} of ${counted(members.length)} nodes`),
    make("h3", {}, path.split("/").map((_, k, all) => boxTitle(all.slice(0, k + 1).join("/"))).join(" / ")),
    make("div", { class: "row", style: "margin-top:10px" },
      make("button", { type: "button", id: "toggle-group", onclick: () => toggleGroup(path) }, collapsed ? "Expand" : "Collapse")),
    make("p", { class: "caption" }, collapsed ? "Its content takes the card's place, and the others make room." : "Its content becomes one card, and the others close up."),
    ...(inputs.length ? [part("Gradients passed to its inputs", make("ul", { class: "list", id: "boundary-in" }, ...inputs))] : []),
    ...(outputs.length ? [part("Gradients of its outputs", make("ul", { class: "list", id: "boundary-out" }, ...outputs))] : []),
    ...(variables.length ? [part("Trainable Variables", make("ul", { class: "list" }, ...variables.map((place) => link_(place, make("span", { class: "number" }, shapeText(nodes[place].sh))))))] : []),
  ];
}

/** What a large graph consists of: its phases or outermost boxes, and its parameters. */
function contentsPart() {
  if (!groups.size || !folded.size) return [];
  const row = (path) => make("li", {}, make("button", { class: "row", type: "button", onclick: () => goToGroup(path) },
    make("span", { class: `dot ${groupRole(path)}` }), make("span", {}, boxTitle(path)), make("span", { class: "number" }, counted(groups.get(path).length))));
  const outer = [...groups.keys()].filter((path) => !path.includes("/"));
  const fed = nodes.map((_, place) => place).filter((place) => nodes[place].t === "placeholder");
  const feed = (place) => link_(place, make("span", { class: "number" }, nodes[place].v ? valueText(place) : "not fed"));
  const trained = nodes.map((_, place) => place).filter((place) => nodes[place].tr && nodes[place].r === "forward");
  const numbers = trained.reduce((sum, place) => sum + (sizeOf(place) || 0), 0);
  return [part("Parts, with their number of nodes", make("ul", { class: "list", id: "parts" }, ...outer.slice(0, 24).map(row))),
    ...(trained.length ? [part("Parameters", make("p", { class: "note", id: "parameters" }, `${counted(trained.length)} trainable Variable${trained.length === 1 ? "" : "s"}, ${counted(numbers)} number${numbers === 1 ? "" : "s"}`))] : []),
    ...(fed.length ? [part("Feeds", make("ul", { class: "list", id: "feeds" }, ...fed.slice(0, 24).map(feed)))] : [])];
}
