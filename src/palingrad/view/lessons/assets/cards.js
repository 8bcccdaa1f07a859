// The graph as cards on which answers are typed; lines between them run from operand to result.

const ROWS_SHOWN = 6; // rows and columns of the largest array on a card, as in cards.py
const SVG = "http://www.w3.org/2000/svg";
const cards = []; // the element of each node
const fields = new Map(); // number of a question → its field on the card
let zoom = 1;

/** Draws the graph; `shown` says whether a value may be shown, `given` is called with what is typed. */
function startCards(shown, given) {
  const [w, h] = data.size;
  const graph = at("graph");
  graph.style.width = `${w}px`;
  graph.style.height = `${h}px`;
  graph.append(linesOf(w, h));
  nodes.forEach((node, place) => {
    const card = make("div", { class: `card ${node.t}`, "data-node": place, style: `left:${node.p[0] - node.w / 2}px;top:${node.p[1] - node.h / 2}px;width:${node.w}px;height:${node.h}px` });
    card.append(make("div", { class: "name", html: headOf(place) }));
    if (!isLiteral(place)) card.append(make("div", { class: "value" }));
    data.questions.forEach((question, number) => question.place === place && card.append(fieldOf(question, number, given)));
    graph.append(card);
    cards[place] = card;
  });
  showValues(shown);
}

function headOf(place) {
  const node = nodes[place];
  if (isLiteral(place)) return safe(signed(node.n));
  return node.m === undefined ? `<math>${letter(node.n)}</math>` : formulaOf(place).replace(' display="block"', ' displaystyle="true"');
}

function fieldOf(question, number, given) {
  const id = `field${number}`;
  const shape = nodes[question.place].sh;
  const input = make("input", { id, type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: "false", placeholder: shape.length ? shapeText(shape) : "?", "aria-label": `Your answer for ${question.title}` });
  const form = make("form", { class: "field" }, make("label", { for: id }, question.value ? `${question.title} =` : question.title), input, make("button", { type: "submit", title: "Check (Enter)", "aria-label": `Check ${question.title}` }, "✓"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    given(number, input.value);
  });
  input.addEventListener("focus", () => chooseQuestion(number));
  fields.set(number, input);
  return form;
}

/** Writes the values that may be shown, and “?” on the other cards. */
function showValues(shown) {
  nodes.forEach((node, place) => {
    const element = cards[place].querySelector(".value");
    if (!element) return;
    element.classList.toggle("masked", !shown(place));
    element.innerHTML = shown(place) ? valueHtml(node.sh, exportedValue(place).data) : "?";
  });
}

function valueHtml(shape, numbers) {
  if (!shape.length) return `<span class="number">${short(numbers[0], 6)}</span>`;
  if (shape.length > 2 || Math.max(...shape) > ROWS_SHOWN || !numbers.length) return `<span class="note">array ${shapeText(shape)}</span>`;
  const columns = shape.at(-1);
  const rows = Array.from({ length: numbers.length / columns }, (_, row) => [...numbers.slice(row * columns, (row + 1) * columns)]);
  return `<table class="array">${rows.map((row) => `<tr>${row.map((x) => `<td>${short(x, 5)}</td>`).join("")}</tr>`).join("")}</table>`;
}

// ---------------------------------------------------------------- lines

function element(tag, attributes) {
  const found = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) found.setAttribute(name, value);
  return found;
}

function linesOf(w, h) {
  const svg = element("svg", { class: "lines", width: w, height: h, viewBox: `0 0 ${w} ${h}`, "aria-hidden": "true" });
  edges.forEach((edge, number) => {
    const line = element("path", { d: curve(edge.q), "data-edge": number });
    const tip = edge.q.slice(-2);
    svg.append(line, element("path", { class: "tip", "data-edge": number, d: `M${tip[0]} ${tip[1]}l-4.5 -8h9z` }));
  });
  return svg;
}

/** A line through points: straight where they are aligned, otherwise a curve with vertical ends. */
function curve(points) {
  let text = `M${points[0]} ${points[1]}`;
  for (let k = 2; k < points.length; k += 2) {
    const [x, y, u, v] = points.slice(k - 2, k + 2);
    const end = k + 2 === points.length ? v - 6 : v; // the arrow's tip covers the rest
    const middle = (y + v) / 2;
    text += x === u ? `L${u} ${end}` : `C${x} ${middle} ${u} ${middle} ${u} ${end}`;
  }
  return text;
}

/** Marks edges and nodes, and no others. */
function mark({ edges: lines = [], nodes: places = [] }) {
  const chosen = new Set(lines.map(String));
  for (const line of at("graph").querySelectorAll("[data-edge]")) line.classList.toggle("marked", chosen.has(line.dataset.edge));
  cards.forEach((card, place) => card.classList.toggle("marked", places.includes(place)));
}

/** The card of a question is in view; its field shows how the answer was judged. */
function showState(number, status) {
  const form = fields.get(number).form;
  form.classList.toggle("right", status === "right");
  form.classList.toggle("wrong", status === "wrong");
  form.classList.toggle("told", status === "told");
}

// ---------------------------------------------------------------- size

/** Fits the graph to the stage, within sizes at which its text can be read. */
function fit() {
  const stage = at("stage");
  const presenting = document.documentElement.dataset.present === "yes";
  const [w, h] = data.size;
  const room = Math.min((stage.clientWidth - 40) / w, (stage.clientHeight - 40) / h);
  zoom = Math.max(presenting ? 1.5 : 0.92, Math.min(presenting ? 2.6 : 1.3, room));
  at("graph").style.transform = `scale(${zoom})`;
  at("sheet").style.width = `${w * zoom}px`;
  at("sheet").style.height = `${h * zoom}px`;
}

/** Scrolls the stage so that the card is in its middle. */
function centre(place) {
  const stage = at("stage");
  const [x, y] = nodes[place].p;
  stage.scrollTo(x * zoom - stage.clientWidth / 2 + 20, y * zoom - stage.clientHeight / 2 + 20);
}
