// The opening: the page starts at step 0 and plays once. Any other use of the page ends it at the last step.

const OPENING_STEPS = 60; // the longest timeline that plays by itself
const OPENING_TIME = 10_000; // milliseconds that it takes at most, as long as steps stay readable
const SHORTEST = 260; // milliseconds of a step of the opening
const opening = { on: false };

/** Whether nothing may move by itself: the system asks for it, or the address contains ?still. */
function keepsStill() {
  return still.matches || new URLSearchParams(location.search).has("still") || new URLSearchParams(location.hash.slice(1)).has("still");
}

/** Whether this page plays when it opens: a short timeline, and no address that asks for a step or a node. */
function opens() {
  const n = schedule.steps.length;
  return n > 0 && n <= OPENING_STEPS && !keepsStill() && !location.hash.slice(1);
}

function startOpening() {
  startColours();
  if (!opens()) return;
  set({ step: 0 });
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((one) => one.isIntersecting) || document.hidden) return;
    seen.disconnect();
    setTimeout(beginOpening, 700);
  });
  opening.on = true;
  at("story").setAttribute("aria-live", "off"); // not each step of the opening is read aloud
  seen.observe(at("stage"));
  for (const kind of ["keydown", "pointerdown", "wheel"]) document.addEventListener(kind, interrupt, { capture: true, passive: true });
}

function beginOpening() {
  if (!opening.on || playing) return;
  opening.from = { ...camera };
  togglePlay();
}

/** The opening's milliseconds for a step. */
function openingTime() {
  return Math.max(SHORTEST, Math.min(1100, OPENING_TIME / schedule.steps.length));
}

/** Ends the opening; the timeline's own keys and buttons take over where it is, all else shows the end. */
function interrupt(event) {
  if (!opening.on) return;
  const timeline = event.target.closest?.(".time") || (event.type === "keydown" && [" ", ",", ".", "Home", "End"].includes(event.key));
  if (event.type === "keydown" && ["Shift", "Control", "Alt", "Meta", "Tab"].includes(event.key)) return;
  endOpening();
  if (timeline) return;
  stopPlaying();
  goStep(schedule.steps.length);
}

/** Whether a card is in view as a whole. */
function inView(box) {
  const [left, top] = toScreen(box.x - box.w / 2, box.y - box.h / 2);
  const [right, bottom] = toScreen(box.x + box.w / 2, box.y + box.h / 2);
  return left >= 0 && top >= 0 && right <= stage.width && bottom <= stage.height;
}

/** After the opening the page is as if it hadn't played. */
function endOpening() {
  if (!opening.on) return;
  opening.on = false;
  at("story").setAttribute("aria-live", "polite");
  if (opening.from) {
    cancelAnimationFrame(gliding);
    Object.assign(camera, opening.from);
    redraw();
  }
  for (const kind of ["keydown", "pointerdown", "wheel"]) document.removeEventListener(kind, interrupt, { capture: true });
}

// ---------------------------------------------------------------- what the colours mean

const COLOURS_SEEN = "palingrad-colours";

/** The line that says what blue and orange mean, until it is closed once. */
function startColours() {
  const bar = at("colours");
  if (remembered(COLOURS_SEEN) || result === null) return;
  bar.hidden = false;
  at("colours-close").onclick = () => {
    bar.hidden = true;
    remember(COLOURS_SEEN);
  };
}

function remembered(key) {
  try {
    return localStorage.getItem(key) !== null;
  } catch {
    return false; // a notebook's frame has no storage
  }
}

function remember(key) {
  try {
    localStorage.setItem(key, "1");
  } catch {
    // the line is shown again next time
  }
}
