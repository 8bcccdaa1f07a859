// Editing on the card: drag the number of a leaf, or type it in a box at the card, with the result over
// that leaf as a curve.

let editing = null; // the leaf and the element: {place, element}

/** Whether a node's value can be edited: a small leaf of known shape. */
function isEditable(place) {
  const size = sizeOf(place);
  return place !== null && !isComplex(place) && !ins[place].length && nodes[place].t !== "operation" && nodes[place].r !== "update" && size !== null && size > 0 && size <= CELLS;
}

/** The leaf whose number is at a point of the canvas: the lower half of a scalar's card. */
function numberUnder(event) {
  if (camera.scale < 0.42) return null;
  const [x, y] = toGraph(event.offsetX, event.offsetY);
  const found = hit(x, y, 0);
  if (!found || found.node === undefined || found.node === null || !isEditable(found.node) || sizeOf(found.node) !== 1) return null;
  const box = boxFor(found.node);
  return valueOf(found.node) && y > box.y && x < box.x + box.w * 0.1 ? found.node : null;
}

/** The change of a number by one pixel of a drag. */
function stepOf(x, node) {
  return /int|bool/.test(node.d || "") ? 0.1 : 10 ** Math.floor(Math.log10(Math.max(Math.abs(x), 0.1))) / 20;
}

function putNumber(place, element, x) {
  const numbers = Array.from(valueOf(place)?.data ?? new Float64Array(sizeOf(place)));
  numbers[element] = /int/.test(nodes[place].d || "") ? Math.round(x) : x;
  edit(place, numbers);
}

/** Begins a drag that changes a number until the pointer is released. */
function dragNumber(event, target, place, element, onClick) {
  const from = event.clientX;
  const start = valueOf(place).data[element];
  const step = stepOf(start, nodes[place]);
  let moved = false;
  target.setPointerCapture(event.pointerId);
  const move = (now) => {
    const dx = now.clientX - from;
    moved = moved || Math.abs(dx) > 3;
    if (moved) putNumber(place, element, Number((start + dx * step).toPrecision(6)));
  };
  const up = () => {
    target.removeEventListener("pointermove", move);
    target.removeEventListener("pointerup", up);
    target.removeEventListener("pointercancel", up);
    if (!moved && onClick) onClick();
  };
  target.addEventListener("pointermove", move);
  target.addEventListener("pointerup", up);
  target.addEventListener("pointercancel", up);
}

function startEditor() {
  canvas.addEventListener("pointerdown", (event) => {
    const place = event.isPrimary && event.button === 0 ? numberUnder(event) : null;
    if (place === null) return;
    event.stopImmediatePropagation();
    dragNumber(event, canvas, place, 0, () => choose({ node: place }));
  }, true);
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons) return;
    const place = numberUnder(event);
    const leaf = hovered && JSON.parse(hovered).node;
    canvas.style.cursor = place !== null ? "ew-resize" : hovered ? "pointer" : "";
    canvas.title = leaf !== null && leaf !== undefined && isEditable(leaf) ? "Drag the number to change it; double-click to type it (v)" : "";
  });
  canvas.addEventListener("dblclick", (event) => {
    const found = hit(...toGraph(event.offsetX, event.offsetY), 0);
    if (found && found.node !== undefined && isEditable(found.node)) openEditor(found.node);
  });
  watch(["version"], refreshEditor);
  watch(["node", "edge", "group", "collapsed"], () => {
    if (editing && state.node !== editing.place) closeEditor();
  });
}

/** Opens the editor of the chosen leaf; returns whether there is one. */
function editChosen() {
  if (state.node !== null && isEditable(state.node)) openEditor(state.node);
  else notify("Choose a leaf with at most 64 numbers to edit it.");
}

function openEditor(place) {
  if (state.node !== place) choose({ node: place });
  editing = { place, element: 0 };
  const box = at("card-editor");
  box.setAttribute("aria-label", `Edit ${nodes[place].n}`);
  box.replaceChildren(
    make("div", { class: "row" }, make("b", {}, nodes[place].n), make("button", { type: "button", class: "link", title: "Take back the edits of this leaf", onclick: () => edit(place, null) }, "Undo"),
      make("button", { type: "button", class: "quiet small", id: "close-editor", title: "Close (Esc)", "aria-label": "Close", onclick: closeEditor }, "✕")),
    numberFields(place), make("div", { id: "card-plots" }));
  box.hidden = false;
  refreshEditor();
  box.querySelector("input").focus({ preventScroll: true });
  box.querySelector("input").select();
  requestAnimationFrame(followCard);
}

