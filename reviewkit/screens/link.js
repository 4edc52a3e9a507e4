// The way to the course: events that are answered, and drafts that are never lost.
//
//   const link = connect(model);                       once a page
//   page({status: link.status.el, ...})
//   const reply = await link.act({type, ...});         never throws: {ok: true, ...} or {ok: false, error: {message, field}}
//   const draft = link.draft(view.draft, {onchange});  the same object for the same form, however often it is drawn
//   draft.content.strengths; draft.set({strengths}); draft.locked; draft.notice()
import { h, dialog, note, random, saveStatus, remembered, remember, keepsNoCopy } from "./lib.js";

const ANSWER_WITHIN = 4000, PAUSE = 400, LONGEST = 1500, AGAIN = 5000, GONE_AFTER = 2500, FOUND = 300;
const KEPT = 30 * 24 * 3600 * 1000; // how long this browser keeps a copy that nobody came back for
const NO_ANSWER = "The course did not answer. Nothing is lost: try again, and it is done only once.";

function connect(model, status = saveStatus()) {
  const waiting = new Map(), drafts = new Map(), self = random();
  let counter = 0, gone = null, lost = false;
  tidy();

  model.on("msg:custom", message => {
    if (message?.type === "refused") say.refused(message.message); // what is shown may no longer be seen; what was typed stays
    if (message?.type !== "done") return;
    waiting.get(message.seq)?.(message);
  });

  // Sends an event, `tries` times at most under one number, until it is answered.
  function send(event, tries) {
    const seq = ++counter;
    return new Promise(resolve => {
      let timer;
      const end = reply => { clearTimeout(timer); waiting.delete(seq); resolve(reply); };
      const go = left => {
        if (!left) return end({ ok: false, late: true, error: { message: NO_ANSWER } });
        timer = setTimeout(() => go(left - 1), ANSWER_WITHIN);
        // What waits for a connection would be done when nobody expects it any more.
        if (connected()) try { model.send({ ...event, seq }); } catch { /* A connection that is gone does not answer: the timer says so. */ }
      };
      waiting.set(seq, end);
      go(tries);
    });
  }

  const link = {
    status,
    // What was typed goes first; `request` makes two deliveries one act. The fresh view arrives as a change of `view`.
    async act(event) {
      await Promise.all([...drafts.values()].map(draft => draft.flush()));
      const said = { request: random(), params: model.get("view")?.params ?? {}, ...event }, reply = await send(said, 2);
      return reply.named ? askSure(reply, () => send({ ...said, sure: true }, 2)) : reply;
    },
    draft(given, { onchange } = {}) {
      if (!given) return null;
      const known = drafts.get(given.form);
      if (known && !known.over) return Object.assign(known, { onchange });
      const draft = openDraft(given, { send, self, say, whose: digest(model.get("view")?.frame?.person ?? "") });
      drafts.set(given.form, Object.assign(draft, { onchange }));
      return draft;
    },
    // The form was sent: its draft is done with, here and in this browser.
    forget(form) {
      drafts.get(form)?.close();
      drafts.delete(form);
    },
  };

  // "Saved" is said when it is true of every form on this page, and nothing else while the course is away.
  const anyPending = () => [...drafts.values()].some(draft => draft.pending);
  const unlessLost = word => (...said) => { if (!lost) status[word](...said); };
  const say = {
    saving: unlessLost("saving"), failed: unlessLost("failed"), refused: unlessLost("refused"), readOnly: unlessLost("readOnly"),
    saved: text => { if (!lost && !anyPending()) status.saved(text); },
  };
  function lose() {
    lost = true;
    status.lost();
  }

  const flushAll = () => drafts.forEach(draft => draft.flush());
  document.addEventListener("focusout", flushAll);
  document.addEventListener("visibilitychange", () => { if (document.hidden) flushAll(); });
  document.addEventListener("page-save", ({ detail: wait }) => drafts.forEach(draft => wait(draft.flush())));
  addEventListener("pagehide", () => drafts.forEach(draft => draft.last()));
  // Where this browser keeps no copy, leaving the page now would lose words.
  addEventListener("beforeunload", event => { if ([...drafts.values()].some(draft => draft.exposed)) event.preventDefault(); });
  document.addEventListener("page-notice", ({ detail: el }) => {
    const texts = () => [...drafts.values()].flatMap(draft => textsOf(draft.content));
    if (texts().length) el.append(copyButton(texts));
  });
  document.addEventListener("page-connection", () => {
    const state = document.body.dataset.connection;
    clearTimeout(gone);
    if (state === "lost") lose();
    else if (state === "closed") gone = setTimeout(lose, GONE_AFTER);
    else if (state === "open") {
      lost = false;
      if (!anyPending()) return status.back();
      status.saving();
      drafts.forEach(draft => draft.again());
    }
  });
  return link;
}

