// Scopes: collapsing and expanding them, and the gradients at a scope's boundary.

/** Collapses or expands a scope. */
function toggleGroup(path) {
  const collapsed = new Set(state.collapsed);
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
    make("p", { class: "kind" }, `scope of ${members.length} nodes`),
    make("h3", {}, path.split("/").join(" / ")),
    make("div", { class: "row", style: "margin-top:10px" },
      make("button", { type: "button", id: "toggle-group", onclick: () => toggleGroup(path) }, collapsed ? "Expand" : "Collapse")),
    make("p", { class: "caption" }, collapsed ? "Its space in the graph stays reserved." : "Collapsing it draws one card; nothing else moves."),
    ...(inputs.length ? [part("Gradients passed to its inputs", make("ul", { class: "list", id: "boundary-in" }, ...inputs))] : []),
    ...(outputs.length ? [part("Gradients of its outputs", make("ul", { class: "list", id: "boundary-out" }, ...outputs))] : []),
    ...(variables.length ? [part("Trainable Variables", make("ul", { class: "list" }, ...variables.map((place) => link_(place, make("span", { class: "number" }, shapeText(nodes[place].sh))))))] : []),
  ];
}
