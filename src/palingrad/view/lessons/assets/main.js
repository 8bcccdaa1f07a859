// The lesson: the chosen question, its answer, its hints, and the presenter's view.

const progress = data.questions.map(() => ({ status: "open", text: "", verdict: null, hints: 0 }));
const masked = new Set(data.masked);
let chosen = 0;

const solvedPlaces = () => new Set(data.questions.flatMap((question, n) => (!question.value && isDone(n) ? [question.place] : [])));
const isDone = (n) => progress[n].status === "right" || progress[n].status === "told";

/** Whether the value of a node may be shown: it isn't masked, or it was asked for and is answered. */
function mayShow(place) {
  const answered = data.questions.some((question, n) => question.value && question.place === place && isDone(n));
  if (answered || !masked.has(place)) return true;
  const open = data.questions.some((question, n) => question.value && !isDone(n));
  const asked_ = data.questions.some((question) => question.value);
  return asked_ && !open; // all values that were asked for are known
}

/** Judges an answer and shows the result. */
function answer(number, text) {
  const one = progress[number];
  one.text = text;
  try {
    one.verdict = judged(data.questions[number], text, solvedPlaces());
    one.says = said(data.questions[number], one.verdict);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    one.verdict = { right: false, kind: "unreadable" };
    one.says = { title: "This can't be read", text: error.message, edges: [], nodes: [] };
  }
  if (one.status !== "told") one.status = one.verdict.right ? "right" : "wrong";
  fields.get(number).value = text;
  chosen = number;
  refresh();
  return { ...one.verdict, ...one.says };
}

function chooseQuestion(number) {
  if (number === chosen) return;
  chosen = number;
  refresh();
}

function refresh() {
  showValues(mayShow);
  progress.forEach((one, number) => showState(number, one.status));
  cards.forEach((card, place) => card.classList.toggle("asked", place === data.questions[chosen].place));
  mark(progress[chosen].says || {});
  showList();
  showQuestion();
}

const SIGNS = { open: "○", right: "✓", wrong: "✗", told: "●" };
const STATES = { open: "open", right: "right", wrong: "not right yet", told: "answer shown" };

function showList() {
  const buttons = data.questions.map((question, number) => {
    const { status } = progress[number];
    return make("button", { type: "button", class: status, "aria-current": String(number === chosen), "aria-label": `${question.title}, ${STATES[status]}`, onclick: () => goTo(number) }, make("span", { "aria-hidden": "true" }, SIGNS[status]), ` ${question.title}`);
  });
  at("questions").replaceChildren(...buttons);
  const right = progress.filter(({ status }) => status === "right").length;
  at("progress").textContent = `${right} of ${progress.length} right`;
}

function goTo(number) {
  chosen = Math.max(0, Math.min(data.questions.length - 1, number));
  refresh();
  centre(data.questions[chosen].place);
}

// ---------------------------------------------------------------- the panel

const HINTS = ["Where", "Which rule", "With numbers"];

function showQuestion() {
  const question = data.questions[chosen];
  const one = progress[chosen];
  const shape = nodes[question.place].sh;
  const what = question.value ? `What is the value of ${question.title}?` : `How does ${loss()} change with ${nameOf(question.place)}?`;
  const parts = [make("h2", { id: "asked" }, question.title), make("p", { class: "what" }, what + (shape.length ? ` The answer has shape ${shapeText(shape)}.` : ""))];
  parts.push(make("div", { id: "feedback", role: "status", class: one.verdict ? (one.verdict.right ? "right" : "wrong") : "none" }, ...feedback(one)));
  for (let n = 0; n < one.hints; n++) parts.push(make("div", { class: "hint", html: `<h3>Hint ${n + 1}: ${HINTS[n].toLowerCase()}</h3><div>${hintsOf(question)[n]}</div>` }));
  if (one.status === "told") parts.push(make("div", { class: "hint answer", html: `<h3>The answer</h3><div class="number">${safe(answerText(question))}</div>` }));
  parts.push(buttonsOf(one), help());
  at("question").replaceChildren(...parts);
}

