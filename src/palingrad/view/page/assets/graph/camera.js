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
  return Math.max(0.004, Math.min((stage.width - 70) / Math.max(width, 1), (stage.height - 70) / Math.max(height, 1), 1.25));
}

/** Zooms to fit the whole graph. */
function fit() {
  const [width, height] = data.size;
  Object.assign(camera, { x: width / 2, y: height / 2, scale: filling(width, height) });
  redraw();
}

const READABLE = 0.5; // the smallest scale at which a card's text is legible

/** The initial view: the whole graph if its text is legible, else both passes, else the start of each pass. */
function begin() {
  fit();
  if (camera.scale >= READABLE || nodes.length > 1500) return;
  for (const parts of [["forward", "backward"], ["forward"]]) {
    const seen = nodes.map((node, place) => [node, boxFor(place)]).filter(([node]) => parts.includes(node.r)).map(([, box]) => box);
    if (!seen.length) return;
    const left = Math.min(...seen.map((box) => box.x - box.w / 2));
    const right = Math.max(...seen.map((box) => box.x + box.w / 2));
    const top = Math.min(...seen.map((box) => box.y - box.h / 2));
    const bottom = Math.max(...seen.map((box) => box.y + box.h / 2));
    const scale = filling(right - left, bottom - top);
    Object.assign(camera, { x: (left + right) / 2, y: (top + bottom) / 2, scale });
    if (scale >= READABLE) break;
    camera.scale = Math.max(scale, Math.min(READABLE, Math.max(0.35, filling(right - left, 1))));
    camera.y = Math.min(camera.y, top + (stage.height / 2 - 45) / camera.scale);
  }
  redraw();
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

/** Brings a box into view by animation, unless it is well visible already. */
function reveal(box) {
  const [px, py] = toScreen(box.x, box.y);
  const inside = px > 90 && px < stage.width - 90 && py > 50 && py < stage.height - 50;
  const scale = camera.scale < 0.5 ? 0.9 : camera.scale;
  if (inside && scale === camera.scale) return;
  const from = { ...camera };
  const start = performance.now();
  const length = still.matches ? 1 : 240;
  cancelAnimationFrame(gliding);
  const glide = (now) => {
    const t = Math.min(1, (now - start) / length);
    const eased = 1 - (1 - t) ** 3;
    camera.x = from.x + (box.x - from.x) * eased;
    camera.y = from.y + (box.y - from.y) * eased;
    camera.scale = from.scale * (scale / from.scale) ** eased;
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
    if (found && found.group) toggleGroup(found.group);
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
  if (first) begin();
  redraw();
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
  const found = hit(...toGraph(event.offsetX, event.offsetY), 8 / camera.scale);
  choose(found || {});
  if (found && state.tab !== "details" && found.edge !== undefined) set({ tab: "details" });
}
