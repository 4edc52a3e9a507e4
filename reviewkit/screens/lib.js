// The parts that screens are made of: plain functions that take values and return DOM. Text is always text; the one
// exception is the attribute `html`, for posts that the server has sanitised. Joining rules: see assets.py.
//
// A screen keeps what people type and choose outside its drawing, draws everything again for a new view, and hands the
// result to `redraw`, which leaves alone the field that is in use.

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "path", "circle", "rect", "line", "text", "tspan", "g", "title"]);
const AS_PROPERTY = new Set(["value", "checked", "disabled", "open", "hidden", "indeterminate", "tabIndex"]);

// h("button", {class, onclick, dataset, "aria-label", testid, style: {width: "40%"}, ...}, ...children).
// Missing values (null, undefined) leave an attribute out; false leaves it out too, except for aria-*.
function h(tag, attrs, ...children) {
  const el = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attrs ?? {})) {
    if (value === null || value === undefined) continue;
    if (name.startsWith("on")) el.addEventListener(name.slice(2), value);
    else if (name === "html") el.innerHTML = value;
    else if (name === "dataset") Object.assign(el.dataset, value);
    else if (name === "testid") el.setAttribute("data-testid", value);
    else if (name === "style") for (const [rule, set] of Object.entries(value)) el.style.setProperty(rule, set);
    else if (AS_PROPERTY.has(name)) el[name] = value;
    else if (name.startsWith("aria-") || value !== false) el.setAttribute(name, value === true && !name.startsWith("aria-") ? "" : value);
  }
  el.append(...nodes(children));
  return el;
}

function nodes(children) {
  return children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false && child !== "");
}

let counted = 0;
const fresh = prefix => `${prefix}-${++counted}`; // ids for what needs to point at each other

// A random word for requests (the same request sent twice has one effect) and windows.
const random = () => [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, "0")).join("");

const ICONS = {
  check: "M5 12.5l4.5 4.5L19 7.5", pen: "M4 20l4-1L19 8l-3-3L5 16z", inbox: "M4 13l3-8h10l3 8v6H4z M4 13h5l1 3h4l1-3h5",
  left: "M15 5l-7 7 7 7", right: "M9 5l7 7-7 7", down: "M6 9l6 6 6-6", flag: "M6 21V4h11l-2.5 4L17 12H6",
  chat: "M4 5h16v11H10l-5 4v-4H4z", plus: "M12 5v14M5 12h14", minus: "M5 12h14", close: "M6 6l12 12M18 6L6 18",
  heart: "M12 20s-7-4.4-7-10a4 4 0 017-2.5A4 4 0 0119 10c0 5.6-7 10-7 10z",
  search: "M11 5a6 6 0 100 12 6 6 0 000-12z M20 20l-4.5-4.5", sort: "M8 5v14M5 16l3 3 3-3M16 19V5M13 8l3-3 3 3",
  info: "M12 3.5a8.5 8.5 0 100 17 8.5 8.5 0 000-17z M12 11v5M12 8h.01", warn: "M12 4l9 16H3z M12 10v4M12 17h.01",
  clock: "M12 3.500a8.5 8.5 0 100 17 8.5 8.5 0 000-17z M12 7v5l3.5 2", grid: "M4 5h16v14H4z M4 10h16M4 14.500h16M10 5v14",
  eye: "M3 12s3.5-6 9-6 9 6 9 6-3.5 6-9 6-9-6-9-6z M12 9.500a2.5 2.5 0 100 5 2.5 2.5 0 000-5z",
  star: "M12 4l2.5 5.2 5.5.8-4 4 1 5.6-5-2.7-5 2.7 1-5.6-4-4 5.5-.8z", swap: "M7 4L4 7l3 3M4 7h13M17 14l3 3-3 3M20 17H7",
  link: "M10 14a4 4 0 006 .500l2.5-2.500a4 4 0 00-5.7-5.700L11.5 7.600M14 10a4 4 0 00-6-.500L5.5 12a4 4 0 005.7 5.700l1.3-1.3",
  cloud: "M7 18h10a4 4 0 000-8 6 6 0 00-11.5 1.500A3.5 3.5 0 007 18z M4 4l16 16",
  book: "M5 5.500A2.5 2.5 0 017.5 3H19v15H7.500A2.5 2.5 0 005 20.500z M5 20.500A2.5 2.5 0 007.5 21H19v-3",
  hub: "M6 4.600a2.4 2.4 0 100 4.8 2.4 2.4 0 000-4.800z M18 3.600a2.4 2.4 0 100 4.8 2.4 2.4 0 000-4.800z M12 15.600a2.4 2.4 0 100 4.8 2.4 2.4 0 000-4.800z M8.4 7l7.2-.8M7.3 9.200l3.6 6.600M17 8.200l-4 7.6",
  person: "M12 5a3.5 3.5 0 100 7 3.5 3.5 0 000-7z M5 20c.6-3.8 3.3-5.5 7-5.500s6.4 1.7 7 5.5",
  people: "M9 6a3 3 0 100 6 3 3 0 000-6z M3.5 19c.5-3.5 2.6-5 5.5-5s5 1.5 5.5 5M16 6.500a3 3 0 010 5.500M17 14.500c2 .5 3.2 2 3.5 4.5",
};
function icon(name) {
  return h("svg", { class: "i", viewBox: "0 0 24 24", "aria-hidden": "true" }, h("path", { d: ICONS[name] }));
}

