// Draws the graph on the canvas: only visible elements, in a level of detail that depends on the scale.

const ink = {}; // the page's colours, read from its style sheet
let dirty = false;

/** Requests a redraw in the next frame. */
function redraw() {
  if (dirty) return;
  dirty = true;
  requestAnimationFrame(() => {
    dirty = false;
    paintAll();
  });
}

function readInk() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["paper", "surface", "raised", "ink", "soft", "faint", "line", "strong-line", "forward", "backward", "update", "chosen",
    "forward-wash", "backward-wash", "update-wash", "chosen-wash"]) ink[name] = style.getPropertyValue(`--${name}`).trim();
  ink.sans = style.getPropertyValue("--sans");
  ink.mono = style.getPropertyValue("--mono");
}

let frameTime = 0; // duration of the last frame in milliseconds, for measurements

function paintAll() {
  const start = performance.now();
  const g = canvas.getContext("2d");
  const ratio = devicePixelRatio;
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.fillStyle = ink.paper;
  g.fillRect(0, 0, stage.width + 1, stage.height + 1); // the last row of pixels may be a fraction
  g.setTransform(ratio * camera.scale, 0, 0, ratio * camera.scale,
    ratio * (stage.width / 2 - camera.x * camera.scale), ratio * (stage.height / 2 - camera.y * camera.scale));
  const [left, top] = toGraph(0, 0);
  const [right, bottom] = toGraph(stage.width, stage.height);
  const seen = visible(left - 120, right + 120, top - 60, bottom + 60);
  const few = seen.boxes.length < 900;
  const detail = camera.scale > TWO_LINES && few ? 2 : camera.scale > 0.16 && few ? 1 : 0;
  if (detail) paintFrames(g);
  g.globalAlpha = scene.fade;
  paintLines(g, seen.lines, detail);
  g.globalAlpha = 1;
  if (detail) for (const k of seen.boxes) paintBox(g, scene.boxes[k], detail);
  else paintBlocks(g, seen.boxes);
  if (detail === 2 && scene.fade === 1) paintNumbers(g, seen.lines);
  paintPulse(g);
  paintOverview();
  frameTime = performance.now() - start;
}

// ---------------------------------------------------------------- scopes and lines

/** The colour and width of a line: highlighted, selected, used in this step, computed, or not computed yet. */
function lineStyle(line) {
  const lit = state.path && line.edges.some((number) => state.path.includes(number));
  if (lit) return ["chosen", 3];
  if (state.edge !== null && line.edges.includes(state.edge)) return ["chosen", 2.6];
  const now = pulse.edges.length && line.edges.some((number) => pulse.edges.includes(number));
  if (now) return [pulse.back ? "backward" : "forward", 2.4];
  const near = state.node !== null && line.edges.some((n) => edges[n].a === state.node || edges[n].b === state.node);
  if (near) return ["soft", 1.6];
  const known = line.body || line.edges.some((number) => isComputed(edges[number].b, state.step));
  return [known ? "strong-line" : "line", 1.2];
}

function paintLines(g, lines, detail) {
  const styles = new Map();
  for (const k of lines) {
    const line = scene.lines[k];
    const [colour, wide] = lineStyle(line);
    const key = `${colour} ${wide}`;
    if (!styles.has(key)) styles.set(key, []);
    styles.get(key).push(line);
  }
  const order = [...styles.keys()].sort((a, b) => Number(a.split(" ")[1]) - Number(b.split(" ")[1]));
  for (const key of order) {
    const [colour, wide] = key.split(" ");
    g.strokeStyle = g.fillStyle = ink[colour];
    g.lineWidth = detail ? Number(wide) : Math.max(Number(wide), 0.7 / camera.scale);
    g.lineJoin = "round";
    g.beginPath();
    for (const line of styles.get(key)) trace(g, line, detail);
    g.stroke();
    if (detail) for (const line of styles.get(key)) arrowhead(g, bent(line), 5 + Number(wide));
  }
}

/** Draws a line with its curves, or straight segments at a small scale. */
function trace(g, { points }, detail) {
  g.moveTo(points[0], points[1]);
  for (let k = 2; k < points.length; k += 2) {
    const middle = (points[k - 1] + points[k + 1]) / 2;
    if (detail) g.bezierCurveTo(points[k - 2], middle, points[k], middle, points[k], points[k + 1]);
    else g.lineTo(points[k], points[k + 1]);
  }
}

function arrowhead(g, points, size) {
  const [x, y] = points.slice(-2);
  const angle = y >= points[points.length - 3] ? Math.PI / 2 : -Math.PI / 2; // lines arrive from above or below
  g.beginPath();
  g.moveTo(x, y);
  for (const side of [2.65, -2.65]) g.lineTo(x + size * Math.cos(angle + side), y + size * Math.sin(angle + side));
  g.fill();
}

