// The way to the course: events that are answered, and drafts that are never lost.
//
//   const link = connect(model);                       once a page
//   page({status: link.status.el, ...})
//   const reply = await link.act({type, ...});         never throws: {ok: true, ...} or {ok: false, error: {message, field}}
//   const draft = link.draft(view.draft, {onchange});  the same object for the same form, however often it is drawn
//   draft.content.strengths; draft.set({strengths}); draft.locked; draft.notice()
import { h, note, random, saveStatus, remembered, remember, keepsNoCopy } from "./lib.js";

const ANSWER_WITHIN = 4000, PAUSE = 400, AGAIN = 5000, GONE_AFTER = 3000;
const NO_ANSWER = "The course did not answer. Nothing is lost: try again, and it is done only once.";

function connect(model, status = saveStatus()) {
  const waiting = new Map(), drafts = new Map(), self = random();
  let counter = 0, gone = null;

  model.on("msg:custom", message => {
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
        try { model.send({ ...event, seq }); } catch { /* A connection that is gone does not answer: the timer says so. */ }
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
      return send({ request: random(), params: model.get("view")?.params ?? {}, ...event }, 2);
    },
    draft(given, { onchange } = {}) {
      if (!given) return null;
      const known = drafts.get(given.form);
      if (known && !known.over) return Object.assign(known, { onchange });
      const draft = openDraft(given, { send, status, self });
      drafts.set(given.form, Object.assign(draft, { onchange }));
      return draft;
    },
    // The form was sent: its draft is done with, here and in this browser.
    forget(form) {
      drafts.get(form)?.close();
      drafts.delete(form);
    },
  };

  const flushAll = () => drafts.forEach(draft => draft.flush());
  document.addEventListener("focusout", flushAll);
  document.addEventListener("visibilitychange", () => { if (document.hidden) flushAll(); });
  addEventListener("pagehide", flushAll);
  document.addEventListener("page-connection", () => {
    const state = document.body.dataset.connection;
    clearTimeout(gone);
    if (state === "lost") status.lost();
    else if (state === "closed") gone = setTimeout(status.lost, GONE_AFTER);
    else if (state === "open") drafts.forEach(draft => draft.again());
  });
  return link;
}

// A draft as the server gave it ({form, revision, content, saved}; the form's name holds a random id and nobody's name), or this browser's copy where that is newer.
function openDraft({ form, revision, content, saved }, { send, status, self }) {
  const place = `draft:${form}`, copy = copyOf(place), newer = copy !== null && copy.revision > revision;
  let acknowledged = revision, pause = null, retry = null, done = false, other = null;
  if (copy && !newer) remember(place, null);

  const draft = {
    form, over: false,
    content: newer ? copy.content : { ...content },
    revision: newer ? copy.revision : revision,
    locked: "",
    set(patch) {
      if (draft.locked || done) return;
      Object.assign(draft.content, patch);
      draft.revision += 1;
      keep();
      status.saving();
      clearTimeout(pause);
      pause = setTimeout(draft.flush, PAUSE);
    },
    // True when the course has everything.
    async flush() {
      clearTimeout(pause);
      clearTimeout(retry);
      if (draft.revision <= acknowledged || draft.locked || done) return !draft.locked;
      const sent = draft.revision;
      const reply = await send({ type: "draft", form, revision: sent, content: draft.content, window: self }, 1);
      if (done) return true;
      if (reply.ok) acknowledge(sent, reply.saved);
      else if (reply.conflict) lock("another", reply.draft);
      else if (reply.late || reply.again) {
        status.failed(draft.flush);
        retry = setTimeout(draft.flush, AGAIN);
      } else status.refused(reply.error.message);
      return reply.ok && draft.revision === sent;
    },
    again() {
      if (draft.revision > acknowledged) draft.flush();
      else status.back();
    },
    // What has to be said about this draft: nodes or null.
    notice() {
      if (draft.locked === "window") return note("neutral", h("p", null, "This draft is open in another window. "), act("Edit here", "edit-here", take));
      if (draft.locked === "another") return note("neutral", h("p", null, "This draft was changed in another window meanwhile. Nothing is mixed: choose which text to go on with. "),
        h("div", { class: "row wrap" }, act("Show the newer text", "show-newer", () => adopt(other)), act("Go on with the text on this page", "edit-here", () => overrule(other))));
      return newer && !noticed ? note("neutral", h("p", null, "This browser had a newer copy of your text than the course. It is shown here and is being saved."), act("All right", "notice-read", () => { noticed = true; draft.onchange?.(); })) : null;
    },
    close() {
      done = draft.over = true;
      clearTimeout(pause);
      clearTimeout(retry);
      remember(place, null);
      channel?.close();
    },
  };
  let noticed = false;

  const act = (text, testid, onclick) => h("button", { class: "btn s", type: "button", testid, onclick }, text);
  const keep = () => {
    if (keepsNoCopy()) remember(place, null);
    else remember(place, JSON.stringify({ revision: draft.revision, content: draft.content }));
  };
  function acknowledge(sent, at) {
    acknowledged = Math.max(acknowledged, sent);
    if (draft.revision > acknowledged) return;
    remember(place, null);
    status.saved(`Saved at ${at}`);
  }
  function lock(why, theirs) {
    draft.locked = why;
    other = theirs ?? null;
    status.readOnly("Open in another window");
    draft.onchange?.();
  }
  function unlock(toRevision) {
    acknowledged = toRevision;
    draft.locked = "";
    draft.onchange?.();
  }
  function adopt(theirs) {
    draft.content = { ...theirs.content };
    draft.revision = theirs.revision;
    remember(place, null);
    status.saved(`Saved at ${theirs.saved}`);
    unlock(theirs.revision);
  }
  function overrule(theirs) {
    draft.revision = theirs.revision + 1;
    unlock(theirs.revision);
    keep();
    draft.flush();
  }
  document.addEventListener("reviewkit-no-copy", () => { if (!done && draft.revision > acknowledged) keep(); });

  // Windows of one browser find each other by the form's name; the one that was first has the pen.
  const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("reviewkit-drafts");
  const call = (word, to) => channel?.postMessage({ word, form, from: self, to });
  function take() {
    call("take");
    setTimeout(() => location.reload(), 1500); // the other window may be gone and not answer
  }
  channel?.addEventListener("message", async ({ data }) => {
    if (data.form !== form || data.from === self || (data.to && data.to !== self) || done) return;
    if (data.word === "open" && !draft.locked) call("here", data.from);
    else if (data.word === "here") lock("window");
    else if (data.word === "given") location.reload();
    else if (data.word === "take" && !draft.locked) {
      await draft.flush();
      lock("window");
      call("given", data.from);
    }
  });
  call("open");

  if (newer) queueMicrotask(draft.flush);
  else if (saved) status.saved(`Saved at ${saved}`);
  return draft;
}

function copyOf(place) {
  try {
    const copy = JSON.parse(remembered(place));
    return copy && Number.isInteger(copy.revision) && typeof copy.content === "object" ? copy : null;
  } catch { return null; } // a copy that cannot be read is none
}

export { connect };
