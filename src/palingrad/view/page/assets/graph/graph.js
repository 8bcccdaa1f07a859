// The page's data: nodes, edges, adjacency, and the exported arrays.

const given = JSON.parse(document.getElementById("data").textContent);
const REPAIRED = `palingrad: repaired run of ${given.title}: ${given.banner?.text}`; // the name of a window that shows it
// The run with the rewrite of a fault applied is a page of its own in the same file.
const isRepaired = Boolean(given.repaired) && (window.name === REPAIRED || /[#&]run=repaired/.test(location.hash));
const data = isRepaired ? given.repaired : given;
const nodes = data.nodes;
const edges = data.edges;
const result = data.result; // the differentiated node, or null
const byKey = new Map(nodes.map((node, place) => [node.k, place]));
const ins = nodes.map(() => []); // edge numbers, by operand
const outs = nodes.map(() => []);
edges.forEach((edge, number) => {
  ins[edge.b][edge.i] = number;
  outs[edge.a].push(number);
});
const groups = new Map(); // scope "a/b" → its members, including those of nested scopes
nodes.forEach((node, place) => {
  (node.s || []).forEach((_, depth) => {
    const path = node.s.slice(0, depth + 1).join("/");
    if (!groups.has(path)) groups.set(path, []);
    groups.get(path).push(place);
  });
});

const folded = new Set(data.folded); // the boxes that are closed at first

/** The number of elements of a node, or null if the shape is unknown. */
function sizeOf(place) {
  const shape = nodes[place].sh;
  if (!shape || shape.includes(null)) return null;
  return shape.reduce((a, b) => a * b, 1);
}

/** Gives arrays that were exported as bytes their numbers, `f`, which are decoded on first use. */
function withNumbers(array) {
  if (!array || array.b === undefined) return;
  let found = null;
  Object.defineProperty(array, "f", { get: () => (found ||= unpacked(array.b, array.t)) });
}

function unpacked(text, kind) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  if (kind === "u1") return bytes;
  return kind === "f4" ? new Float32Array(bytes.buffer) : new Float64Array(bytes.buffer);
}

for (const node of nodes) [node.v, node.j].forEach(withNumbers);
for (const edge of edges) withNumbers(edge.l);
for (const one of data.runs || []) Object.values(one.v).forEach(withNumbers);

/** An exported array as numbers; null if only a summary was exported. */
function decoded(array, dtype) {
  if (!array || !array.f) return null;
  const found = Float64Array.from(array.f, Number);
  return dtype === "float32" ? found.map(Math.fround) : found;
}

/** The name of an operation, with its options. */
function titleOf(node) {
  return node.a ? `${node.o}(${node.a})` : node.o;
}

/** The node's formula in MathML, with the names of its operands. */
function formulaOf(place) {
  const node = nodes[place];
  if (node.m === undefined) return "";
  const operand = (name) => `<mtext>${safe(name)}</mtext>`;
  const inside = data.formulas[node.m].replace(/<mi>\{(\d+)\}<\/mi>/g, (_, position) => {
    const edge = edges[ins[place][position]];
    return edge ? letter(nodes[edge.a].n) : operand("?");
  });
  return `<math display="block"><mrow>${letter(node.n === node.o ? "y" : node.n)}<mo>=</mo>${inside}</mrow></math>`;
}

const hasEuler = Object.values(data.formulas || {}).some((formula) => formula.includes("<mi>e</mi>")); // a variable e is in quotes then

/** A name in a formula: a single letter in italics, digits after it as a subscript. */
function letter(name) {
  if (name === "e" && hasEuler) return "<mtext>‘e’</mtext>";
  const [, base, index] = /^([\p{L}])_?([\d₀-₉]*)$/u.exec(name) || [];
  if (!base) return /^[−\d.e]+$/.test(name) ? `<mn>${safe(name)}</mn>` : `<mtext>${safe(name)}</mtext>`;
  const digits = (index || "").replace(/[₀-₉]/g, (c) => c.charCodeAt(0) - 0x2080);
  return digits ? `<msub><mi>${base}</mi><mn>${digits}</mn></msub>` : `<mi>${base}</mi>`;
}
