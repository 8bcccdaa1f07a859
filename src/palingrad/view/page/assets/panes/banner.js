// The banner of a fault: the sentence about a NaN or dead units, where it began, and the repaired run.

function startBanner() {
  let closed = false;
  const show = () => {
    const found = isRepaired ? repairedBanner() : edited.size ? editedBanner() : faultBanner();
    const box = at("banner");
    box.hidden = closed || !found;
    if (box.hidden) return;
    box.className = `banner ${found.kind}`;
    box.replaceChildren(make("p", {}, found.text), make("div", { class: "row" }, ...found.buttons,
      make("button", { type: "button", class: "quiet small", id: "close-banner", title: "Hide this message", onclick: () => {
        closed = true;
        show();
      } }, "Hide")));
  };
  watch(["version"], show);
  show();
}

function faultBanner() {
  const { banner } = given;
  if (!banner) return null;
  const buttons = [];
  if (banner.node !== null) buttons.push(make("button", { type: "button", id: "show-fault", title: "Choose the node where it began", onclick: () => goTo(banner.node) }, `Show ${placeName(banner.node, banner.element)}`));
  if (given.repaired) buttons.push(make("button", { type: "button", id: "show-repaired", title: `Show the run with ${banner.repair}`, onclick: () => switchRun(true) }, "Show the repaired run"));
  const rewrite = given.repaired ? ` The repaired run uses ${banner.repair}.` : "";
  return { kind: banner.kind, text: banner.text + rewrite, buttons };
}

function repairedBanner() {
  const { repair } = given.banner;
  return { kind: "repaired", text: `Repaired run: ${repair}.`, buttons: [make("button", { type: "button", id: "show-original", title: "Show the run as it was", onclick: () => switchRun(false) }, "Back to the original run")] };
}

/** After an edit: the first node with a NaN or an infinity whose inputs are finite, or with a NaN whose inputs have none. */
function editedBanner() {
  for (let place = 0; place < nodes.length; place++) {
    const value = ins[place].length ? valueOf(place) : null;
    const inputs = ins[place].map((number) => valueOf(edges[number].a));
    if (!value || inputs.some((x) => !x || x.data.some(Number.isNaN))) continue;
    const finite = inputs.every((x) => x.data.every(Number.isFinite));
    const element = value.data.findIndex(finite ? (x) => !Number.isFinite(x) : Number.isNaN);
    if (element < 0) continue;
    const [file, line] = nodes[place].src || [];
    const from = inputs.every((x) => x.data.length === 1) ? ` of ${inputs.map((x) => short(x.data[0])).join(" and ")}` : "";
    const where = file ? ` at ${file}:${line}` : "";
    const text = `After this edit, ${placeName(place, nodes[place].sh ? indexOf_(place, element) : [])}${where} is ${short(value.data[element])}: ${nodes[place].o}${from}.`;
    return { kind: "nan", text, buttons: [
      make("button", { type: "button", id: "show-fault", title: "Choose the node where it began", onclick: () => goTo(place) }, `Show ${nodes[place].n}`),
      make("button", { type: "button", title: "Take back all edits", onclick: resetEdits }, "Undo all edits")] };
  }
  return null;
}

function indexOf_(place, element) {
  const { sh } = nodes[place];
  const strides = stridesOf(sh);
  return sh.map((size, axis) => Math.floor(element / strides[axis]) % size);
}

/** log, or log[2] for an element. */
function placeName(place, element) {
  return `${nodes[place].n}${element.length ? `[${element.join(", ")}]` : ""}`;
}

/** Loads the page again with the other run; the window's name tells a notebook's frame, which has no address. */
function switchRun(repaired) {
  window.name = repaired ? REPAIRED : "";
  try {
    history.replaceState(null, "", repaired ? "#run=repaired" : "#");
  } catch {
    // a notebook's frame
  }
  location.reload();
}