// In JupyterLab nobody tells; then it is tried.
// The words name somebody, and nothing was sent: whether it is, the writer says.
const askSure = ({ named: { title, text }, ...refusal }, again) => new Promise(resolve => {
  let reply = { ...refusal, unsent: true };
  dialog({ title, text, confirm: "Send all the same", cancel: "Change it", onconfirm: async () => { reply = await again(); } })
    .addEventListener("close", () => resolve(reply));
});

const connected = () => !["closed", "lost"].includes(document.body.dataset.connection);

// A draft as the server gave it ({form, revision, content, saved}; the form's name holds a random id and nobody's name),
// or this browser's copy where that is newer. Every save names the revision that it builds on (`after`), and the course
// takes it only when it holds that very one: so nothing is overwritten that this window has not seen.
function openDraft({ form, revision, content, saved }, { send, self, say, whose }) {
  // Two instructors may write in the same form and sit at the same browser: a copy is shown to whoever typed it.
  const place = `draft:${whose}:${form}`, copy = copyOf(place);
  const found = copy === null ? "none" : compared(copy, revision, content);
  let base = found === "newer" ? Math.max(revision, copy.after) : revision; // what the course holds, as far as we know
  let sent = found === "newer" ? [...copy.sent, [copy.revision, digest(copy.content)]] : []; // not answered: it may hold one of these
  let flight = null, pause = null, retry = null, waits = 0, failing = false, done = false, other = null, giving = false, noticed = false;
  if (found === "same") remember(place, null);

  const draft = {
    form, over: false,
    content: found === "none" || found === "same" ? { ...content } : copy.content,
    revision: found === "none" || found === "same" ? revision : copy.revision,
    locked: "",
    get pending() { return !done && !draft.locked && draft.revision > base; },
    get exposed() { return draft.pending && !copied(); },
    set(patch) {
      if (draft.locked || done) return;
      Object.assign(draft.content, patch);
      draft.revision += 1;
      keep();
      if (!failing) say.saving();
      soon();
    },
    // True when the course has everything that was typed until now. One save is under way at a time.
    async flush() {
      clearTimeout(pause);
      clearTimeout(retry);
      waits = 0;
      const wanted = draft.revision;
      while (draft.pending && base < wanted) if (!await (flight ??= save().finally(() => { flight = null; }))) return false;
      return !draft.locked;
    },
    again() {
      failing = false;
      return draft.flush();
    },
    // The page goes away: there is no time for an answer. What is under way arrives first, so this builds on it.
    last() {
      if (!draft.pending || !connected()) return;
      const [at] = flight ? sent.at(-1) : [base];
      if (at < draft.revision) post(at);
    },
    // What has to be said about this draft: nodes or null.
    notice() {
      if (draft.locked === "window") return note("neutral", h("p", null, "This draft is open in another window. "), act("Edit here", "edit-here", take));
      if (draft.locked === "sent") return note("neutral", h("p", null, "This was sent or put away in another window meanwhile. What you typed here since is not part of it."),
        h("div", { class: "row wrap" }, act("Show how it stands", "show-newer", () => { drop(); location.reload(); }), copyButton(() => textsOf(draft.content))));
      if (draft.locked === "another") return note("neutral", h("p", null, found === "other" && !noticed ? "This browser has a text that the course does not have, and the course has another one. " : "This draft was changed in another window meanwhile. ", "Nothing is mixed: choose which text to go on with."),
        h("div", { class: "row wrap" }, act("Show the newer text", "show-newer", () => adopt(other)), act("Go on with the text on this page", "edit-here", () => overrule(other)), copyButton(() => textsOf(draft.content))));
      return found === "newer" && !noticed ? note("neutral", h("p", null, "This browser had a newer copy of your text than the course. It is shown here and is being saved."), act("All right", "notice-read", () => { noticed = true; draft.onchange?.(); })) : null;
    },
    close() {
      done = draft.over = true;
      clearTimeout(pause);
      clearTimeout(retry);
      drop();
      channel?.close();
    },
  };

  const act = (text, testid, onclick) => h("button", { class: "btn s", type: "button", testid, onclick }, text);
  function soon() {
    waits ||= performance.now();
    clearTimeout(pause);
    pause = setTimeout(draft.flush, Math.max(0, Math.min(PAUSE, waits + LONGEST - performance.now())));
  }
  function keep() {
    if (keepsNoCopy()) remember(place, null);
    else remember(place, JSON.stringify({ revision: draft.revision, after: base, content: draft.content, sent, window: self, at: Date.now() }));
  }
  const copied = () => copyOf(place)?.revision === draft.revision; // storage may be shut or full
  function drop() { // another window may have put its own copy there
    if ((copyOf(place)?.window ?? self) === self) remember(place, null);
  }
  function post(after) {
    sent = [...sent.slice(-99), [draft.revision, digest(draft.content)]];
    keep();
    return send({ type: "draft", form, revision: draft.revision, after, content: { ...draft.content }, window: self }, 1);
  }
  // Sends what there is now. True when the course holds more than before.
  async function save() {
    if (!connected()) return fail();
    const now = draft.revision, reply = await post(base);
    if (done) return true;
    if (reply.ok) return stored(now, reply.saved);
    if (reply.conflict) {
      const mine = sent.some(([at, words]) => at === reply.draft.revision && words === digest(reply.draft.content));
      if (mine && reply.draft.saved) return stored(reply.draft.revision, reply.draft.saved); // its answer was lost
      if (!draft.locked) lock(reply.draft.saved ? "another" : "sent", reply.draft);
      return false;
    }
    if (reply.late || reply.again) return fail();
    say.refused(reply.error.message);
    return false;
  }
  function stored(at, time) {
    base = Math.max(base, at);
    sent = sent.filter(([each]) => each > base);
    failing = false;
    if (draft.revision > base) {
      if (!draft.locked) keep();
      return true;
    }
    drop();
    if (!draft.locked) say.saved(`Saved at ${time}`);
    return true;
  }
  function fail() {
    if (!failing) say.failed(() => { say.saving(); draft.again(); }, copied());
    failing = true;
    clearTimeout(retry);
    if (!done) retry = setTimeout(draft.flush, AGAIN);
    return false;
  }
  function lock(why, theirs) {
    draft.locked = why;
    other = theirs ?? null;
    say.readOnly(why === "sent" ? "Sent in another window" : why === "another" ? "There are two texts" : "Open in another window");
    draft.onchange?.();
  }
  function unlock() {
    draft.locked = "";
    noticed = true;
    draft.onchange?.();
  }
  function adopt(theirs) {
    draft.content = { ...theirs.content };
    draft.revision = base = theirs.revision;
    sent = [];
    remember(place, null);
    if (theirs.saved) say.saved(`Saved at ${theirs.saved}`);
    unlock();
  }
  function overrule(theirs) {
    base = theirs.revision;
    draft.revision = Math.max(draft.revision, base) + 1;
    unlock();
    keep();
    draft.flush();
  }
  document.addEventListener("reviewkit-no-copy", () => { if (draft.pending) keep(); });

  // Windows of one browser find each other by the form's name; the one that was first has the pen.
  const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("reviewkit-drafts");
  const call = (word, to) => channel?.postMessage({ word, form, from: self, to });
  function take() {
    call("take");
    setTimeout(() => location.reload(), 1500); // the other window may be gone and not answer
  }
  channel?.addEventListener("message", async ({ data }) => {
    if (data.form !== form || data.from === self || (data.to && data.to !== self) || done) return;
    if (data.word === "open" && !draft.locked && !giving) call("here", data.from);
    else if (data.word === "here") lock("window");
    else if (data.word === "given") location.reload();
    else if (data.word === "take" && !draft.locked) {
      giving = true;
      await draft.flush();
      giving = false;
      lock("window");
      call("given", data.from);
    }
  });
  call("open");

  if (found === "other") queueMicrotask(() => { if (!draft.locked) lock("another", { form, revision, content, saved }); });
  else if (found === "newer") setTimeout(() => { if (draft.pending) { keep(); draft.flush(); } }, FOUND); // unless another window has the pen
  else if (saved) say.saved(`Saved at ${saved}`);
  return draft;
}

