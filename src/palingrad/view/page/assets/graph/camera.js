// The camera: the visible part of the graph, changed by dragging, wheel, pinch, zoom to fit, and animation.

const canvas = at("canvas");
const camera = { x: 0, y: 0, scale: 1 }; // the centre of the view, in graph coordinates
const stage = { width: 1, height: 1 };
const still = matchMedia("(prefers-reduced-motion: reduce)");

function toGraph(px, py) {
  return [camera.x + (px - stage.width / 2) / camera.scale, camera.y + (py - stage.height / 2) / camera.scale];
}

function toScreen(x, y) {
  return [(x - camera.x) * camera.scale + stage.width / 2, (y - camera.y) * camera.scale + stage.height / 2];
}

/** The scale at which a rectangle fits the view, at most 1. */
function filling(width, height) {
  const free = (side) => side - Math.min(70, 0.09 * side); // around the graph
  return Math.max(0.004, Math.min(free(stage.width) / Math.max(width, 1), free(stage.height) / Math.max(height, 1), 1.25));
}

/** Zooms to fit everything that is visible. */
function fit() {
  lookAt({ left: 0, top: 0, right: scene.width, bottom: scene.height });
}

/** Shows a rectangle of the graph, at most enlarged by a quarter. */
function lookAt({ left, top, right, bottom }) {
  cancelAnimationFrame(gliding);
  Object.assign(camera, { x: (left + right) / 2, y: (top + bottom) / 2, scale: filling(right - left, bottom - top) });
  redraw();
}

const LEGIBLE = 11.01; // the smallest text on the first screen, in pixels: 11, where the browser rounds it
const READABLE = 0.5; // the smallest scale at which a card has space for a name of that size
const PHONE = 0.43; // the same on a narrow screen, where names may be shorter
const NARROW = 500; // pixels
const readable = () => (stage.width < NARROW ? PHONE : READABLE);
const CARDS = 40; // the most cards on the first screen
const TWO_LINES = 0.54; // the smallest scale at which it has space for two lines
const ROOMY = 0.6; // the smallest scale for which further boxes are opened
let initial = new Set(folded); // the boxes that are closed at first on this screen

/** Opens boxes in turn, as long as everything is visible with two lines on each card. */
function openSome() {
  for (const path of data.next) {
    const before = state.collapsed;
    if ([...before].some((outer) => path.startsWith(`${outer}/`))) continue;
    state.collapsed = new Set([...before].filter((one) => one !== path));
    arrange();
    if (filling(scene.width, scene.height) < ROOMY || scene.boxes.length > CARDS) state.collapsed = before;
  }
  arrange();
  initial = new Set(state.collapsed);
}

/** On a narrow screen that the graph doesn't fit, cards leave their pictures to the details, so that more of them fit. */
function withoutPictures() {
  if (filling(scene.width, scene.height) >= PHONE || !nodes.some((node) => node.pic?.k === "picture")) return;
  for (const node of nodes) {
    if (node.pic?.k !== "picture") continue;
    node.w -= pictureSlots(node.pic);
    node.h = HEIGHT;
    node.pic = null;
  }
  arrange();
}

/** The size of text in the graph's units: `size`, or more where that would be too small to read. */
function type(size) {
  return Math.max(size, LEGIBLE / camera.scale);
}

/** The initial view: everything if its text is legible, else both passes, else the part with the result. */
function begin() {
  fit();
  if (camera.scale >= readable()) return;
  for (const parts of [["forward", "backward"], ["forward"]]) {
    const seen = scene.boxes.filter((box) => parts.includes(box.role));
    if (!seen.length) return;
    const around = boundsOf(seen);
    lookAt(around);
    if (camera.scale >= readable()) return;
    camera.scale = readable();
    const centre = result === null ? null : boxFor(result);
    const [wide, tall] = [(stage.width - 50) / camera.scale, (stage.height - 90) / camera.scale];
    const held = (low, high, space, at_) => (high - low <= space ? (low + high) / 2 : Math.max(low + space / 2, Math.min(high - space / 2, at_)));
    camera.x = held(around.left, around.right, wide, centre ? centre.x : around.left);
    camera.y = held(around.top, around.bottom, tall, centre ? centre.y : around.top);
  }
  redraw();
}

