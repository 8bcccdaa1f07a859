// Numbers on edges: the local derivatives that stand there, and those that roll along in a step.

const pulse = { from: 0, edges: [], back: false }; // the animation of numbers along the edges of a step

/** Draws the local derivatives of scalar edges, the factors of the chain rule, once the values are computed. */
function paintNumbers(g, lines) {
  labels = [];
  if (lines.length > 160 || camera.scale < 0.62) return;
  g.font = `${type(10.5)}px ${ink.mono}`;
  g.textAlign = "center";
  g.textBaseline = "middle";
  for (const k of lines) {
    const line = scene.lines[k];
    if (line.edges.length !== 1 || scene.boxes[line.from].group !== null || scene.boxes[line.to].group !== null) continue;
    const edge = edges[line.edges[0]];
    const parallel = ins[edge.b].length > 1;
    if (sizeOf(edge.a) !== 1 || sizeOf(edge.b) !== 1 || !nodes[edge.a].g || !isComputed(edge.b, state.step) || !schedule.active.has(edge.b)) {
      if (parallel && camera.scale > 0.8) numberAt(g, line, `${edge.i + 1}`, ink.faint, 0.86);
      continue;
    }
    const local = localOf(line.edges[0]);
    const lit = state.path && state.path.includes(line.edges[0]);
    if (local && local.data.length) numberAt(g, line, `×${local.data[0] < 0 ? `(${short(local.data[0], 3)})` : short(local.data[0], 3)}`, lit ? ink.chosen : ink.backward, labelPosition(line.edges[0]));
  }
}

/** The position of an edge's number along its line, so that numbers of parallel edges don't overlap. */
function labelPosition(number) {
  const same = ins[edges[number].b].filter((other) => edges[other].a === edges[number].a);
  return same.length < 2 ? 0.5 : 0.35 + (0.4 * same.indexOf(number)) / (same.length - 1);
}

let labels = []; // the rectangles of the numbers drawn in this frame: [left, top, right, bottom]

/** Draws a number on a line, at the first place that is free of cards and other numbers; none if there is none. */
function numberAt(g, line, text, colour, where) {
  const width = g.measureText(text).width + 8;
  const points = bent(line);
  const place = [where, ...LABEL_PLACES].map((t) => along(points, t)).find(([x, y]) => isFree([x - width / 2, y - 7.5, x + width / 2, y + 7.5]));
  if (!place) return;
  const [x, y] = place;
  labels.push([x - width / 2, y - 7.5, x + width / 2, y + 7.5]);
  g.fillStyle = ink.paper;
  g.globalAlpha = 0.88;
  g.beginPath();
  g.roundRect(x - width / 2, y - 7.5, width, 15, 7);
  g.fill();
  g.globalAlpha = 1;
  g.fillStyle = colour;
  g.fillText(text, x, y + 0.5);
}

const LABEL_PLACES = [0.5, 0.6, 0.4, 0.7, 0.3, 0.8, 0.2];

/** Whether a rectangle overlaps neither a number nor a card. */
function isFree([left, top, right, bottom]) {
  if (labels.some(([l, t, r, b]) => left < r && l < right && top < b && t < bottom)) return false;
  return !visible(left, right, top, bottom).boxes.some((k) => {
    const box = scene.boxes[k];
    return left < box.x + box.w / 2 && right > box.x - box.w / 2 && top < box.y + box.h / 2 && bottom > box.y - box.h / 2;
  });
}

/** Animates numbers along the edges of a step: to the consumer, or back to the inputs. */
function startPulse(numbers, back) {
  Object.assign(pulse, { from: performance.now(), edges: numbers, back });
  redraw();
}

function paintPulse(g) {
  if (!pulse.edges.length || still.matches) return;
  const t = (performance.now() - pulse.from) / pulseTime();
  if (t >= 1) return;
  const eased = t < 0.5 ? 2 * t * t : 1 - 2 * (1 - t) ** 2;
  const seen = new Set();
  for (const number of pulse.edges) {
    const from = boxFor(edges[number].a);
    const to = boxFor(edges[number].b);
    if (from === to || seen.has(number)) continue;
    seen.add(number);
    const line = from.group || to.group ? [from.x, from.y, to.x, to.y] : bent({ points: edges[number].q });
    rolling(g, rollingText(number, pulse.back), ...along(line, 0.75 * (pulse.back ? 1 - eased : eased)), pulse.back ? "backward" : "forward");
  }
  redraw();
}

/** What rolls along an edge: the number, or the shape of an array. */
function rollingText(number, back) {
  const from = edges[number].a;
  const found = back ? contributionOf(number) : valueOf(from);
  if (found && found.data.length === 1) return short(found.data[0], 3);
  if (found && found.data.length <= 3) return `[${[...found.data].map((x) => short(x, 2)).join(" ")}]`;
  return `${back ? "∂ " : ""}${shapeText(nodes[from].sh)}`;
}

/** A rolling number: a pill that keeps its size on the screen. */
function rolling(g, text, x, y, colour) {
  const size = 12 / Math.min(1, camera.scale);
  g.font = `600 ${size}px ${ink.mono}`;
  const [w, h] = [g.measureText(text).width + 1.2 * size, 1.7 * size];
  g.beginPath();
  g.roundRect(x - w / 2, y - h / 2, w, h, h / 2);
  g.fillStyle = ink[colour];
  g.fill();
  g.fillStyle = ink.surface;
  g.textAlign = "center";
  g.textBaseline = "middle";
  g.fillText(text, x, y + 0.05 * size);
}