// The mark of who speaks: "self" (blue circle), "peer" (plum diamond), "teach" (ochre square). Always beside a word.
function voice(kind) {
  return h("span", { class: `v ${kind}`, "aria-hidden": "true" });
}

const spinner = () => h("i", { class: "spin", "aria-hidden": "true" });

// Runs `work` (async) once at a time and shows on the button that it runs.
async function busy(button, work) {
  if (button.getAttribute("aria-busy") === "true") return;
  const spin = spinner();
  button.setAttribute("aria-busy", "true");
  button.prepend(spin);
  try {
    await work();
  } finally {
    button.removeAttribute("aria-busy");
    spin.remove();
  }
}

// -- the frame -------------------------------------------------------------------------------------------------------

function mark() {
  return h("svg", { viewBox: "0 0 30 18", "aria-hidden": "true", class: "mark" },
    h("circle", { cx: 6, cy: 9, r: 5.5, class: "ps" }),
    h("rect", { x: 11.2, y: 5.2, width: 7.6, height: 7.6, transform: "rotate(45 15 9)", class: "pp" }),
    h("rect", { x: 19.5, y: 4, width: 10, height: 10, rx: 1.5, class: "pt" }));
}

// The top bar (its destinations are the tab bar of a phone). `frame` is the view's frame: {course, person, role, links:
// [{name, text, href, icon, here, waiting}], zone, offset, sign_out, sign_out_everywhere}.
function frame({ course, person, links, sign_out, sign_out_everywhere }) {
  const nav = links.map(({ name, text, href, icon: sign, here, waiting }) =>
    h("a", { href, testid: `nav-${name}`, "aria-current": here ? "page" : null }, icon(sign), text,
      waiting ? h("span", { class: "count" }, waiting, h("span", { class: "vh" }, " waiting")) : null));
  return h("header", { class: "top" }, h("div", { class: "top-in" },
    h("a", { class: "brand", href: links[0]?.href ?? "#" }, mark(), course),
    h("nav", { class: "nav", "aria-label": "Main" }, nav), nameMenu(person, sign_out, sign_out_everywhere)));
}

