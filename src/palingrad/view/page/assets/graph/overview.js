// Where one is: a small map of the whole graph, and the boxes around what is in view as a row of links.

const MAP_WIDTH = 168;
const MAP_HEIGHT = 112;
const overview = { canvas: null, crumbs: null, shown: "" };

function startOverview() {
  overview.canvas = make("canvas", { id: "map", role: "img", "aria-label": "Map of the whole graph", hidden: true, title: "The whole graph; click to go there" });
  overview.crumbs = make("nav", { id: "crumbs", "aria-label": "Boxes around the view", hidden: true });
  at("stage").append(overview.canvas, overview.crumbs);
  const go = (event) => {
    const { scale, left, top } = mapScale();
    Object.assign(camera, { x: (event.offsetX - left) / scale, y: (event.offsetY - top) / scale });
    redraw();
  };
  overview.canvas.addEventListener("pointerdown", (event) => {
    overview.canvas.setPointerCapture(event.pointerId);
    go(event);
  });
  overview.canvas.addEventListener("pointermove", (event) => event.buttons && go(event));
}

function mapScale() {
  const scale = Math.min((MAP_WIDTH - 12) / Math.max(scene.width, 1), (MAP_HEIGHT - 12) / Math.max(scene.height, 1));
  return { scale, left: (MAP_WIDTH - scale * scene.width) / 2, top: (MAP_HEIGHT - scale * scene.height) / 2 };
}

/** Draws the map, which is hidden while the whole graph is in view, and the row of boxes. */
function paintOverview() {
  if (!overview.canvas) return;
  const [left, top] = toGraph(0, 0);
  const [right, bottom] = toGraph(stage.width, stage.height);
  const whole = left <= 1 && top <= 1 && right >= scene.width - 1 && bottom >= scene.height - 1;
  const small = stage.width < 460;
  overview.canvas.hidden = whole || small;
  crumbs();
  if (whole || small) return;
  const { canvas: map } = overview;
  const ratio = devicePixelRatio;
  if (map.width !== Math.round(MAP_WIDTH * ratio)) Object.assign(map, { width: Math.round(MAP_WIDTH * ratio), height: Math.round(MAP_HEIGHT * ratio) });
  const g = map.getContext("2d");
  const { scale, left: x0, top: y0 } = mapScale();
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, MAP_WIDTH, MAP_HEIGHT);
  g.globalAlpha = 0.45;
  for (const [path, frame] of frames) {
    g.strokeStyle = boxKind(path) === "phase" ? ink[groupRole(path)] : ink["strong-line"];
    g.strokeRect(x0 + frame.left * scale, y0 + frame.top * scale, (frame.right - frame.left) * scale, (frame.bottom - frame.top) * scale);
  }
  g.globalAlpha = 1;
  for (const box of scene.boxes) {
    g.fillStyle = box.node !== null && (box.node === state.node) ? ink.chosen : ink[box.role];
    const [w, h] = [Math.max(1.5, box.w * scale), Math.max(1.5, box.h * scale)];
    g.fillRect(x0 + box.x * scale - w / 2, y0 + box.y * scale - h / 2, w, h);
  }
  g.strokeStyle = ink.chosen;
  g.lineWidth = 1.5;
  g.strokeRect(x0 + left * scale, y0 + top * scale, (right - left) * scale, (bottom - top) * scale);
}

/** The path of the selection, or else of the innermost frame that contains the whole view. */
function crumbPath() {
  if (state.group !== null) return state.group;
  if (state.node !== null && nodes[state.node].s) return nodes[state.node].s.join("/");
  const [left, top] = toGraph(0, 0);
  const [right, bottom] = toGraph(stage.width, stage.height);
  let found = "";
  for (const [path, frame] of frames) {
    if (frame.left <= left && frame.right >= right && frame.top <= top && frame.bottom >= bottom && path.length > found.length) found = path;
  }
  return found;
}

function crumbs() {
  const path = crumbPath();
  const shown = `${path}|${state.node}`;
  if (shown === overview.shown) return;
  overview.shown = shown;
  const parts = path ? path.split("/") : [];
  overview.crumbs.hidden = !parts.length;
  const items = [make("button", { type: "button", class: "link", title: "Show all (0)", onclick: fit }, "graph")];
  parts.forEach((_, k) => {
    const inner = parts.slice(0, k + 1).join("/");
    items.push("›", make("button", { type: "button", class: "link", title: "Show this box", onclick: () => goToGroup(inner) }, boxTitle(inner)));
  });
  overview.crumbs.replaceChildren(...items);
}

/** Selects a box, opens those around it, and shows all of it. */
function goToGroup(path) {
  const around = path.split("/").map((_, k, all) => all.slice(0, k).join("/"));
  if (around.some((outer) => state.collapsed.has(outer))) set({ collapsed: new Set([...state.collapsed].filter((one) => !around.includes(one))) });
  choose({ group: path });
  const [rectangle] = placeOf(path);
  const { left, top, right, bottom } = rectangle;
  glideTo({ x: (left + right) / 2, y: (top + bottom) / 2, scale: filling(right - left, bottom - top) });
}
