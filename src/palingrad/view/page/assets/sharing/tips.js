// Tooltips: every control says what it does. Those of the page's frame are written in page.html.

const TIPS = [
  [".list button.row, .path .way", "Show it in the graph and here"],
  [".path, .path button", "Highlight this path in the graph"],
  ["#reset", "Take back all edits"],
  ["#descend", "Change every Variable by −rate · gradient"],
  [".matrix input, .leaf input", "Change this number"],
  [".choose select, #run", "Choose from the list"],
  ["[role=option]", "Go to this node"],
];

/** Gives each control without a title the one of its kind, or its label. */
function tipped(root) {
  for (const control of root.querySelectorAll("button:not([title]), select:not([title]), input:not([title]), summary:not([title])")) {
    const known = TIPS.find(([selector]) => control.matches(selector));
    control.title = (known && known[1]) || control.getAttribute("aria-label") || control.closest("label")?.textContent.trim() || control.textContent.trim();
  }
}

function startTips() {
  tipped(document.body);
  new MutationObserver((changes) => {
    for (const change of changes) for (const added_ of change.addedNodes) if (added_.nodeType === 1) tipped(added_.parentNode ?? added_);
  }).observe(document.body, { childList: true, subtree: true });
}
