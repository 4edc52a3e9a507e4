// Reading a post and choosing sentences of it as evidence.
import { h, dialog } from "./lib.js";

const QUOTE = { least: 8, most: 1000 };

// A sanitised post to read. `quote` is marked in it; `onpick(text)` hears a sentence that was selected with the pointer
// or, while `picking`, tapped. `foot` stands under it (nodes).
function reading({ label, html, title, quote: chosen, voice: kind = "self", onpick, picking = false, foot, class: extra = "" }) {
  const body = h("div", { class: "post", html });
  const el = h("article", { class: `read ${extra}`.trim(), "aria-label": label, testid: "post" }, title ? h("h2", null, title) : null, body, foot ? h("div", { class: "sm mu foot" }, foot) : null);
  for (const link of body.querySelectorAll("a")) Object.assign(link, { target: "_blank", rel: "noopener noreferrer" });
  if (chosen) markQuote(body, chosen, kind);
  if (onpick) {
    body.addEventListener("pointerup", event => setTimeout(() => {
      const text = selectedIn(body);
      if (text) { getSelection().removeAllRanges(); onpick(text); }
      else if (picking && !event.target.closest("a")) { const tapped = sentenceAt(body, event); if (tapped) onpick(tapped); }
    }));
  }
  el.classList.toggle("picking", picking);
  return el;
}

// By keyboard: a dialog with every sentence of the post as a button. `html` is the sanitised post.
function sentenceDialog({ title = "Choose a sentence", html, onpick }) {
  const list = sentencesOf(h("div", { html }));
  const el = dialog({ title, text: list.length ? "It is shown beside your level." : "There is no sentence to choose in this post.", cancel: "Close", class: "tall" },
    h("ol", { class: "sentences" }, list.map((text, index) => h("li", null,
      h("button", { type: "button", class: "sentence", testid: `sentence-${index}`, onclick: () => { el.close(); onpick(text); } }, text)))));
  return el;
}

const BLOCKS = "p, li, blockquote, h1, h2, h3, h4, h5, h6, td, th, figcaption, dd, dt, pre";

// The sentences of a post in reading order.
function sentencesOf(body) {
  const blocks = [...body.querySelectorAll(BLOCKS)].filter(block => !block.querySelector(BLOCKS));
  return (blocks.length ? blocks : [body]).flatMap(block => cut(block.textContent)).map(part => part.text).filter(text => text.length >= QUOTE.least);
}

function cut(text) {
  const parts = Intl.Segmenter ? [...new Intl.Segmenter(undefined, { granularity: "sentence" }).segment(text)] : [{ segment: text, index: 0 }];
  return parts.map(({ segment, index }) => ({ text: plain(segment).slice(0, QUOTE.most), from: index, to: index + segment.length }));
}

const plain = text => text.replace(/\s+/g, " ").trim();

function selectedIn(body) {
  const selection = getSelection();
  if (!selection.rangeCount || selection.isCollapsed || !body.contains(selection.getRangeAt(0).commonAncestorContainer)) return "";
  const text = plain(selection.toString());
  return text.length >= QUOTE.least ? text.slice(0, QUOTE.most) : "";
}

function sentenceAt(body, { clientX, clientY }) {
  const spot = document.caretPositionFromPoint?.(clientX, clientY), range = spot ? null : document.caretRangeFromPoint?.(clientX, clientY);
  const node = spot?.offsetNode ?? range?.startContainer, offset = spot?.offset ?? range?.startOffset;
  const block = node && (node.nodeType === Node.TEXT_NODE ? node.parentElement : node).closest(BLOCKS);
  if (!block || !body.contains(block)) return "";
  const before = document.createRange();
  before.setStart(block, 0);
  before.setEnd(node, offset);
  const at = before.toString().length;
  return cut(block.textContent).find(part => at < part.to)?.text ?? "";
}

// Marks the first place where the words stand, however spaces and elements divide them.
function markQuote(body, words, kind) {
  const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT), places = [];
  let flat = "";
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (let index = 0; index < node.data.length; index++) {
      const space = /\s/.test(node.data[index]);
      if (space && (!flat || flat.endsWith(" "))) continue;
      flat += space ? " " : node.data[index];
      places.push([node, index]);
    }
  }
  const sought = plain(words), from = flat.indexOf(sought);
  if (from < 0) return;
  const pieces = new Map();
  for (const [node, index] of places.slice(from, from + sought.length)) {
    const piece = pieces.get(node) ?? [index, index];
    piece[1] = index + 1;
    pieces.set(node, piece);
  }
  for (const [node, [start, end]] of pieces) {
    const part = node.splitText(start);
    part.splitText(end - start);
    if (!plain(part.data)) continue;
    const mark = h("mark", { class: kind });
    part.replaceWith(mark);
    mark.append(part);
  }
}

export { reading, sentencesOf, sentenceDialog };
