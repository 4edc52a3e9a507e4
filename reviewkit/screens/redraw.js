// Drawing a screen again for a new view, whoever made it new, without disturbing the person in front of it.
import { h, note, field } from "./lib.js";

const TYPED = "textarea, select, input:not([type=radio], [type=checkbox])";
const ACTS = "a[href], button, input, select, textarea, summary, [tabindex]";
const SCROLLS = ".pane, .tblw, .scroll, .sentences, pre";
const PRESSED_AT_MOST = 10000; // the end of a press may never be heard, when it happens outside of the window

// Puts `tree` into `el` in place of what is there. A text field in use stays the very element that it is, with its
// label and its containers (it may become read-only), while everything around it is renewed; otherwise focus goes to
// its likeness, or near to where it was. What is selected, unfolded (details with an id) and scrolled stays so. `about` names what the drawing
// is about: a field of something else is not the same field, whatever it is called.
function redraw(el, tree, about = "") {
  for (const { id } of el.querySelectorAll("details[id][open]")) tree.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
  const at = document.activeElement, scroll = [scrollX, scrollY], panes = scrolled(el), select = selection(el);
  const inside = at && at !== el && el.contains(at), same = (el.dataset.about ?? about) === about;
  const typing = inside && same && at.matches(TYPED), twin = inside && (same || !at.matches(TYPED)) ? likeness(at, el, tree) : null;
  el.dataset.about = about;
  if (typing && twin?.matches(TYPED) && renew(el, tree, at.closest(".f") ?? at, twin.closest(".f") ?? twin)) {
    at.readOnly = twin.readOnly;
  } else {
    const typed = typing && twin?.matches("textarea, input") ? [at.value, at.selectionStart, at.selectionEnd] : null;
    el.replaceChildren(tree);
    if (typed) twin.value = typed[0]; // the page has another shape: the words go into the field that stands there now
    (twin ?? (inside ? nearby(at, tree) : null))?.focus({ preventScroll: true });
    if (typed && typed[1] !== null) twin.setSelectionRange(typed[1], typed[2]);
  }
  el.querySelectorAll(SCROLLS).forEach((pane, index) => { if (panes[index]) [pane.scrollLeft, pane.scrollTop] = panes[index]; });
  scrollTo(...scroll);
  select?.();
}

const scrolled = el => [...el.querySelectorAll(SCROLLS)].map(pane => pane.scrollLeft || pane.scrollTop ? [pane.scrollLeft, pane.scrollTop] : null);

// The element of `tree` that stands for `at` of `el`: by id, by test name, else the one of the same kind that says the same.
function likeness(at, el, tree) {
  const name = at.dataset.testid, alike = where => [...where.querySelectorAll(at.localName)].filter(each => each.textContent === at.textContent);
  return (at.id && tree.querySelector(`#${CSS.escape(at.id)}`)) || (name && tree.querySelector(`[data-testid="${CSS.escape(name)}"]`))
    || (!at.id && !name && alike(tree)[alike(el).indexOf(at)]) || null;
}

// Where the focus goes when what had it is gone: the first thing to act on in the nearest part that is still there, and
// at last the page itself, so that who works by keyboard never begins at its top again.
function nearby(at, tree) {
  for (let place = at.parentElement; place; place = place.parentElement) {
    const { testid, field } = place.dataset;
    const like = (place.id && tree.querySelector(`#${CSS.escape(place.id)}`)) || (testid && tree.querySelector(`[data-testid="${CSS.escape(testid)}"]`)) || (field && tree.querySelector(`[data-field="${CSS.escape(field)}"]`));
    const found = like && (like.matches("[tabindex]") ? like : [...like.querySelectorAll(ACTS)].find(each => each.checkVisibility?.() ?? true));
    if (found) return found;
  }
  return null;
}

// What somebody has marked, to be marked again in the same words; nothing where there is nothing, or other words now.
function selection(el) {
  const marked = getSelection(), texts = of => { const walk = document.createTreeWalker(of, NodeFilter.SHOW_TEXT), list = []; while (walk.nextNode()) list.push(walk.currentNode); return list; };
  if (marked.isCollapsed || !el.contains(marked.anchorNode) || !el.contains(marked.focusNode)) return null;
  const place = (node, offset) => {
    if (node.nodeType !== Node.TEXT_NODE) return null;
    const order = texts(el).filter(each => each.data === node.data).indexOf(node), { data } = node;
    return () => [texts(el).filter(each => each.data === data)[order], offset];
  };
  const ends = [place(marked.anchorNode, marked.anchorOffset), place(marked.focusNode, marked.focusOffset)];
  if (!ends[0] || !ends[1]) return null;
  return () => {
    const [[from, start], [to, end]] = ends.map(find => find());
    if (from && to && getSelection().isCollapsed) getSelection().setBaseAndExtent(from, start, to, end);
  };
}

// Walks down from `el` to the part that stays, renewing the siblings on the way and the attributes of its containers.
// False, and nothing done, where the page has another shape.
function renew(el, tree, stays, twin) {
  const way = (from, end) => { const list = []; for (let node = from; node !== end; node = node.parentElement) list.unshift(node); return list; };
  const olds = way(stays, el), chain = way(twin, null);
  if (olds.length !== chain.length || olds.some((old, index) => old.localName !== chain[index].localName)) return false;
  let parent = el, siblings = [tree];
  olds.forEach((old, index) => {
    const next = chain[index], place = siblings.indexOf(next), last = index === olds.length - 1;
    const before = siblings.slice(0, place), after = siblings.slice(place + 1);
    for (const child of [...parent.childNodes]) if (child !== old) child.remove();
    old.before(...before);
    old.after(...after);
    siblings = [...next.childNodes];
    if (!last) {
      for (const { name } of [...old.attributes]) if (!next.hasAttribute(name)) old.removeAttribute(name);
      for (const { name, value } of next.attributes) old.setAttribute(name, value);
    }
    parent = old;
  });
  return true;
}

// `draw` when a new view comes, but not between the two halves of a press: what is being clicked or marked stays until
// the button is up and its click is heard.
function calmly(draw, signal) {
  let pressed = 0, due = false, timer = null;
  const up = () => {
    pressed = 0;
    clearTimeout(timer);
    if (due) timer = setTimeout(() => { due = false; draw(); });
  };
  const down = () => { pressed = performance.now(); };
  addEventListener("pointerdown", down, { capture: true, signal });
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, up, { capture: true, signal });
  addEventListener("blur", up, { signal }); // of the window: what blurs inside of it does not bubble
  return () => {
    if (!pressed || performance.now() - pressed > PRESSED_AT_MOST) return draw();
    due = true;
    clearTimeout(timer);
    timer = setTimeout(up, PRESSED_AT_MOST);
  };
}

// What somebody was writing when its time was over: why, and the words to be copied. texts: [{id, name, label, text}].
function keptTexts(why, texts) {
  const there = texts.filter(({ text }) => text?.trim());
  return there.length ? h("div", { class: "stack", testid: "kept-text" }, note("neutral", `${why} It was not sent; your text is here to copy.`),
    there.map(({ text, ...about }) => field({ ...about, value: text, rows: 2, readonly: true }))) : null;
}

export { redraw, likeness, calmly, keptTexts };
