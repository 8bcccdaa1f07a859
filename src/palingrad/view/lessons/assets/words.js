// What the lesson says: mistakes with their place, and hints.

const loss = () => nameOf(result);
const partialText = (y, x) => `∂${y}/∂${x}`;
const asked = (question) => question.title;
const wayText = (path) => [nameOf(edges[path[0]].a), ...path.map((number) => nameOf(edges[number].b))].join(" → ");
const edgeText = (number) => `${nameOf(edges[number].a)} → ${nameOf(edges[number].b)}`;

const TITLES = {
  right: "Right",
  missing: "A path is missing",
  local: "A local derivative, not the total one",
  sign: "The sign is wrong",
  transposed: "Transposed",
  batch: "Not summed over the batch",
  order: "The wrong order of multiplication",
  rate: "Off by the learning rate",
  forward: "A forward value, not a derivative",
  backward: "A derivative, not the forward value",
  mean: "The factor of the mean",
  factor: "A factor is wrong",
  other: "The answer to another question",
  digits: "Nearly",
  shape: "The shape is wrong",
  elements: "Partly right",
  coincidence: "Right at these numbers only",
  misfit: "The shapes don't fit",
  unknown: "Not right",
};

/** What to say of a judgement: {title, text, edges: those to mark in the graph, nodes}. */
function said(question, verdict) {
  const title = TITLES[verdict.kind];
  const besides = verdict.factor && !verdict.id.startsWith("times") ? ` Besides, it is multiplied by ${short(verdict.factor, 3)}.` : "";
  const text = verdict.right ? `${asked(question)} is answered.` : SAYS[verdict.kind](verdict, question) + besides;
  return { title, text, ...marksOf(question, verdict) };
}

const SAYS = {
  missing: ({ edges: left, paths }, question) => {
    const ways = left ? left.map(edgeText) : paths.map(wayText);
    const shown = ways.slice(0, 3).join(", ") + (ways.length > 3 ? ", …" : "");
    return `Contributions of all paths are added. Your answer leaves out ${shown}, along which ${nameOf(question.place)} also reaches ${loss()}.`;
  },
  local: ({ node, edge }, question) => {
    const from = edge === undefined ? nameOf(question.place) : nameOf(edges[edge].a);
    return `This has only the local derivative ${partialText(nameOf(node), from)}. ${loss()} changes with ${nameOf(node)} too: multiply by ${partialText(loss(), nameOf(node))}.`;
  },
  sign: ({ edge, path }) => {
    if (edge !== undefined) return `The numbers fit, except for the sign of the step ${edgeText(edge)}.`;
    return path ? `The numbers fit, except for the sign along ${wayText(path)}.` : "The numbers fit, except for the sign.";
  },
  transposed: ({ edge, node }, question) => {
    if (edge === undefined) return `The numbers fit, but rows and columns are exchanged: ${asked(question)} has the shape of ${nameOf(question.place)}, ${shapeText(nodes[question.place].sh)}.`;
    return `In the step ${edgeText(edge)} a matrix must be transposed: the adjoint of a product A B is Ȳ Bᵀ for A and Aᵀ Ȳ for B. Look at ${nameOf(node)}.`;
  },
  order: ({ edge, node }, question) => {
    if (edge === undefined) return `The factors of ${nameOf(node)} are in the other order: A B isn't B A.`;
    const first = edges[edge].i === 0;
    return `At ${nameOf(node)} the factors are in the wrong order: what goes back to ${nameOf(edges[edge].a)} is ${first ? "Ȳ Bᵀ: Ȳ comes first" : "Aᵀ Ȳ: Ȳ comes last"}.`;
  },
  batch: ({ edge, row, node }) => {
    const shared = `${nameOf(edges[edge].a)} is used for all rows of ${nameOf(node)}`;
    return row === undefined ? `${shared}: their contributions are added up.` : `${shared}; this is the contribution of row ${row + 1} alone.`;
  },
  rate: ({ updated }) => (updated ? `This is the value after a step of gradient descent with the learning rate ${data.rate}. The derivative itself is asked for.` : `This is the derivative times the learning rate ${data.rate}, which belongs to the update.`),
  forward: ({ node, derivative }, question) => {
    if (derivative) return `At ${nameOf(node)} the derivative of the operation is needed; your answer has its value there.`;
    return `This is the value of ${nameOf(node)}, which the forward pass computes. ${asked(question)} says how ${loss()} changes with ${nameOf(question.place)}.`;
  },
  backward: (_, question) => `This is ${partialText(loss(), nameOf(question.place))}. The value of ${nameOf(question.place)} is asked for, from the forward pass.`,
  mean: ({ missing, node }) => (missing ? `${nameOf(node)} is a mean: each of its n terms has the factor 1/n.` : `This has a factor 1/n too much: at ${nameOf(node)} the terms are added, not averaged once more.`),
  factor: ({ edge, factor }) => {
    if (edge !== undefined) return `The derivative of the step ${edgeText(edge)} is left out.`;
    return `This is ${short(factor, 3)} times the answer.`;
  },
  other: ({ node }, question) => (question.value ? `This is the value of ${nameOf(node)}.` : `This is ${partialText(loss(), nameOf(node))}.`),
  digits: () => "Near, but not accurate enough: give at least three correct digits, and round only at the end.",
  shape: ({ shape, given }) => `The answer has shape ${shapeText(given)}; ${shape.length ? `write an array of shape ${shapeText(shape)}` : "a single number is asked for"}.`,
  elements: ({ wrong }) => `${wrong.length} of the numbers ${wrong.length === 1 ? "isn't" : "aren't"} right; the others are.`,
  coincidence: () => "The formula gives the right numbers here, but not when the values on the cards change. Use names in the place of numbers, and check each factor.",
  misfit: ({ factors: [left, right], shapes: [a, b], cause }, question) => {
    const named = (name, shape, side) => (name ? `${name} has shape ${shapeText(shape)}` : `the factor on the ${side} has shape ${shapeText(shape)}`);
    const sides = `${named(left, a, "left")} and ${named(right, b, "right")}`;
    const fix = { order: " In another order they do.", transposed: " One of the two must be transposed." }[cause] || "";
    const rule = a.length < 2 && b.length < 2 ? "two vectors must be of one length" : `a product @ needs as many columns on the left as rows on the right, here ${a.at(-1)} and ${b.at(b.length > 1 ? -2 : -1)}`;
    return `${sides[0].toUpperCase()}${sides.slice(1)}; ${rule}.${fix} The answer has shape ${shapeText(nodes[question.place].sh)}.`;
  },
  unknown: () => "None of the usual mistakes explains this answer. The hints lead on, one step at a time.",
};

