// Entries under the pointer: lights the entries of the operands that a result's entry comes from.

let litEntries = new Map(); // "place gradient" → the entries that are marked on the card
let pointed = ""; // the entry under the pointer, as "place gradient entry"

/** Marks an entry of a value and the operands' entries that it comes from; with `gradient` only the entry. */
function lightEntry(place, entry, gradient) {
  litEntries = new Map([[`${place} ${gradient}`, [entry]]]);
  if (!gradient) for (const [from, some] of takingPart(place, entry)) if (nodes[from].pic) litEntries.set(`${from} false`, some);
  redraw();
}

/** Marks the entries that a step's caption names. */
function lightStep(step) {
  litEntries = new Map();
  pointed = "";
  const named = step < schedule.steps.length ? equationsOf(step).filter((one) => one.entry !== undefined && nodes[one.place].sh.length) : [];
  const one = named[named.length - 1];
  if (!one) return;
  if (!one.gradient) {
    lightEntry(one.place, one.entry, false);
    return;
  }
  litEntries.set(`${one.place} true`, [one.entry]);
  if (one.used) litEntries.set(`${schedule.steps[step - 1].node} true`, one.used);
}

/** What is at a point of the graph: {place, entry, gradient} of a shown entry, or null. */
function shownEntry(x, y) {
  const found = hit(x, y, 0);
  if (!found || found.node === undefined || !isComputed(found.node, state.step) || camera.scale <= 0.42) return null;
  const box = boxFor(found.node);
  const at_ = nodes[found.node].pic ? entryAt(box, x, y) : sizeOf(found.node) === 1 && nodes[found.node].t === "operation" ? { entry: 0, gradient: false } : null;
  return at_ && { place: found.node, ...at_ };
}

function startHover() {
  const tip = at("cell");
  canvas.addEventListener("pointermove", (event) => {
    const found = event.buttons ? null : shownEntry(...toGraph(event.offsetX, event.offsetY));
    const key = found ? `${found.place} ${found.gradient} ${found.entry}` : "";
    if (found) Object.assign(tip.style, { left: `${Math.min(event.offsetX + 14, stage.width - 240)}px`, top: `${event.offsetY + 16}px` });
    if (key === pointed) return;
    pointed = key;
    if (found) lightEntry(found.place, found.entry, found.gradient);
    else if (litEntries.size) {
      litEntries = new Map();
      redraw();
    }
    tip.hidden = !found || !nodes[found.place].pic;
    if (!tip.hidden) tip.textContent = entryText(found);
  });
  canvas.addEventListener("pointerleave", () => {
    tip.hidden = true;
    pointed = "";
    litEntries = new Map();
    redraw();
  });
}

/** An entry with its number and where it comes from. */
function entryText({ place, entry, gradient }) {
  const array = gradient ? totalOf(place)?.data : valueOf(place)?.data;
  const name = `${gradient ? barOf(place) : named(place)}${indexText(nodes[place].sh, entry)}`;
  const from = gradient ? [] : [...litEntries].filter(([key]) => key !== `${place} false`).map(([key, some]) => part_(Number(key.split(" ")[0]), some)).filter(Boolean);
  return `${name}${array ? ` = ${short(array[entry], 5)}` : ""}${from.length ? ` ← ${from.join(", ")}` : ""}`;
}
