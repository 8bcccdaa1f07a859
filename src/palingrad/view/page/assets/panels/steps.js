// The chain rule step by step, derived in the page for the node that is asked for: from the result back to it.

const FIRST_STEPS = 10; // steps shown at the start of a long derivation
const LAST_STEPS = 20; // and at its end

/** The nodes between the result and a node, in the order of the reverse pass. */
function onTheWay(place) {
  const reached = new Set([place]);
  for (let k = place; k < nodes.length && k <= result; k++) {
    if (!reached.has(k)) continue;
    for (const number of outs[k]) if (schedule.active.has(edges[number].b)) reached.add(edges[number].b);
  }
  return [...reached].filter((k) => k !== result).sort((a, b) => b - a);
}

/** A step of the derivation: {place, terms: [edge], value}, without the numbers that the page doesn't have. */
function stepTo(place) {
  const terms = outs[place].filter((number) => schedule.active.has(edges[number].b));
  return { place, terms, total: totalOf(place) };
}

/** ∂result/∂node as the sum over its consumers; numbers where they are numbers, else shapes. */
function stepLine({ place, terms, total }) {
  const d = (k) => `∂${safe(nodes[result].n)}/∂${safe(nodes[k].n)}`;
  const number = (x) => `<span class="number">${short(x, 6)}</span>`;
  const symbols = terms.map((n) => `${edges[n].b === result ? "" : `${d(edges[n].b)} · `}∂${safe(nodes[edges[n].b].n)}/∂${safe(nodes[place].n)}`).join(" + ");
  const scalars = terms.every((n) => sizeOf(edges[n].b) === 1) && sizeOf(place) === 1;
  if (!scalars) {
    const shape = total ? `, of shape ${shapeText(nodes[place].sh)}, norm ${number(norm(total))}` : nodes[place].j ? `, of shape ${shapeText(nodes[place].sh)}` : "";
    const parts = terms.length > 1 ? `, the sum of ${terms.length} contributions` : "";
    return `${d(place)} = ${symbols}${parts}${shape}`;
  }
  const products = terms.map((n) => {
    const [local, above] = [localOf(n), edges[n].b === result ? { data: [1] } : totalOf(edges[n].b)];
    if (!local || !above) return null;
    return edges[n].b === result ? number(local.data[0]) : `${number(above.data[0])} · ${number(local.data[0])}`;
  });
  const numbers_ = products.includes(null) || !total ? "" : ` = ${products.join(" + ")} = <b>${number(total.data[0])}</b>`;
  return `${d(place)} = ${symbols}${numbers_}`;
}

/** The derivation for a node, which is worked out when it is opened. */
function derivedPart(place) {
  if (result === null || place === result || !schedule.active.has(place) || sizeOf(result) !== 1) return [];
  const body = make("div", { class: "steps" });
  const box = make("details", { class: "worked" }, make("summary", {}, "The chain rule, step by step"), body);
  box.addEventListener("toggle", () => {
    if (!box.open || body.firstChild) return;
    const way = onTheWay(place);
    const long = way.length > FIRST_STEPS + LAST_STEPS;
    const shown = long ? [...way.slice(0, FIRST_STEPS), null, ...way.slice(-LAST_STEPS)] : way;
    body.append(make("ol", {}, ...shown.map((k) => (k === null
      ? make("li", { class: "note" }, `${counted(way.length - FIRST_STEPS - LAST_STEPS)} more steps`)
      : make("li", { "data-node": nodes[k].k, html: stepLine(stepTo(k)) })))));
  });
  return [box];
}
