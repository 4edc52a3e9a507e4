// My work: all posts, the self-evaluation of one criterion by criterion, and the dialogue that follows.
import { h, random, icon, voice, connect, page, track, steps, seg, note, empty, levels, quote, field, gradeField, toggles, complain, table, timeline, levelPlot, reading, sentenceDialog, dialog, toast, redraw, calmly, keptTexts, judged, labelledTexts, paragraphs, titled } from "./lib.js";
import { sitesPart, checkButton, writePart } from "./sites.js";
import { datesPart } from "./own_dates.js";
import { previewButton } from "./preview.js";

const OVERALL = "overall";
const DISSENT = { type: "dissent", name: "dissent", label: "Your dissent", hint: "How do you read it, and what in your post makes you read it so?", title: "Attach your dissent?",
  text: "It stands beside the decision for ever, and cannot be changed. It changes no grade, and your instructor reads it.", confirm: "Attach it", cancel: "Not now" };
const ASK = { type: "ask-to-reopen", name: "ask", label: "Why should it be reopened?", title: "Ask to reopen this?",
  text: "Your instructor sees it and decides; until then everything stays as it is. It cannot be changed afterwards.", confirm: "Ask", cancel: "Not now" };

function renderMyWork({ model, el, signal }) {
  const link = connect(model);
  const view = () => model.get("view");
  const narrow = matchMedia("(max-width: 760px)");
  const ui = { shown: null, step: null, side: "write", picking: false, replying: false, sending: false, own: null, talk: null };

  // -- where the author is -------------------------------------------------------------------------------------------

  const address = submission => `/my-work${submission ? `?submission=${encodeURIComponent(submission)}` : ""}`;
  const onPage = location.pathname.endsWith("/my-work"); // in JupyterLab the address is not ours

  async function open(submission, push = true) {
    const reply = await link.act({ type: "open", submission: submission ?? "" });
    if (!reply.ok) return void toast({ text: reply.error.message });
    if (push && onPage) history.pushState(null, "", address(submission));
  }
  async function towrite(id) {
    const reply = await link.act({ type: "write", id });
    if (!reply.ok) toast({ text: reply.error.message });
  }
  const to = submission => event => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    open(submission);
  };
  addEventListener("popstate", () => open(new URLSearchParams(location.search).get("submission"), false), { signal });

  function draw() {
    const now = view(), here = `${now.place} ${now.submission ?? now.id ?? ""}`, moved = ui.shown !== here, first = ui.shown === null;
    if (moved) Object.assign(ui, { shown: here, step: null, side: "write", picking: false, replying: false });
    const { parts, ...head } = { start: drawStart, write: drawWriting, evaluate: drawEvaluation, dialogue: drawDialogue }[now.place](now);
    const tree = page({ name: "my-work", frame: now.frame, title: now.title, status: link.status.el, ...head }, parts);
    if (!moved) return redraw(el, tree);
    el.replaceChildren(tree);
    if (first) return;
    scrollTo(0, 0);
    el.querySelector("main").focus({ preventScroll: true });
    if (onPage && address(now.submission) !== location.pathname + location.search) history.pushState(null, "", address(now.submission));
  }

  const back = () => h("a", { href: address(), onclick: to(null), testid: "all-posts" }, "All my posts");

  // -- all posts -----------------------------------------------------------------------------------------------------

  function drawStart(now) {
    link.status.clear();
    return { width: "list", lede: now.lede, status: h("div", { class: "row wrap" }, link.status.el, checkButton(now.sites, link)), parts: [
      now.next ? nextCard(now.next) : now.posts.length ? note("neutral", "Nothing waits for you here at the moment.") : null,
      h("section", { "aria-labelledby": "all-posts-title", class: "all-posts" }, h("h2", { id: "all-posts-title" }, "All posts"),
        now.posts.length ? h("ul", { class: "pl" }, now.posts.map(postLine))
          : empty({ name: "posts", icon: "pen", title: "No post has arrived yet", text: `Publish on your own site with the tag, and it appears here. ${now.missing}` })), sitesPart(now.sites, { link, how: now.how, missing: now.posts.length ? now.missing : "", towrite, first: !now.posts.length && !now.next }), datesPart(now.dates, ui.dates ?? false, open => { ui.dates = open; })] };
  }

  function drawWriting(now) {
    const draft = link.draft(now.draft, { onchange: draw });
    return { width: "list", lede: back(), parts: [writePart(now, { link, draft, draw, back: h("a", { class: "btn q", href: address(), onclick: to(null) }, "Back") })] };
  }

  function nextCard(next) {
    const label = [next.action, icon("right")];
    return h("section", { class: "card nx", "aria-labelledby": "next-title" },
      h("div", null, h("p", { class: "sm mu" }, "Next for you"), h("h2", { id: "next-title", class: "ser" }, next.title), h("p", { class: "errand" }, next.text)),
      next.submission ? h("a", { class: "btn p", href: address(next.submission), onclick: to(next.submission), testid: "next" }, label)
        : h("button", { class: "btn p", type: "button", testid: "next", onclick: () => freezeDialog(next.post, next.freeze) }, label));
  }

  function postLine(post) {
    const hidden = h("span", { class: "vh" }, ` ${post.title}`);
    const action = post.submission ? h("a", { class: "btn s", href: address(post.submission), onclick: to(post.submission), testid: `open-${post.id}` }, post.action, hidden)
      : post.freeze ? h("button", { class: "btn s", type: "button", testid: `choose-${post.id}`, onclick: () => freezeDialog(post.title, post.freeze) }, post.action, hidden) : null;
    return h("li", { testid: `post-${post.id}` },
      h("div", null, post.link ? h("a", { class: "ser ttl", href: post.link, target: "_blank", rel: "noopener noreferrer" }, post.title) : h("span", { class: "ser ttl" }, post.title), h("p", { class: "sm mu" }, post.date, post.private ? [" · Private. ", post.write ? h("a", { href: `/my-work?write=${post.id}`, testid: `write-${post.id}`, onclick: event => { event.preventDefault(); towrite(post.id); } }, post.submission ? "Read it" : "Change it", h("span", { class: "vh" }, ` ${post.title}`)) : null] : null)),
      h("span", { class: `tag ${post.kind}` }, post.kind === "ok" ? icon("check") : null, post.word), action);
  }

  function freezeDialog(title, choices) {
    const request = random();
    let chosen = choices[0], posts = new Set(chosen.posts.map(({ id }) => id));
    const list = h("div", { class: "stack-s choices" }), read = h("div", { class: "stack" }), copies = view().copies, confirmed = new Set();
    const several = () => { copied(); list.replaceChildren(...(chosen.posts.length < 2 ? [] : [h("p", { class: "lab sm" }, "These posts stand for your participation:"), ...chosen.posts.map(post => h("label", { class: "row" },
      h("input", { type: "checkbox", class: "ck", checked: posts.has(post.id), onchange: event => { posts[event.target.checked ? "add" : "delete"](post.id); copied(); } }), post.title))])); };
    several();
    function copied() {
      read.replaceChildren(...chosen.posts.filter(({ id }) => posts.has(id) && copies[id]).map(post => copyPart(post, copies[post.id], confirmed)));
    }
    dialog({ title: choices.length > 1 || chosen.posts.length > 1 ? "Freeze this for a round?" : `Freeze “${title}” for ${chosen.title}?`,
      text: "A copy is kept as it is now, and everybody evaluates that copy. You can go on editing your own site; the copy does not change. You cannot choose another post for this round afterwards.",
      confirm: "Freeze it", cancel: "Not yet", onconfirm: () => link.act({ type: "freeze", request, assignment: chosen.assignment, posts: [...posts], confirmed: [...confirmed] }) },
    choices.length < 2 ? null : h("fieldset", { class: "stack-s choices" }, h("legend", { class: "lab" }, "For which round?"), choices.map(each => h("label", { class: "row" },
      h("input", { type: "radio", name: "round", checked: each === chosen, onchange: () => { chosen = each; posts = new Set(each.posts.map(({ id }) => id)); several(); } }), each.title, h("span", { class: "sm mu" }, each.due)))), list, read, view().masked ? h("p", { class: "sm" }, previewButton(link, () => ({ posts: [...posts] }))) : null);
  }

  // What a feed shows the beginning of was copied from its page: its author reads the copy and says that it is theirs.
  const copyPart = ({ id, title }, { digest, html }, confirmed) => h("div", { class: "stack-s", testid: `copy-${id}` },
    note("neutral", h("p", { class: "st" }, `The text of “${title}” was copied from its page`), h("p", null, "Your feed shows only its beginning. Everybody evaluates this copy, so read it first. If something is missing, let your feed show whole posts, or give your text privately.")),
    h("details", { open: true }, h("summary", null, "The copy"), reading({ label: `The copy of ${title}`, html, class: "copied" })),
    h("label", { class: "row" }, h("input", { type: "checkbox", class: "ck", testid: `confirm-copy-${id}`, checked: confirmed.has(digest), onchange: event => confirmed[event.target.checked ? "add" : "delete"](digest) }), "I have read it: it is my text, and it is whole."));

  // -- the self-evaluation -------------------------------------------------------------------------------------------

  function drawEvaluation(now) {
    const draft = link.draft(now.draft, { onchange: draw }), said = draft.content;
    ui.own = { submission: now.submission, draft };
    const level = id => said.levels?.[id];
    ui.step ??= now.criteria.find(({ id }) => level(id) === undefined)?.id ?? OVERALL;
    const criterion = now.criteria.find(({ id }) => id === ui.step);
    const here = { now, draft, said, level, criterion, set: (name, id, value) => draft.set({ [name]: { ...draft.content[name], [id]: value } }) };
    const lede = [now.posted, " ", now.due, " ", back(), now.masked ? [" ", previewButton(link, () => ({ submission: now.submission }))] : null];
    return { lede, parts: [track(now.way), draft.notice(), anewNote(now), changedNote(now),
      h("div", { class: "two" }, criterion ? [side(), postPart(here)] : soFar(here),
        h("section", { class: criterion && ui.side === "read" ? "desk" : null, "aria-labelledby": "step-title" }, stepper(here), criterion ? criterionPart(here) : overallPart(here))),
      now.turns.length ? h("details", { class: "frozen", id: "said-so-far" }, h("summary", { class: "sm mu" }, "What was said so far"), timeline(now.turns.map(turnItem))) : null] };
  }

  const changedNote = now => now.posts.some(post => post.changed) ? note("neutral", "Your site shows another text by now. What is evaluated is the copy that was frozen.") : null;

  const anewNote = ({ anew }) => anew ? note("neutral", h("p", { class: "st" }, anew.text), paragraphs(anew.reason)) : null;

  const side = () => seg({ label: "Show", class: "phone half", prefix: "side", value: ui.side, options: [{ value: "read", text: "Read the post" }, { value: "write", text: "Evaluate" }], onchange: show });
  let places = { read: 0, write: 0 };
  function show(wanted) {
    places[ui.side] = scrollY;
    Object.assign(ui, { side: wanted, picking: wanted === "read" && ui.picking });
    draw();
    scrollTo(0, places[wanted]);
  }

  function stepper({ now, level }) {
    const items = [...now.criteria.map(({ id, name }) => ({ name: id, text: name, done: level(id) !== undefined })), { name: OVERALL, text: "Overall" }];
    return h("div", { class: "stepper" }, steps(items.map(item => ({ ...item, here: item.name === ui.step, onclick: () => goTo(item.name) }))));
  }

  function goTo(step) {
    Object.assign(ui, { step, side: "write", picking: false });
    places = { read: places.read, write: 0 };
    draw();
    const title = el.querySelector("#step-title");
    title.focus({ preventScroll: true });
    if (title.getBoundingClientRect().top < 0) el.querySelector(".stepper").scrollIntoView();
    if (step === OVERALL) link.act({ type: "look" }); // the course says which grades these levels speak for
  }

  function postPart(here) {
    const { now, draft, said, criterion } = here;
    const pick = draft.locked ? null : text => {
      const before = said.quotes?.[criterion.id] ?? "";
      const put = words => { here.set("quotes", criterion.id, words); draw(); };
      const tapped = ui.picking;
      if (tapped) { ui.picking = false; show("write"); }
      put(text);
      toast({ text: `Kept as evidence for ${criterion.name}.`, undo: () => put(before) });
      if (tapped) el.querySelector(`[data-testid="choose-${CSS.escape(criterion.id)}"]`)?.focus({ preventScroll: true });
    };
    return h("div", { class: ui.side === "read" ? "stack-l" : "stack-l desk" },
      ui.picking ? note("neutral", h("p", null, `Tap the sentence that your level for ${criterion.name} rests on.`), h("div", { class: "row wrap" },
        h("button", { class: "btn s", type: "button", onclick: () => listSentences(here, pick) }, "Show a list"),
        h("button", { class: "btn s q", type: "button", onclick: () => show("write") }, "Back to the form"))) : null,
      now.posts.map(post => reading({ label: "Your post", title: now.posts.length > 1 ? post.title : null, html: post.html, quote: said.quotes?.[criterion.id], onpick: pick, picking: ui.picking,
        foot: `${post.words}. Select a sentence to use it as evidence.` })));
  }

  const listSentences = ({ now, criterion }, onpick) => sentenceDialog({ title: `Choose a sentence for ${criterion.name}`, html: now.posts.map(post => post.html).join(""), onpick });

  function criterionPart(here) {
    const { now, draft, said, criterion, level, set } = here, { id, name } = criterion, at = now.criteria.indexOf(criterion);
    const before = now.criteria[at - 1], after = now.criteria[at + 1] ?? { id: OVERALL, name: "Overall" }, readonly = Boolean(draft.locked);
    const choose = () => {
      if (narrow.matches) { ui.picking = true; show("read"); } else listSentences(here, text => { set("quotes", id, text); draw(); });
    };
    return h("div", { class: "stack-l" },
      h("div", null, h("h2", { id: "step-title", tabIndex: -1 }, name), h("p", { class: "mu ask" }, criterion.question ? `${criterion.question} ` : "", "Choose the level that fits best today.")),
      levels({ criterion: id, name, levels: criterion.levels, value: level(id), readonly,
        onchange: value => { set("levels", id, value); el.querySelector(".stepper").replaceWith(stepper({ now, level: each => draft.content.levels?.[each] })); } }),
      quote({ criterion: id, name, text: said.quotes?.[id], onchoose: readonly ? null : choose, onclear: () => { set("quotes", id, ""); draw(); } }),
      field({ name: `note-${id}`, label: "Why this level?", value: said.notes?.[id], rows: 3, readonly, oninput: text => set("notes", id, text) }),
      h("div", { class: "row sp" }, before ? h("button", { class: "btn q", type: "button", onclick: () => goTo(before.id), testid: "step-back" }, icon("left"), before.name) : h("span"),
        h("button", { class: "btn p", type: "button", onclick: () => goTo(after.id), testid: "step-next" }, `Next: ${after.name}`, icon("right"))));
  }

  function soFar({ now, level }) {
    return h("section", { "aria-labelledby": "so-far" }, h("h2", { id: "so-far" }, "Your levels so far"), h("p", { class: "mu so-far" }, "You can go back to any of them until you submit."),
      h("div", { class: "levels-so-far" }, table({ caption: "Your levels so far", columns: [{ name: "criterion", text: "Criterion" }, { name: "level", text: "Level" }, { name: "change", text: h("span", { class: "vh" }, "Change"), number: true }],
        rows: now.criteria.map(({ id, name, levels: names }) => ({ head: 0, cells: [h("span", { class: "row" }, voice(level(id) === undefined ? "none" : "self"), h("span", { class: "st" }, name)),
          names[level(id)]?.name ?? h("span", { class: "qt" }, "Not yet"),
          h("a", { href: `#${id}`, class: "sm", onclick: event => { event.preventDefault(); goTo(id); } }, level(id) === undefined ? "Choose" : "Change", h("span", { class: "vh" }, ` ${name}`))] })) })));
  }

  function overallPart({ now, draft, said }) {
    const last = now.criteria.at(-1), readonly = Boolean(draft.locked);
    return h("div", { class: "stack-l" }, h("div", null, h("h2", { id: "step-title", tabIndex: -1 }, "Overall")),
      field({ name: "strengths", label: "Strengths", hint: "Two or three things that this submission does well.", value: said.strengths, readonly, oninput: strengths => draft.set({ strengths }) }),
      field({ name: "improvements", label: "Opportunities for improvement", hint: "What you would do with another week.", value: said.improvements, readonly, oninput: improvements => draft.set({ improvements }) }),
      gradeField({ value: said.grade, scale: now.scale, readonly, hint: `${now.suggestion} Propose what you can argue for.`.trim(), oninput: grade => draft.set({ grade }) }),
      note("neutral", now.after),
      h("div", { class: "row sp" }, h("button", { class: "btn q", type: "button", onclick: () => goTo(last.id), testid: "step-back" }, icon("left"), last.name),
        h("button", { class: "btn p", type: "button", testid: "submit", onclick: () => submitDialog(now, draft) }, "Review and submit")));
  }

  // What is missing is said where it is missing.
  function point({ message, field: name }) {
    const criterion = name?.match(/^(?:level|note)-(.+)$/)?.[1];
    if (criterion && ui.step !== criterion) goTo(criterion);
    else if (!criterion && ui.step !== OVERALL) goTo(OVERALL);
    if (!complain(el, name, message)) toast({ text: message });
  }

  function missing(now, said) {
    const open = now.criteria.find(({ id }) => said.levels?.[id] === undefined);
    if (open) return { field: `level-${open.id}`, message: `Choose a level for ${open.name}.` };
    if (!said.strengths?.trim()) return { field: "strengths", message: "Write at least one strength before you submit." };
    if (!said.improvements?.trim()) return { field: "improvements", message: "Write at least one opportunity for improvement before you submit." };
    return now.scale.kind !== "levels" && !said.grade ? { field: "grade", message: "Propose a grade before you submit." } : null;
  }

  function submitDialog(now, draft) {
    if (draft.locked) return void toast({ text: "This draft is open in another window. Submit it there." });
    const said = draft.content, gap = missing(now, said);
    if (gap) return point(gap);
    const request = random();
    const judgements = now.criteria.map(({ id }) => ({ criterion: id, level: said.levels[id], note: said.notes?.[id] ?? "", quote: said.quotes?.[id] ?? "" }));
    const asked = dialog({ title: "Submit your self-evaluation?", text: now.after, confirm: "Submit", cancel: "Keep writing", onconfirm: async () => {
      const reply = await speak({ type: "submit", request, submission: now.submission, seen: now.seen, judgements, strengths: said.strengths, improvements: said.improvements, grade: said.grade ?? "" });
      if (reply.ok) { link.forget(now.draft.form); link.status.readOnly("Read-only since you submitted"); }
      else if (reply.error.field) { asked.close(); point(reply.error); return { ok: true }; }
      return reply;
    } }, h("ul", { class: "summary" }, now.criteria.map(({ id, name, levels: names }) => h("li", { class: "row sp" }, h("span", { class: "row" }, voice("self"), name), h("span", { class: "st" }, names[said.levels[id]].name))),
      said.grade ? h("li", { class: "row sp" }, h("span", { class: "row" }, voice("self"), "Proposed grade"), h("span", { class: "st" }, said.grade)) : null));
  }

  async function speak(event) {
    ui.sending = true;
    try { return await link.act(event); } finally { ui.sending = false; }
  }

  // -- the dialogue --------------------------------------------------------------------------------------------------

  function drawDialogue(now) {
    const { kind, dissent, ask } = now.card, open = now.turns.filter(turn => turn.answer), first = open.find(turn => !turn.optional);
    const draft = open.length || kind === "reply" || dissent || ask ? link.draft(now.draft, { onchange: draw }) : null;
    if (draft) ui.talk = { submission: now.submission, draft };
    const talks = h("section", { "aria-labelledby": "dialogue-title" }, h("h2", { id: "dialogue-title" }, "Dialogue"),
      timeline(now.turns.map(turn => turnItem(turn, turn.answer ? answerForm(now, draft, turn, turn === first) : null))),
      h("details", { class: "frozen", id: "frozen" }, h("summary", { class: "sm mu" }, "Read what was frozen"), now.posts.map(post => reading({ label: "Your post", title: post.title, html: post.html })), now.masked ? h("p", { class: "sm" }, previewButton(link, () => ({ submission: now.submission }))) : null));
    const plot = now.plot ? h("div", { class: "card" }, h("h2", { class: "h3" }, "Level by level"), levelPlot(now.plot)) : null;
    const stands = (...children) => h("aside", { class: "stack", "aria-label": "Where it stands" }, children);
    // On a phone the next step comes before the long dialogue, in the reading order too.
    const parts = narrow.matches ? [stands(card(now, draft)), talks, plot] : [talks, stands(card(now, draft), plot)];
    return { lede: [now.status, " ", back()], parts: [now.way.length ? track(now.way) : null, draft?.notice(), unsent(now), anewNote(now), changedNote(now), h("div", { class: "two rail" }, parts)] };
  }

  const turnItem = (turn, form = null) => ({ ...turn, title: titled(turn), time: turn.when, body: [
    turn.old ? h("details", { id: `old-${turn.id}` }, h("summary", { class: "sm mu" }, "Show what was superseded"), h("div", { class: "stack unfolded" }, turnBody(turn))) : turnBody(turn), form] });

  // What was being written here when its time was over, and stands nowhere in the dialogue.
  function unsent(now) {
    if (ui.sending) return null;
    const written = where => where?.submission === now.submission && !where.draft.over ? where.draft.content : {};
    const own = written(ui.own), { answers = {}, reply = {} } = written(ui.talk), told = JSON.stringify(now.turns);
    const late = turn => turn.kind === "review" && !turn.answer;
    return keptTexts("The dialogue went on while you were writing.", [
      ...Object.entries(own.notes ?? {}).map(([id, text]) => ({ name: `note-${id}`, label: "Why this level?", text })),
      { name: "strengths", label: "Strengths", text: own.strengths }, { name: "improvements", label: "Opportunities for improvement", text: own.improvements },
      ...now.turns.filter(late).map(turn => ({ id: `answer-${turn.id}`, name: "answer", label: `Your answer to ${turn.name}`, text: answers[turn.id]?.text })),
      now.card.kind === "reply" ? {} : { id: "reply", name: "reply", label: "Your reply", text: reply.text },
    ].filter(({ text }) => text && !told.includes(JSON.stringify(text).slice(1, -1))));
  }

  function turnBody(turn) {
    const more = turn.judgements?.length ? judged(turn.judgements, turn.voice) : null;
    const texts = labelledTexts(turn.texts ?? []);
    const text = turn.text ? paragraphs(turn.text) : null;
    if (turn.kind === "self-evaluation") return [text, h("details", { id: `own-${turn.id}` }, h("summary", { class: "sm" }, "Open your self-evaluation"), h("div", { class: "stack unfolded" }, texts, more))];
    if (turn.kind === "review") return [text, texts, more ? h("details", { id: `levels-${turn.id}` }, h("summary", { class: "sm" }, "Levels and notes"), more) : null];
    return [text, texts, more];
  }

  function answerForm(now, draft, turn, main) {
    const said = () => draft.content.answers?.[turn.id] ?? {};
    const set = patch => draft.set({ answers: { ...draft.content.answers, [turn.id]: { ...said(), ...patch } } });
    const readonly = Boolean(draft.locked);
    const thanks = h("button", { class: "btn s tgl self thanks", type: "button", testid: "rate-thanks", "aria-pressed": Boolean(said().thanks), onclick: event => {
      const on = event.currentTarget.getAttribute("aria-pressed") !== "true";
      event.currentTarget.setAttribute("aria-pressed", on);
      set({ thanks: on });
    } }, icon("heart"), "Send thanks");
    const rate = toggles({ label: "Was this review…", options: now.ratings, pressed: said().rating ?? [], prefix: "rate", onchange: rating => set({ rating }) });
    rate.querySelector("[role=group]").setAttribute("aria-label", `Rate the review by ${turn.name}`);
    rate.querySelector("[role=group]").append(thanks);
    const send = async () => {
      const { text = "", rating = [], thanks: grateful = false, revise = false, changed = "" } = said();
      const request = random(), revised = revise ? proposalOf(now, said()) : null;
      const asked = dialog({ title: `Send your answer to ${turn.name}?`, confirm: "Send answer", cancel: "Keep writing",
        text: `${turn.name[0].toUpperCase()}${turn.name.slice(1)} reads it with your rating${now.masked && turn.voice === "peer" ? " and without your name" : ""}, and it cannot be changed afterwards. It changes nothing about their review.${revised ? ` Your proposal becomes ${revised.grade || "the levels you chose"}.` : ""}`,
        onconfirm: async () => {
          const reply = await speak({ type: "answer", request, submission: now.submission, seen: view().seen, said: { review: turn.id, text, rating, thanks: grateful, revised, changed } });
          if (reply.ok) { const { [turn.id]: _, ...others } = draft.content.answers ?? {}; draft.set({ answers: others }); }
          return reply.error?.field ? pointIn(form, asked, reply.error) : reply;
        } });
    };
    const form = h("div", { class: "stack answering", testid: `answering-${turn.id}` },
      turn.optional ? h("p", { class: "sm mu" }, "You can still answer this review; nothing waits for it.") : null, rate,
      field({ id: `answer-${turn.id}`, name: "answer", label: `Your answer to ${turn.name}`, rows: 2, value: said().text, readonly, oninput: text => set({ text }) }),
      now.can_revise ? revision({ now, id: `revise-${turn.id}`, summary: "This review changes my proposal", open: said().revise, said, set, readonly,
        why: field({ id: `changed-${turn.id}`, name: "changed", label: "What changed your mind?", rows: 2, value: said().changed, readonly, oninput: changed => set({ changed }) }) }) : null,
      h("div", { class: "row" }, h("button", { class: main && now.card.kind !== "reply" ? "btn p" : "btn", type: "button", testid: "send-answer", onclick: send }, "Send answer")));
    return form;
  }

  // A refusal that names a field is said there, and not in the dialog.
  function pointIn(form, asked, { field: name, message }) {
    asked.close();
    if (!complain(form, name, message)) toast({ text: message });
    return { ok: true };
  }

  // A changed proposal: a grade and, where they differ, levels. Unfolding it is what makes it count.
  function revision({ now, id, summary, open, said, set, readonly, why }) {
    const fold = h("details", { class: "revise", testid: "revise", open: Boolean(open) }, h("summary", { class: "sm st" }, summary));
    fold.append(h("div", { class: "stack unfolded" },
      gradeField({ id: `${id}-grade`, testid: "revise-grade", readonly, value: said().grade ?? now.mine.grade, scale: now.scale, label: "New proposed grade", oninput: grade => set({ grade }) }) ?? "",
      h("div", { class: "revise-levels" }, now.criteria.map(({ id: criterion, name, levels: names }) => h("div", { class: "f" }, h("label", { for: `${id}-${criterion}`, class: "sm" }, name),
        h("select", { class: "in", id: `${id}-${criterion}`, testid: `revise-${criterion}`, disabled: readonly, onchange: event => set({ levels: { ...said().levels, [criterion]: Number(event.target.value) } }) },
          names.map((level, index) => h("option", { value: index, selected: index === (said().levels?.[criterion] ?? now.mine.levels[criterion]) }, level.name)))))), why));
    fold.addEventListener("toggle", () => { if (fold.open !== Boolean(said().revise)) set({ revise: fold.open }); });
    return fold;
  }

  const proposalOf = (now, { grade, levels: changed }) => ({ grade: grade ?? now.mine.grade,
    judgements: now.criteria.map(({ id }) => ({ criterion: id, level: changed?.[id] ?? now.mine.levels[id] ?? 0 })) });

  function card(now, draft) {
    const { kind, title, grade, text, accept, word, waits, reason, signatures = [], sign, dissent, ask } = now.card;
    const act = (testid, words, onclick) => h("button", { class: "btn", type: "button", testid, onclick }, words);
    const inside = {
      waiting: () => null,
      out: () => null,
      closed: () => [signatures.map(words => h("p", { class: "row sm" }, icon("check"), words)),
        sign ? act("sign", grade ? `Sign ${grade} too` : "Sign it too", () => signDialog(now)) : null,
        dissent ? act("dissent", "Write a dissent", () => writeDialog(now, draft, DISSENT)) : null,
        ask ? act("ask-to-reopen", "Ask to reopen", () => writeDialog(now, draft, ASK)) : null],
      reply: () => [accept ? h("button", { class: "btn p", type: "button", testid: "accept", onclick: () => acceptDialog(now) }, grade ? `Accept ${grade}` : "Accept these levels") : null,
        accept && !replies(draft) ? h("button", { class: "btn", type: "button", testid: "reply-open", onclick: () => { ui.replying = true; draw(); el.querySelector("#reply").focus(); } }, "Answer with a reason") : replyForm(now, draft),
        accept ? h("p", { class: "sm mu" }, "Accepting ends the discussion. We ask once more before it does.") : null],
    }[kind];
    return h("div", { class: "card decision", testid: `card-${kind}` }, h("h2", { class: "who" }, voice(kind === "waiting" ? "self" : "teach"), title),
      grade ? h("p", { class: "number", testid: "standing-grade" }, grade) : null, reason ? h("div", { class: "reason" }, paragraphs(reason)) : null,
      text ? h("p", { class: "mu sm" }, text) : null, word ? h("p", { class: "sm phone reason" }, word) : null, waits ? h("p", { class: "mu sm", testid: "waits" }, waits) : null, h("div", { class: "acts" }, inside()));
  }

  const replies = draft => ui.replying || Boolean(draft?.content.reply?.text);

  function replyForm(now, draft) {
    const said = () => draft.content.reply ?? {}, readonly = Boolean(draft.locked);
    const set = patch => draft.set({ reply: { ...said(), ...patch } });
    const send = async () => {
      const { text = "", revise = false } = said();
      if (!text.trim()) return void complain(form, "reply", "Write your reason before you send.");
      const request = random(), proposal = revise ? proposalOf(now, said()) : null;
      const asked = dialog({ title: proposal ? `Propose ${proposal.grade || "other levels"} instead?` : "Send your reply?", text: "Your instructor reads it and writes again or accepts. It cannot be changed afterwards.", confirm: "Send reply", cancel: "Keep writing",
        onconfirm: async () => {
          const reply = await speak({ type: "reply", request, submission: now.submission, seen: view().seen, said: { accepts: false, text, proposal } });
          if (reply.ok) { ui.replying = false; draft.set({ reply: {} }); }
          return reply.error?.field ? pointIn(form, asked, reply.error) : reply;
        } });
    };
    const form = h("div", { class: "stack" }, field({ id: "reply", name: "reply", label: "Your reply", hint: "How do you read it, and what in your post makes you read it so?", value: said().text, readonly, oninput: text => set({ text }) }),
      revision({ now, id: "reply", summary: "Propose another grade", open: said().revise, said, set, readonly }),
      h("div", { class: "row wrap" }, h("button", { class: now.card.accept ? "btn" : "btn p", type: "button", testid: "send-reply", onclick: send }, "Send reply")));
    return form;
  }

  function acceptDialog(now) {
    const { grade } = now.card, request = random();
    dialog({ title: grade ? `Accept ${grade} as your grade?` : "Accept these levels?", text: "This ends the discussion of this submission. Your instructor is told and signs it; only your instructor can reopen it, with a reason.",
      confirm: grade ? `Accept ${grade}` : "Accept", cancel: "Keep talking",
      onconfirm: () => link.act({ type: "reply", request, submission: now.submission, seen: view().seen, said: { accepts: true, text: "", proposal: null } }) });
  }

  function signDialog(now) {
    const request = random();
    dialog({ title: "Put your signature beside it?", text: "It says that you have read this dialogue and agree to how it ended. Nothing else changes, and nothing waits for it.", confirm: "Sign", cancel: "Not now",
      onconfirm: () => link.act({ type: "sign", request, submission: now.submission, seen: view().seen }) });
  }

  // A text of its own that stands for ever beside what was decided; it is kept like every draft until it is sent.
  function writeDialog(now, draft, { type, name, label, hint, ...words }) {
    if (draft.locked) return void toast({ text: "This draft is open in another window. Write it there." });
    const request = random();
    dialog({ ...words, onconfirm: async () => {
      const reply = await speak({ type, request, submission: now.submission, seen: view().seen, text: draft.content[name] ?? "" });
      if (reply.ok) draft.set({ [name]: "" });
      return reply;
    } }, field({ name, label, hint, rows: 4, value: draft.content[name] ?? "", oninput: text => draft.set({ [name]: text }) }));
  }

  const news = calmly(draw, signal);
  model.on("change:view", news);
  narrow.addEventListener("change", () => { if (ui.shown?.startsWith("dialogue")) draw(); }, { signal });
  draw();
  return () => model.off("change:view", news);
}

export default { render: renderMyWork };