// ---------------------------------------------------------------- cards

/** Draws a node at a small scale: a rectangle of the node's colour. */
function paintBlocks(g, boxes) {
  const byColour = new Map();
  for (const k of boxes) {
    const box = scene.boxes[k];
    const colour = fillOf(box) || (box.group ? ink.soft : isComputed(box.node, state.step) ? roleInk(box.node) : ink["strong-line"]);
    if (!byColour.has(colour)) byColour.set(colour, []);
    byColour.get(colour).push(box);
  }
  const grow = Math.max(0, 1.5 / camera.scale - HEIGHT) / 2;
  for (const [colour, some] of byColour) {
    g.fillStyle = colour;
    for (const b of some) g.fillRect(b.x - b.w / 2 - grow, b.y - b.h / 2 - grow, b.w + 2 * grow, b.h + 2 * grow);
  }
  if (state.node !== null) {
    const box = boxFor(state.node);
    g.strokeStyle = ink.chosen;
    g.lineWidth = 3 / camera.scale;
    const pad = 6 / camera.scale;
    g.strokeRect(box.x - box.w / 2 - pad, box.y - box.h / 2 - pad, box.w + 2 * pad, box.h + 2 * pad);
  }
}

function roleInk(place) {
  return ink[nodes[place].r];
}

/** The colour of a card in the active overlay, or null. */
function fillOf(box) {
  if (box.group !== null) return groupFill(box.group);
  if (state.differences && box.node !== null) {
    const d = state.differences.get(box.node);
    return d === undefined ? null : box.node === state.firstDifference ? "#d55e00" : ramp(d);
  }
  return paint && box.node !== null ? paint.colours[box.node] : null;
}

function paintBox(g, box, detail) {
  if (box.inner) {
    paintInner(g, box, detail);
    return;
  }
  const chosen = box.group === null ? state.node === box.node : state.group === box.group || (state.node !== null && boxFor(state.node) === box);
  const now = state.step > 0 && state.step < schedule.steps.length && boxFor(schedule.steps[state.step - 1].node) === box;
  g.beginPath();
  g.roundRect(box.x - box.w / 2, box.y - box.h / 2, box.w, box.h, box.group ? 14 : 9);
  const fill = fillOf(box);
  const known = box.node === null || isComputed(box.node, state.step);
  const shone = isLit(box); // the pointer is on it, here or in another pane
  g.fillStyle = shone ? ink["chosen-wash"] : fill || (known ? ink.surface : ink.paper);
  g.fill();
  const role = box.group ? "soft" : nodes[box.node].r;
  g.lineWidth = chosen || now || shone ? 2.6 : 1.2;
  g.strokeStyle = chosen || shone ? ink.chosen : now ? ink[schedule.steps[state.step - 1].phase] : known ? ink["strong-line"] : ink.line;
  if (box.node !== null && nodes[box.node].t === "placeholder") g.setLineDash([5, 3]);
  g.stroke();
  g.setLineDash([]);
  if (box.group) paintGroup(g, box, detail, fill);
  else {
    paintBadge(g, box, role, known);
    if (detail === 2) paintText(g, box, shone ? null : fill, known);
    else {
      const shown = nodes[box.node].pic?.k === "picture" && camera.scale > PICTURES;
      paintName(g, box, shone ? null : fill, shown ? pictureSlots(nodes[box.node].pic) : 0);
      if (shown) {
        paintArray(g, box, known, fill);
        paintLit(g, box);
      }
    }
    paintLoopMark(g, box);
  }
}

/** The bar at a card's left edge, in the colour of the node's role; it has full height for trainable leaves. */
function paintBadge(g, box, role, known) {
  const node = nodes[box.node];
  g.save();
  g.clip();
  g.globalAlpha = known ? 1 : 0.35;
  g.fillStyle = node.t === "constant" ? ink.faint : ink[role];
  g.fillRect(box.x - box.w / 2, box.y - box.h / 2, node.t === "variable" ? 7 : 3.5, box.h);
  g.restore();
}

const PICTURES = 0.3; // the smallest scale at which cards show pictures

/** The width that a card's pictures take, at its right edge. */
function pictureSlots(pic) {
  return (pic.g ? 2 : 1) * (pic.w + 8);
}