/** The edges and nodes that show where a mistake is. */
function marksOf(question, verdict) {
  if (verdict.right) return { edges: [], nodes: [] };
  const marked = new Set();
  if (verdict.edge !== undefined) marked.add(verdict.edge);
  for (const number of verdict.edges || []) marked.add(number);
  for (const path of verdict.paths || (verdict.path ? [verdict.path] : [])) path.forEach((number) => marked.add(number));
  if (verdict.kind === "local" && verdict.edge === undefined) {
    edgesOf(waysFrom(verdict.node)).forEach((number) => marked.add(number));
  }
  return { edges: [...marked], nodes: verdict.node === undefined ? [] : [verdict.node] };
}

// ---------------------------------------------------------------- hints

/** A number or a small array as text. */
function arrayText(shape, numbers) {
  if (!shape.length) return short(numbers[0], 6);
  if (numbers.length > 36) return `an array of shape ${shapeText(shape)}`;
  let parts = [...numbers].map((x) => short(x));
  for (const size of [...shape].reverse()) parts = Array.from({ length: parts.length / size }, (_, k) => `[${parts.slice(k * size, (k + 1) * size).join(", ")}]`);
  return parts[0];
}

/** The three hints of a question, as HTML: where, by which rule, with which numbers. */
function hintsOf(question) {
  return question.value ? hintsOfValue(question) : [whereHint(question), ruleHint(question), numbersHint(question)];
}

function whereHint(question) {
  const ways = waysFrom(question.place);
  const paths = [...firstOf(pathsBetween(question.place, result, ways), 5)];
  const name = safe(nameOf(question.place));
  const total = ways.get(question.place);
  const listed_ = paths.slice(0, 4).map((path) => `<li>${safe(wayText(path))}</li>`).join("");
  const more = total > 4n ? `<li>and ${counted(total - 4n)} more</li>` : "";
  const count_ = total === 1n ? "along one path; its derivatives are multiplied" : `along ${counted(total)} paths, whose contributions are added`;
  return `${name} reaches ${safe(loss())} ${count_}.<ul>${listed_}${more}</ul>`;
}

function ruleHint(question) {
  const bars = /mover/.test(question.rule) ? ` A bar over a name is the derivative of ${safe(loss())} by it.` : "";
  if (question.rule) return `By the chain rule:<div class="rule">${question.rule}</div>${bars}`;
  const uses = usesOf(question.place).map((number) => safe(nameOf(edges[number].b)));
  return `Multiply the derivative of ${safe(loss())} by each of ${uses.join(", ")} with the local derivative, and add.`;
}

const usesOf = (place) => {
  const ways = waysFrom(place);
  return outs[place].filter((number) => ways.has(edges[number].b));
};

function numbersHint(question) {
  const world = worldsFor(new Set())[0];
  const rows = within(world, () => usesOf(question.place).map((number) => numbersOf(number, world)));
  return `With numbers:<ul>${[...new Set(rows)].join("")}</ul>Multiply, and add what belongs to ${safe(nameOf(question.place))}.`;
}

/** The adjoint of a use, and the local derivative if that is a number, else the values of the other operands. */
function numbersOf(number, world) {
  const { a, b, i } = edges[number];
  const total = world.totals.get(b);
  const parts = [`${partialText(loss(), nameOf(b))} = ${arrayText(nodes[b].sh, total.data)}`];
  if (sizeOf(a) === 1 && sizeOf(b) === 1) {
    const local = sentBack(b, Float64Array.of(1))[i];
    parts.push(`${partialText(nameOf(b), nameOf(a))} = ${short(local[0], 6)}${ins[b].filter((one) => edges[one].a === a).length > 1 ? " for each use" : ""}`);
  } else {
    for (const one of ins[b]) if (edges[one].a !== a && !isLiteral(edges[one].a)) parts.push(`${nameOf(edges[one].a)} = ${arrayText(nodes[edges[one].a].sh, values[edges[one].a].data)}`);
  }
  return `<li>${parts.map(safe).join("; ")}</li>`;
}

function hintsOfValue(question) {
  const world = worldsFor(new Set())[0];
  const inputs = [...new Set(ins[question.place].map((number) => edges[number].a))].filter((place) => !isLiteral(place));
  const numbers = within(world, () => inputs.map((place) => `<li>${safe(`${nameOf(place)} = ${arrayText(nodes[place].sh, values[place].data)}`)}</li>`));
  return [
    `${safe(nameOf(question.place))} is computed from ${inputs.map((place) => safe(nameOf(place))).join(", ")}.`,
    `Its formula:${formulaOf(question.place)}`,
    `With numbers:<ul>${numbers.join("")}</ul>`,
  ];
}
