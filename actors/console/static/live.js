// Keeps a page as the house is now. The server sends regions of the page, ready made:
// {"region": id, "html": what stands in it}. Rows that carry data-key and did not change stay the
// same nodes, so that the keyboard's place, a selection and the eye are not disturbed.
"use strict";

const arrived = new WeakMap(); // node -> its HTML as the server made it
const held = new Map(); // region -> HTML that waits while text in it is selected
const RETRY_MS = 10_000;

function remember(root) {
  for (const node of root.querySelectorAll("[data-key]")) arrived.set(node, node.outerHTML);
}

function isSelected(region) {
  const selection = getSelection();
  return !selection.isCollapsed && region.contains(selection.anchorNode);
}

function settle(region, html) {
  const made = document.createElement("template");
  made.innerHTML = html;
  remember(made.content);
  const focused = region.contains(document.activeElement) ? document.activeElement : null;
  const place = focused?.closest("[data-key]")?.dataset.key;
  const known = new Map();
  for (const node of region.querySelectorAll("[data-key]")) known.set(node.dataset.key, node);
  for (const node of [...made.content.querySelectorAll("[data-key]")]) {
    const before = known.get(node.dataset.key);
    if (before && arrived.get(before) === arrived.get(node)) node.replaceWith(before);
    else node.classList.add("fresh");
  }
  const scrolled = region.querySelector(".scroll")?.scrollLeft ?? 0;
  region.replaceChildren(made.content);
  const wide = region.querySelector(".scroll");
  if (wide && scrolled) wide.scrollLeft = scrolled;
  if (focused) refocus(region, focused, place);
}

function refocus(region, focused, place) {
  const row = place && region.querySelector(`[data-key="${CSS.escape(place)}"] a`);
  const href = focused.getAttribute("href");
  const link = href && region.querySelector(`a[href="${CSS.escape(href)}"]`);
  const again = focused.isConnected ? focused : link || row;
  again?.focus({ preventScroll: true });
}

function patch({ region: id, html }) {
  const region = document.getElementById(id);
  if (!region) return;
  if (isSelected(region)) held.set(region, html);
  else {
    held.delete(region);
    settle(region, html);
  }
}

function tell(state, word) {
  const lamp = document.getElementById("live");
  if (!lamp || lamp.dataset.state === state) return;
  lamp.hidden = false;
  lamp.dataset.state = state;
  lamp.querySelector(".live-word").textContent = word;
}

function follow(address) {
  const stream = new EventSource(address);
  stream.addEventListener("open", () => tell("on", "Live"));
  stream.addEventListener("patch", (event) => patch(JSON.parse(event.data)));
  stream.addEventListener("error", () => {
    tell("off", "Not live");
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => follow(address), RETRY_MS);
  });
}

document.addEventListener("selectionchange", () => {
  for (const [region, html] of held) {
    if (isSelected(region)) continue;
    held.delete(region);
    settle(region, html);
  }
});

remember(document);
if (document.body.dataset.live) follow(document.body.dataset.live);