function paintName(g, box, fill, slots) {
  g.fillStyle = fill ? contrast(fill) : ink.ink;
  const size = Math.min(26, LEGIBLE / camera.scale); // legible, if there is space
  g.font = `600 ${size}px ${ink.sans}`;
  g.textAlign = "center";
  g.textBaseline = "middle";
  g.fillText(clipped(nodes[box.node].n, Math.floor((box.w - slots - 10) / (0.58 * size))), box.x - slots / 2, box.y);
}

/** A card's two lines: name and operation; value and, once computed, gradient. */
function paintText(g, box, fill, known) {
  const node = nodes[box.node];
  const slots = node.pic && node.pic.k === "picture" ? pictureSlots(node.pic) : 0;
  const [left, right] = [box.x - box.w / 2 + 14, box.x + box.w / 2 - 9 - slots];
  const middle = node.pic && node.pic.k === "numbers" ? box.y - box.h / 2 + 22 : box.y; // the first line is above it
  const [ink1, ink2] = fill ? [contrast(fill), contrast(fill)] : [known ? ink.ink : ink.faint, ink.soft];
  g.textBaseline = "alphabetic";
  g.textAlign = "left";
  g.fillStyle = ink1;
  g.font = `600 ${type(13)}px ${ink.sans}`;
  const name = fitted(g, clipped(node.n, 24), right - left);
  g.fillText(name, left, middle - 5);
  const marked = loopAt.has(box.node) && !isOpened(box.node) ? 14 : 0; // the plus that opens a loop
  const rest = right - left - g.measureText(name).width - 8 - marked;
  if (node.t === "operation" && rest > 12) {
    g.textAlign = "right";
    g.fillStyle = ink2;
    g.font = `${type(11)}px ${ink.sans}`;
    g.fillText(fitted(g, node.n === node.o ? calledAs[box.node] : clipped(node.o, 16), rest), right - marked, middle - 5);
  }
  const shown = paintArray(g, box, known, fill);
  paintLit(g, box);
  if (shown && node.pic.k === "numbers") return;
  g.font = `${type(11.5)}px ${ink.mono}`;
  g.textBaseline = "alphabetic";
  g.textAlign = "left";
  g.fillStyle = ink2;
  const value = known ? valueText(box.node) : "·";
  let gradient = "";
  let space = right - left;
  for (const digits of shown ? [] : [3, 2, 1]) { // the value comes first
    gradient = gradientText(box.node, digits);
    space = right - left - (gradient ? g.measureText(gradient).width + 6 : 0);
    if (g.measureText(value).width <= space) break;
  }
  const text = fitted(g, value, space);
  if (text === value || text.length > 3) g.fillText(text, left, middle + 14);
  if (gradient) {
    g.textAlign = "right";
    g.fillStyle = fill ? contrast(fill) : ink.backward;
    g.fillText(gradient, right, middle + 14);
  }
}

/** The value of a scalar, or the shape of a tensor. */
function valueText(place) {
  const node = nodes[place];
  if (stale.has(place)) return "?";
  if (node.z && sizeOf(place) === 1) return complexTexts(place, false)?.[0] ?? "";
  if (sizeOf(place) === 1) {
    const value = valueOf(place);
    if (value) return short(value.data[0], 4);
  }
  return node.sh ? shapeText(node.sh) : "";
}

/** The gradient of a scalar accumulated so far: "∂ 6", with "…" until it is complete. */
function gradientText(place, digits = 3) {
  if (nodes[place].z) return complexGradient(place, digits);
  if (!nodes[place].g || !(schedule.active.has(place) || hasGradient(place, state.step))) return "";
  if (sizeOf(place) !== 1 || (totalOf(place) && totalOf(place).rows > 1)) {
    const size = hasGradient(place, state.step) ? norm(totalOf(place), nodes[place].j) : null;
    return size === null ? "" : `‖∂‖ ${short(size, Math.min(2, digits))}`;
  }
  if (place === result) return hasGradient(place, state.step) ? "∂ 1" : "";
  const { all, come } = arrivals(place, state.step);
  if (!come.length && all.length) return "";
  if (come.length === all.length) {
    const total = totalOf(place);
    return total && total.rows === 1 ? `∂ ${short(total.data[0], digits)}` : "";
  }
  const sum = come.reduce((total, number) => total + (contributionOf(number)?.data[0] ?? NaN), 0);
  return `∂ ${short(sum, digits)} …`;
}


function clipped(text, length) {
  return text.length > length ? `${text.slice(0, Math.max(1, length - 1))}…` : text;
}

/** Black or white, whichever has more contrast with a colour. */
function contrast(colour) {
  const [r, g, b] = colour[0] === "#"
    ? [1, 3, 5].map((k) => parseInt(colour.slice(k, k + 2), 16))
    : colour.match(/\d+/g).map(Number);
  return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#14181f" : "#ffffff";
}