function nameMenu(person, signOut, everywhere) {
  const themes = [["", "As the system"], ["light", "Light"], ["dark", "Dark"]].map(([value, text]) => ({ value, text }));
  const menu = h("details", { class: "me", testid: "name-menu" },
    h("summary", null, h("span", { class: "vh" }, "Menu of "), h("span", { class: "name" }, person), icon("person"), icon("down")),
    h("div", { class: "menu" },
      h("p", { class: "st phone" }, person),
      h("p", { class: "lab sm" }, "Colours"),
      seg({ label: "Colours", options: themes, value: remembered("theme") ?? "", onchange: setTheme, prefix: "theme" }),
      h("label", { class: "row sm keep" }, h("input", { type: "checkbox", class: "ck", checked: keepsNoCopy(), onchange: event => setNoCopy(event.target.checked) }),
        "Do not keep a copy of my text in this browser"),
      [[signOut, "Sign out", "sign-out"], [everywhere, "Sign out everywhere", "sign-out-everywhere"]].map(([action, text, testid]) =>
        action ? h("form", { method: "post", action }, h("button", { class: "btn s", type: "submit", testid }, text)) : null)));
  menu.addEventListener("keydown", event => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  return menu;
}

// The browser's own memory may be switched off or full; then nothing is remembered.
function remembered(name) {
  try { return localStorage.getItem(`reviewkit:${name}`); } catch { return null; }
}
function remember(name, text) {
  try {
    if (text === null) localStorage.removeItem(`reviewkit:${name}`);
    else localStorage.setItem(`reviewkit:${name}`, text);
    return true;
  } catch { return false; }
}
const keepsNoCopy = () => remembered("no-copy") === "yes";
function setNoCopy(on) {
  remember("no-copy", on ? "yes" : null);
  document.dispatchEvent(new CustomEvent("reviewkit-no-copy"));
}
function setTheme(value) {
  remember("theme", value || null);
  if (value) document.documentElement.dataset.theme = value;
  else delete document.documentElement.dataset.theme;
}

// A whole screen: skip link, top bar, main with the one h1, `lede` (text or nodes) under it and `status` beside it.
// `width`: "list" (narrow), "wide" (Sign-off) or nothing. `as`: the voice whose colour choices take. `title` may be nodes.
function page({ name, frame: about, title, lede, status, width, wide, as }, ...main) {
  return h("div", { class: "screen", testid: `screen-${name}` },
    h("a", { class: "skip", href: "#main" }, "Skip to the page"), frame(about),
    h("main", { id: "main", tabIndex: -1, class: ["page", width ?? (wide ? "wide" : ""), as && as !== "self" ? `as-${as}` : ""].filter(Boolean).join(" ") },
      h("div", { class: "head" }, h("div", null, h("h1", null, title), lede ? h("p", { class: "mu" }, lede) : null, abroad(about)), status), main));
}

// For who lives by another clock than the course.
const abroad = ({ zone, offset }) => zone && offset !== -new Date().getTimezoneOffset() ? h("p", { class: "sm mu", testid: "zone" }, `Times are those of ${zone}.`) : null;

// -- where things stand ----------------------------------------------------------------------------------------------

// {el, saving(), saved(text), failed(retry), refused(text), readOnly(text), lost(), back()}. A save is announced at most every 30
// seconds, a failure at once. `back` returns to what stood there before `lost`.
function saveStatus() {
  const el = h("span", { class: "save", role: "status", testid: "save-status" });
  let announced = 0, before = null;
  const show = (kind, ...parts) => {
    const aloud = kind === "bad" || (kind === "good" && Date.now() - announced > 30000);
    if (aloud) announced = Date.now();
    el.setAttribute("aria-live", aloud ? "polite" : "off");
    el.className = `save ${kind}`;
    el.dataset.state = kind;
    el.replaceChildren(...nodes(parts));
  };
  const stay = (...parts) => { before = parts; show(...parts); };
  const button = (text, testid, onclick) => h("button", { class: "btn s", type: "button", testid, onclick }, text);
  return {
    el,
    saving: () => show("busy", spinner(), "Saving…"),
    saved: text => stay("good", icon("check"), text),
    failed: (retry, kept = !keepsNoCopy()) => show("bad", icon("cloud"), h("span", null, kept ? "Not saved yet. Your text is kept in this browser." : "Not saved yet."), retry ? button("Try again", "save-again", retry) : null),
    refused: text => show("bad", icon("warn"), h("span", null, text)),
    readOnly: text => stay("good", icon("check"), text),
    lost: () => show("bad", icon("cloud"), h("span", null, "This page has lost the course. Your text is still here to copy."), button("Reload this page", "reload", () => location.reload())),
    back: () => { if (before) show(...before); else show("still"); },
    clear: () => stay("still"),
  };
}

// The way of a dialogue: [{text, state: "done" | "on" | ""}].
function track(way, label = "Where this submission is") {
  return h("ol", { class: "track", "aria-label": label, testid: "track" }, way.map(({ text, state }) =>
    h("li", { class: state === "done" ? "d" : state, "aria-current": state === "on" ? "step" : null },
      state === "done" ? icon("check") : h("span", { class: "o" }), text)));
}

// The steps of a form: [{name, text, done, here, onclick, href}]; every step can be opened at any time.
function steps(items, label = "Rubric") {
  const at = items.findIndex(item => item.here);
  return [h("nav", { class: "steps", "aria-label": label }, items.map(({ name, text, done, here, onclick, href }) =>
    h("a", { href: href ?? `#${name}`, class: done ? "done" : "", "aria-current": here ? "step" : null, testid: `step-${name}`,
      onclick: onclick && (event => { event.preventDefault(); onclick(event); }) },
    done ? icon("check") : null, h("span", null, text), done ? h("span", { class: "vh" }, " (done)") : null))),
  h("p", { class: "phone sm mu step-of" }, `Step ${at + 1} of ${items.length}`)];
}

// -- showing ---------------------------------------------------------------------------------------------------------

// What was said, oldest first: [{voice, title (may be nodes), time, body (nodes), id, old (it counts no longer)}].
function timeline(items) {
  return h("ol", { class: "dl", testid: "dialogue" }, items.map(({ voice: kind, title, time, body, id, old }) =>
    h("li", { id, class: old ? "old" : null, dataset: { voice: kind } }, h("span", { class: "dot" }, voice(kind)),
      h("p", { class: "row sp" }, h("span", { class: "st" }, title), h("time", null, time)),
      h("div", { class: "say stack" }, body))));
}

// A card of a queue: {id, href, title, tag: {kind, text, icon}, due, share (0 to 1), here, onclick}.
function queueItem({ id, href, title, tag, due, share, here, voice: kind = "peer", onclick }) {
  return h("li", null, h("a", { href: href ?? `#${id}`, testid: `queue-${id}`, "aria-current": here ? "true" : null,
    onclick: onclick && (event => { event.preventDefault(); onclick(event); }) },
  h("span", { class: "row sp" }, h("span", { class: "st" }, title), tag ? h("span", { class: `tag ${tag.kind ?? ""}` }, tag.icon ? icon(tag.icon) : null, tag.text) : null),
  h("span", { class: "sm mu" }, due),
  share === undefined ? null : h("span", { class: "bar", "aria-hidden": "true" }, h("i", { class: share >= 1 ? "ok" : kind, style: { width: `${Math.round(100 * share)}%` } }))));
}

// columns: [{name, text (or nodes), number, sort: true, class}], rows: [{id, testid, cells: [text or nodes], head: index of the row's header cell, attrs}],
// sorted: {by, direction: "ascending" | "descending"}, onsort(name).
function table({ caption, columns, rows, testid, sorted, onsort, showCaption }) {
  const heads = columns.map(({ name, text, number, sort, class: extra }) => {
    const here = sorted?.by === name;
    return h("th", { scope: "col", class: [number ? "n" : "", extra ?? ""].join(" ").trim() || null, "aria-sort": sort ? (here ? sorted.direction : "none") : null },
      sort ? h("button", { type: "button", onclick: () => onsort(name), testid: `sort-${name}` }, text, icon("sort")) : text);
  });
  return h("table", { testid }, caption ? h("caption", { class: showCaption ? "sm mu" : "vh" }, caption) : null, h("thead", null, h("tr", null, heads)),
    h("tbody", null, rows.map(({ id, testid: rowId, cells, head, attrs }) =>
      h("tr", { testid: rowId ?? (id ? `row-${id}` : null), ...attrs }, cells.map((cell, at) =>
        h(at === head ? "th" : "td", { scope: at === head ? "row" : null, class: [columns[at]?.number ? "n" : "", columns[at]?.class ?? ""].join(" ").trim() || null }, cell))))));
}

// A notice: "neutral", "ok" or "error".
function note(kind, ...children) {
  const sign = { neutral: "info", ok: "check", error: "warn" }[kind];
  return h("div", { class: `note ${kind === "error" ? "err" : kind}`, testid: `note-${kind}`, role: kind === "error" ? "alert" : null },
    icon(sign), h("div", null, children.every(child => typeof child === "string") ? h("p", null, children) : children));
}

// Nothing here yet: when something will be, and one thing to do meanwhile (`action`: {text, href} or {text, onclick}).
function empty({ name, icon: sign = "inbox", title, text, action }) {
  return h("div", { class: "empty", testid: `empty-${name}` }, icon(sign), h("h2", { class: "h3" }, title), h("p", { class: "mu" }, text),
    action ? h(action.href ? "a" : "button", { class: "btn s", href: action.href, onclick: action.onclick, type: action.href ? null : "button" }, action.text) : null);
}

function skeleton() {
  return h("div", { class: "sk", role: "status", "aria-label": "Loading", testid: "loading" },
    h("i", { class: "a" }), h("i"), h("i"), h("i", { class: "b" }));
}

// One of several: options [{value, text, testid}]; `prefix` names them prefix-VALUE for tests.
function seg({ label, options, value, onchange, prefix, class: extra = "" }) {
  const buttons = options.map(option => h("button", { type: "button", "aria-pressed": option.value === value,
    testid: option.testid ?? (prefix ? `${prefix}-${option.value || "system"}` : null),
    onclick: () => { buttons.forEach(each => each.setAttribute("aria-pressed", each === buttons[options.indexOf(option)])); onchange(option.value); } }, option.text));
  return h("div", { class: `seg ${extra}`.trim(), role: "group", "aria-label": label }, buttons);
}

// -- asking and telling ----------------------------------------------------------------------------------------------

// Before something final. `onconfirm` may be async; what it returns as {ok: false, error} is shown in the dialog, which
// then stays. The safe button has the first focus, and Enter does not confirm by itself.
function dialog({ title, text, confirm, cancel = "Not yet", onconfirm, oncancel, class: extra = "" }, ...children) {
  const titleId = fresh("dialog"), back = document.activeElement;
  const problem = h("div", { class: "problem" });
  const yes = h("button", { class: "btn p", type: "button", testid: "dialog-confirm", onclick: () => busy(yes, async () => {
    const reply = await onconfirm();
    if (reply?.unsent) return el.close(); // they want to change it
    if (reply?.ok === false) return problem.replaceChildren(note("error", reply.error.message));
    done = true;
    el.close();
  }) }, confirm);
  let done = false;
  const no = h("button", { class: "btn", type: "button", testid: "dialog-cancel", onclick: () => el.close() }, cancel);
  const el = h("dialog", { class: `dlg ${extra}`.trim(), testid: "dialog", "aria-labelledby": titleId },
    h("h2", { id: titleId, class: "h3" }, title), text ? h("p", null, text) : null, children, problem,
    h("div", { class: "row end wrap" }, no, onconfirm ? yes : null));
  el.addEventListener("close", () => {
    el.remove();
    if (!done) oncancel?.();
    if (document.activeElement === document.body) focusAgain(back); // else what happened has put the focus where it belongs
  });
  document.body.append(el);
  el.showModal();
  no.focus();
  return el;
}

// The page may have been drawn again since.
function focusAgain(back) {
  const place = back?.isConnected && back !== document.body ? back : back && likeness(back, document, document);
  (place && place !== document.body ? place : document.getElementById("main"))?.focus({ preventScroll: true });
}

// After something that can be undone; goes after ten seconds, which stop while pointer or focus is on it.
function toast({ text, undo, seconds = 10 }) {
  document.querySelector(".toast")?.remove();
  let left = seconds, held = false;
  const back = document.activeElement;
  const el = h("div", { class: "toast", role: "status", testid: "toast", onpointerenter: () => { held = true; }, onpointerleave: () => { held = false; },
    onfocusin: () => { held = true; }, onfocusout: () => { held = false; } }, h("span", null, text),
  undo ? h("button", { class: "btn q s", type: "button", testid: "toast-undo", onclick: () => { undo(); close(); } }, "Undo") : null);
  const timer = setInterval(() => { if (!held && --left <= 0) close(); }, 1000);
  const close = () => {
    const inside = el.contains(document.activeElement);
    clearInterval(timer);
    el.remove();
    if (inside) focusAgain(back);
  };
  document.body.append(el);
  return el;
}

const theme = remembered("theme");
if (theme) document.documentElement.dataset.theme = theme;

export { levels, quote, field, gradeField, toggles, complain } from "./forms.js";
export { strip, levelPlot } from "./plots.js";
export { reading, sentencesOf, sentenceDialog } from "./reading.js";
export { connect } from "./link.js";
export { redraw, likeness, calmly, keptTexts } from "./redraw.js";
export { judged, labelledTexts, paragraphs, titled } from "./talk.js";
export { h, nodes, fresh, random, icon, voice, spinner, busy, frame, page, saveStatus, track, steps, timeline, queueItem, table, note, empty, skeleton, seg, dialog, toast, remembered, remember, keepsNoCopy };