function feedback(one) {
  if (!one.verdict) return [make("p", {}, "Type your answer on the card, then press Enter.")];
  const typed = make("p", { class: "typed" }, make("span", { class: "number" }, one.text.length > 80 ? `${one.text.slice(0, 78)} …` : one.text));
  return [make("h3", {}, one.says.title), typed, make("p", {}, one.says.text)];
}

function buttonsOf(one) {
  const hint = make("button", { id: "hint", type: "button", onclick: giveHint }, `Hint ${Math.min(one.hints + 1, 3)} of 3`);
  const tell = make("button", { id: "tell", type: "button", onclick: tellAnswer }, "Show the answer");
  hint.disabled = one.hints >= 3;
  tell.hidden = one.hints < 3 || isDone(chosen);
  const next = make("button", { id: "next", type: "button", onclick: () => goTo(chosen + 1) }, "Next question");
  next.hidden = chosen + 1 >= data.questions.length;
  return make("div", { class: "row" }, hint, tell, next);
}

function giveHint() {
  progress[chosen].hints = Math.min(3, progress[chosen].hints + 1);
  refresh();
  (at("hint").disabled ? at("tell") : at("hint")).focus();
}

function tellAnswer() {
  progress[chosen].status = "told";
  refresh();
}

function answerText(question) {
  const world = worldsFor(new Set())[0];
  const found = truthOf(question, world);
  return `${question.title} = ${arrayText(found.shape, found.data)}`;
}

function help() {
  const parts = [
    `<p>An answer in numbers is right within 0.1 %, or if it is rounded correctly and within 0.5 %; three digits always suffice. A formula is right if it holds for other values of the cards too.</p>`,
    `<p>Numbers: <code>-1.5</code> <code>2/3</code> <code>[[1, 2], [3, 4]]</code>. Formulas: the names on the cards, <code>+ - * / ^</code>, <code>@</code> for products of matrices, <code>X.T</code> or <code>Xᵀ</code>, <code>sin(a)</code>, <code>sum(x)</code>, <code>sum(x, 0)</code> down the rows; <code>pi</code>, and <code>e</code> unless a card has that name.</p>`,
    `<p>Keys: Enter checks; outside a field <kbd>h</kbd> hint, <kbd>n</kbd> and <kbd>b</kbd> next question and back, <kbd>p</kbd> present, <kbd>t</kbd> light or dark.</p>`,
  ];
  return make("details", { class: "help", html: `<summary>What can be typed</summary>${parts.join("")}` });
}

// ---------------------------------------------------------------- presenter, theme, keys

function present() {
  const root = document.documentElement;
  const on = root.dataset.present !== "yes";
  root.dataset.present = on ? "yes" : "no";
  at("present").setAttribute("aria-pressed", String(on));
  fit();
  centre(data.questions[chosen].place);
}

function turnTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme === "dark" || (root.dataset.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "light" : "dark";
}

const KEYS = { h: giveHint, n: () => goTo(chosen + 1), b: () => goTo(chosen - 1), p: present, t: turnTheme };

function startKeys() {
  at("present").onclick = present;
  at("theme").onclick = turnTheme;
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.activeElement instanceof HTMLInputElement) document.activeElement.blur();
    else if (event.key === "Escape" && document.documentElement.dataset.present === "yes") present();
    if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return;
    KEYS[event.key]?.();
  });
  addEventListener("resize", fit);
}

at("title").textContent = data.title;
worldsFor(new Set());
startCards(mayShow, answer);
startKeys();
fit();
refresh();
centre(data.questions[0].place);
if (new URLSearchParams(location.search).has("present") || location.hash === "#present") present();

// For tests: judging without changing the page, and answering as if typed.
globalThis.lesson = { titles: data.questions.map(({ title }) => title), answer, judge: (number, text) => judged(data.questions[number], text, solvedPlaces()), said: (number, text) => said(data.questions[number], judged(data.questions[number], text)) };
document.documentElement.dataset.ready = "yes";