// How this browser's copy stands to what the course gave: the "same", "newer", or "other" where each has what the other lacks.
function compared(copy, revision, content) {
  const theirs = digest(content);
  if (copy.revision === revision && digest(copy.content) === theirs) return "same";
  if (copy.after >= revision || copy.sent.some(([at, words]) => at === revision && words === theirs)) return "newer";
  return "other";
}

function copyOf(place) {
  try {
    const copy = JSON.parse(remembered(place));
    return copy && Number.isInteger(copy.revision) && Number.isInteger(copy.after) && Array.isArray(copy.sent) && typeof copy.content === "object" ? copy : null;
  } catch { return null; } // a copy that cannot be read is none
}

// A number for words, the same in whatever order the course gives the fields back.
function digest(content) {
  const ordered = value => !value || typeof value !== "object" ? value : Array.isArray(value) ? value.map(ordered) : Object.keys(value).sort().map(key => [key, ordered(value[key])]);
  let one = 0xdeadbeef, two = 0x41c6ce57;
  for (const unit of JSON.stringify(ordered(content))) {
    one = Math.imul(one ^ unit.codePointAt(0), 2654435761);
    two = Math.imul(two ^ unit.codePointAt(0), 1597334677);
  }
  return `${(one >>> 0).toString(36)}${(two >>> 0).toString(36)}`;
}

// What somebody wrote, in the order of the form.
const textsOf = content => typeof content === "string" ? (content.trim() ? [content] : []) : content && typeof content === "object" ? Object.values(content).flatMap(textsOf) : [];

function copyButton(texts) {
  const button = h("button", { class: "btn s", type: "button", testid: "copy-text", onclick: async () => {
    const text = texts().join("\n\n");
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch { // not allowed here: then by hand
      const area = h("textarea", { class: "in", rows: 6, readonly: true, "aria-label": "My text", testid: "text-to-copy", value: text });
      button.replaceWith(area);
      area.focus();
      area.select();
    }
  } }, "Copy my text");
  return button;
}

// Copies that nobody came back for are not kept for ever.
function tidy() {
  try {
    for (const name of Object.keys(localStorage)) {
      if (!name.startsWith("reviewkit:draft:")) continue;
      const copy = copyOf(name.slice("reviewkit:".length));
      if (!copy || !(Date.now() - copy.at < KEPT)) localStorage.removeItem(name);
    }
  } catch { /* no storage, no copies */ }
}

export { connect };