function closeEditor() {
  if (!editing) return;
  editing = null;
  const had = at("card-editor").contains(document.activeElement);
  at("card-editor").hidden = true;
  if (had) canvas.focus();
}

/** A field for each number; the handle beside a scalar is dragged. */
function numberFields(place) {
  const node = nodes[place];
  const size = sizeOf(place);
  const field = (element) => make("input", { type: "text", inputmode: "decimal", "data-cell": element, "aria-label": elementName(place, element), title: `${elementName(place, element)}: type a number, or use ↑ and ↓`, autocomplete: "off",
    onfocus: () => {
      editing.element = element;
      refreshEditor();
    },
    oninput: (event) => {
      const x = readNumber(event.target.value);
      event.target.classList.toggle("wrong", x === null);
      if (x !== null) putNumber(place, element, x);
    },
    onkeydown: (event) => {
      const sign = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (sign) {
        const x = valueOf(place)?.data[element] ?? 0;
        putNumber(place, element, Number((x + sign * (/int/.test(node.d || "") ? 1 : stepOf(x, node))).toPrecision(12)));
        event.target.value = written_(place, element);
        event.preventDefault();
      } else if (event.key === "Enter" || event.key === "Escape") closeEditor();
    } });
  if (size === 1) {
    const handle = make("button", { type: "button", class: "scrub", title: "Drag left or right to change the number", "aria-label": `Drag to change ${node.n}` }, "↔");
    handle.addEventListener("pointerdown", (event) => valueOf(place) && dragNumber(event, handle, place, 0));
    return make("div", { class: "row" }, field(0), handle);
  }
  const columns = node.sh.length > 1 ? node.sh[node.sh.length - 1] : Math.min(size, 8);
  const rows = Array.from({ length: Math.ceil(size / columns) }, (_, i) => make("tr", {}, ...Array.from({ length: Math.min(columns, size - i * columns) }, (_, j) => make("td", {}, field(i * columns + j)))));
  return make("div", { class: "matrix" }, make("table", {}, ...rows));
}

/** A typed number, or null: "0.5", "−2", "1e-3", "1/3". */
function readNumber(text) {
  const parts = text.replaceAll("−", "-").trim().split("/");
  if (parts.length > 2 || parts.some((part_) => part_.trim() === "")) return null;
  const x = parts.map(Number).reduce((a, b) => a / b);
  return Number.isFinite(x) ? x : null;
}

function written_(place, element) {
  const value = valueOf(place);
  if (!value) return "";
  return Object.is(value.data[element], -0) ? "-0" : full(value.data[element], nodes[place].d).replaceAll("−", "-");
}

/** Writes the current numbers into the fields, and draws the curves of the chosen element. */
function refreshEditor() {
  if (!editing) return;
  const { place, element } = editing;
  for (const field of at("card-editor").querySelectorAll("[data-cell]")) {
    if (field !== document.activeElement || field.value === "") field.value = written_(place, Number(field.dataset.cell));
  }
  const curve = resultPlot(place, element);
  const limit = limitPlot(place, element);
  const why = result === null ? "No result depends on it." : sizeOf(result) !== 1 ? `No curve: ${nodes[result].n} isn't a single number.` : !between_(place).length ? `${nodes[result].n} doesn't depend on it.` : "No curve: the page can't compute the result in time, or at all.";
  const now = result !== null && valueOf(result) && sizeOf(result) === 1 ? make("p", { class: "caption" }, `${nodes[result].n} = ${short(valueOf(result).data[0], 8)}`) : null;
  at("card-plots").replaceChildren(...[now, curve ?? make("p", { class: "note" }, why), limit].filter(Boolean));
}

/** Keeps the editor at its card: below it, or above it where there is more space. */
function followCard() {
  if (!editing) return;
  const box = at("card-editor");
  const card = boxFor(editing.place);
  const [x, y] = toScreen(card.x, card.y);
  const [half, wide, tall] = [(card.h / 2) * camera.scale, box.offsetWidth, box.offsetHeight];
  const below = y + half + 8;
  const top = below + tall <= stage.height - 6 ? below : y - half - 8 - tall;
  const beside = top < 6; // neither fits: to the right of the card, or to its left
  const right = x + (card.w / 2) * camera.scale + 8;
  const left = beside ? (right + wide < stage.width - 6 ? right : x - (card.w / 2) * camera.scale - 8 - wide) : x - wide / 2;
  box.style.left = `${Math.max(6, Math.min(stage.width - wide - 6, left))}px`;
  box.style.top = `${Math.max(6, Math.min(stage.height - tall - 6, beside ? y - tall / 2 : top))}px`;
  requestAnimationFrame(followCard);
}