/** The rectangle around some cards. */
function boundsOf(boxes) {
  return {
    left: least(boxes.map((box) => box.x - box.w / 2)), right: most_(boxes.map((box) => box.x + box.w / 2)),
    top: least(boxes.map((box) => box.y - box.h / 2)), bottom: most_(boxes.map((box) => box.y + box.h / 2)),
  };
}

/** Zooms by a factor about a point of the screen. */
function zoomBy(factor, px = stage.width / 2, py = stage.height / 2) {
  const [x, y] = toGraph(px, py);
  camera.scale = Math.max(0.004, Math.min(4, camera.scale * factor));
  camera.x = x - (px - stage.width / 2) / camera.scale;
  camera.y = y - (py - stage.height / 2) / camera.scale;
  redraw();
}

let gliding = 0;

/** Brings a card into view by animation. A card whose centre is visible stays where it is. */
function reveal(box) {
  const [px, py] = toScreen(box.x, box.y);
  if (px >= 0 && px <= stage.width && py >= 0 && py <= stage.height) return;
  glideTo({ x: box.x, y: box.y, scale: Math.max(camera.scale, READABLE) });
}

/** Moves the camera. */
function glideTo(target, length = 240) {
  const from = { ...camera };
  const start = performance.now();
  cancelAnimationFrame(gliding);
  if (still.matches) {
    Object.assign(camera, target);
    redraw();
    return;
  }
  const glide = (now) => {
    const t = Math.max(0, Math.min(1, (now - start) / length));
    const eased = 1 - (1 - t) ** 3;
    camera.x = from.x + (target.x - from.x) * eased;
    camera.y = from.y + (target.y - from.y) * eased;
    camera.scale = from.scale * (target.scale / from.scale) ** eased;
    redraw();
    if (t < 1) gliding = requestAnimationFrame(glide);
  };
  gliding = requestAnimationFrame(glide);
}

/** Handles pointer events. */
function startCamera() {
  const pointers = new Map();
  let moved = 0;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
    moved = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) {
      point(event);
      return;
    }
    const others = [...pointers].filter(([id]) => id !== event.pointerId);
    const [dx, dy] = [event.offsetX - before[0], event.offsetY - before[1]];
    moved += Math.abs(dx) + Math.abs(dy);
    if (others.length) {
      const [, other] = others[0];
      const far = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]);
      zoomBy(far([event.offsetX, event.offsetY]) / Math.max(1, far(before)), other[0], other[1]);
    } else if (moved > 3) {
      camera.x -= dx / camera.scale;
      camera.y -= dy / camera.scale;
      redraw();
    }
    pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
  });
  const up = (event) => {
    if (pointers.has(event.pointerId) && moved <= 3 && event.type === "pointerup") click(event);
    pointers.delete(event.pointerId);
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("dblclick", (event) => {
    const found = hit(...toGraph(event.offsetX, event.offsetY), 8 / camera.scale);
    if (found && found.group && !found.opens) toggleGroup(found.group);
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoomBy(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016)), event.offsetX, event.offsetY);
  }, { passive: false });
  at("zoom-in").onclick = () => zoomBy(1.3);
  at("zoom-out").onclick = () => zoomBy(1 / 1.3);
  at("fit").onclick = fit;
  new ResizeObserver(resize).observe(at("stage"));
  resize();
}

function resize() {
  const box = at("stage").getBoundingClientRect();
  const first = Math.min(stage.width, stage.height) < 100; // an iframe may get its size after it loads
  Object.assign(stage, { width: box.width, height: box.height });
  canvas.width = Math.round(box.width * devicePixelRatio);
  canvas.height = Math.round(box.height * devicePixelRatio);
  if (first) {
    if (stage.width < NARROW) withoutPictures();
    if (sameSet(state.collapsed, folded)) openSome();
    begin();
  }
  redraw();
}

function sameSet(a, b) {
  return a.size === b.size && [...a].every((one) => b.has(one));
}

let hovered = null; // the element under the pointer

function point(event) {
  const found = hit(...toGraph(event.offsetX, event.offsetY), 7 / camera.scale);
  const key = found ? JSON.stringify(found) : null;
  if (key === hovered) return;
  hovered = key;
  canvas.style.cursor = found ? "pointer" : "";
  redraw();
}

function click(event) {
  const { opens, ...found } = hit(...toGraph(event.offsetX, event.offsetY), 8 / camera.scale) || {};
  if (opens) toggleGroup(found.group);
  choose(found);
  if (state.tab !== "details" && found.edge !== undefined) set({ tab: "details" });
}
