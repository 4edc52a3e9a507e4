// Reviews to give: the queue, a masked submission beside its rubric, and what the reviewer says of it.
import { h, random, icon, busy, voice, connect, page, queueItem, note, empty, seg, levels, quote, field, dialog, toast, redraw, calmly, keptTexts, complain, reading, sentenceDialog, judged, labelledTexts } from "./lib.js";

const TAGS = { new: { kind: "out" }, begun: {}, sent: { kind: "ok", icon: "check" }, changed: {}, closed: {}, needless: {}, locked: { kind: "out" } };
const AMOUNTS = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"];
const onPhone = () => matchMedia("(max-width: 47.5rem)").matches;

function renderReviews({ model, el, signal }) {
  const link = connect(model);
  const places = new Map(); // where the reviewer is in each review; what they type stands in its draft
  const view = () => model.get("view");
  let unfolded = false; // on a phone the queue shows the chosen review alone until it is asked for the others

  function placeIn(duty) {
    if (!places.has(duty.id)) {
      const first = duty.criteria.find(({ id }) => duty.draft?.content.levels?.[id] === undefined) ?? duty.criteria[0];
      places.set(duty.id, { at: first.id, open: new Set([first.id]), side: duty.state === "new" ? "read" : "write", picking: false, changing: false });
    }
    return places.get(duty.id);
  }

  const open = id => { unfolded = false; return link.act({ type: "open", id, params: { open: id } }); };

  function draw() {
    history.replaceState(null, "", `?${new URLSearchParams(view().params)}`);
    const { frame: about, title, lede, blind, queue, duty, offers, locked, empty: nothing } = view();
    const head = duty?.pseudonym ? [lede, duty.closed ? " To this author you were " : " To this author you are ", h("strong", { class: "st ink" }, duty.pseudonym), ". ", blind] : [lede, " ", blind];
    const parts = duty ? partsOf(duty) : null;
    redraw(el, page({ name: "reviews", frame: about, title, lede: head, status: link.status.el, as: "peer" },
      nothing ? empty(nothing) : null,
      queue.length ? queueOf(queue) : null,
      offers.map(offered),
      locked ? note("neutral", h("p", null, locked, " ", h("a", { href: "/my-work" }, "Go to My work"))) : null,
      parts ? besideEachOther(parts) : null), duty?.id);
    if (parts) tell(parts);
  }

  function queueOf(queue) {
    const at = queue.findIndex(({ here }) => here), folded = at >= 0 && queue.length > 1;
    return [
      folded ? h("div", { class: "phone row sp queue-place" }, h("p", { class: "sm mu" }, `Review ${at + 1} of ${queue.length}`),
        h("button", { class: "btn s", type: "button", testid: "all-reviews", "aria-expanded": String(unfolded), "aria-controls": "queue", onclick: () => { unfolded = !unfolded; draw(); } },
          unfolded ? "Show this one alone" : "Show all")) : null,
      h("ul", { id: "queue", class: folded && !unfolded ? "queue folded" : "queue", "aria-label": "Your reviews" }, queue.map(card => queueItem({
        id: card.id, title: card.title, due: card.when, share: card.share, here: card.here, tag: { ...TAGS[card.state], text: card.word },
        onclick: () => open(card.id) }))),
    ];
  }

  // Everything that this person owes is sent, and somebody else's submission lacks a review.
  function offered({ assignment, seen, text }) {
    const take = h("button", { class: "btn s", type: "button", testid: `take-more-${assignment}`, onclick: () => busy(take, async () => {
      const reply = await link.act({ type: "take-more", assignment, seen });
      toast({ text: reply.ok ? "Thank you. It is the one shown now." : reply.error.message });
    }) }, "Take one more review");
    return h("div", { class: "offer" }, note("neutral", h("p", null, text), take));
  }

  function partsOf(duty) {
    const place = placeIn(duty), writing = !duty.closed && !duty.needless && (duty.state !== "sent" || place.changing);
    if (!writing) link.status.clear();
    if (writing) place.begun = true;
    return { duty, place, writing, draft: writing ? link.draft(duty.draft, { onchange: draw }) : null };
  }

  function besideEachOther(parts) {
    const { duty, place, writing } = parts;
    return h("div", { class: "two" },
      seg({ label: "Show", class: "phone sides", value: place.side, prefix: "side", options: [{ value: "read", text: "Read the post" }, { value: "write", text: "Review" }],
        onchange: side => { Object.assign(place, { side, picking: false }); draw(); } }),
      h("div", { id: "posts", class: place.side === "read" ? "stack-l" : "stack-l desk" }, postsOf(parts)),
      h("section", { class: place.side === "write" ? null : "desk", "aria-labelledby": "your-review" },
        h("h2", { id: "your-review", class: writing ? "vh" : null, tabIndex: -1 }, "Your review"),
        writing ? form(parts) : finished(parts)));
  }

  // -- reading and choosing sentences

  function postsOf({ duty, place, draft }) {
    const picking = place.picking && duty.criteria.find(({ id }) => id === place.at);
    return [
      picking ? note("neutral", h("p", null, `Tap the sentence that your level for ${picking.name} is about.`),
        h("button", { class: "btn s", type: "button", onclick: () => { Object.assign(place, { picking: false, side: "write" }); draw(); } }, "Cancel")) : null,
      ...duty.posts.map(post => reading({
        label: "The submission", title: post.title, html: post.html, quote: draft?.content.quotes?.[place.at], voice: "peer", picking: place.picking,
        onpick: draft && !draft.locked ? text => choose(duty, place, draft, text) : null })),
      duty.masked ? h("p", { class: "sm mu row masked" }, icon("eye"), duty.masked) : null,
      duty.passes ? h("button", { class: "btn q s known", type: "button", testid: "pass-on", onclick: () => passOn(duty) }, "I think I know who wrote this") : null,
    ].filter(Boolean);
  }

  function passOn(duty) {
    dialog({
      title: "Review another submission instead?",
      text: `You get another submission and this one does not come back. What you typed for it is put away. Nobody asks whom you had in mind. You can do this ${duty.passes === 1 ? "once more" : `${AMOUNTS[duty.passes].toLowerCase()} more times`} in this round.`,
      confirm: "Give me another", cancel: "Keep this one",
      onconfirm: async () => {
        const reply = await link.act({ type: "pass-on", id: duty.id });
        if (!reply.ok) return reply;
        link.forget(duty.draft.form);
        toast({ text: "Here is another submission." });
        setTimeout(() => el.querySelector("#your-review")?.focus());
        return reply;
      },
    });
  }

  function choose(duty, place, draft, text) {
    const { id, name } = duty.criteria.find(each => each.id === place.at);
    draft.set({ quotes: { ...draft.content.quotes, [id]: text } });
    place.open.add(id);
    if (place.picking) Object.assign(place, { picking: false, side: "write" });
    draw();
    toast({ text: `Sentence kept for ${name}.` });
    if (onPhone()) el.querySelector(`[data-testid="choose-${CSS.escape(id)}"]`)?.focus();
  }

  function offer(parts, criterion) {
    const { duty, place, draft } = parts;
    place.at = criterion.id;
    if (onPhone()) {
      Object.assign(place, { picking: true, side: "read" });
      return draw();
    }
    return sentenceDialog({ title: `Choose a sentence for ${criterion.name}`, html: duty.posts.map(post => post.html).join(""),
      onpick: text => choose(duty, place, draft, text) });
  }

  // -- writing

  function form(parts) {
    const { duty, draft } = parts;
    const text = (name, label, hint, placeholder) => field({ name, label, hint, placeholder, value: draft.content[name] ?? "", readonly: draft.locked,
      oninput: value => { draft.set({ [name]: value }); tell(parts); } });
    return [
      draft.notice(),
      duty.sent_on ? note("neutral", h("p", null, `You sent a review on ${duty.sent_on}. It stays as it was until you send this one.`),
        h("button", { class: "btn s", type: "button", testid: "keep-sent", onclick: () => keepSent(duty) }, "Keep the one I sent")) : null,
      h("div", { class: "acc" }, duty.criteria.map(criterion => accordion(parts, criterion))),
      h("div", { class: "stack overall" },
        text("strengths", "Strengths", "What does this submission do well?"),
        text("suggestions", "Suggestions", "One or two things the author can act on.", "For example: which paragraph would you move, and why?"),
        h("div", { class: "row sp wrap" }, h("p", { class: "sm mu", id: "still-open" }),
          h("button", { class: "btn p", type: "button", testid: "send-review", onclick: () => send(parts) }, "Review and send"))),
    ];
  }

  function accordion(parts, criterion) {
    const { place, draft } = parts, { id, name, question } = criterion, said = draft.content;
    return h("details", { open: place.open.has(id), testid: `criterion-${id}`, ontoggle: ({ target }) => {
      if (target.open === place.open.has(id)) return;
      if (!target.open) return void place.open.delete(id);
      place.open.add(id);
      place.at = id;
      mark(parts);
    }, onfocusin: () => { if (place.at !== id && place.open.has(id)) { place.at = id; mark(parts); } } },
    h("summary", { id: `summary-${id}` }, h("span", { class: "row" }, h("span", { class: "v none", "aria-hidden": "true" }), h("span", { class: "st" }, name)), h("span", { class: "word" })),
    h("div", { class: "stack criterion" },
      question ? h("p", { class: "mu" }, question) : null,
      levels({ criterion: id, name, levels: criterion.levels, value: said.levels?.[id], voice: "peer", readonly: draft.locked,
        onchange: level => { draft.set({ levels: { ...draft.content.levels, [id]: level } }); tell(parts); } }),
      quote({ criterion: id, name, text: said.quotes?.[id], voice: "peer", label: "Sentence you are talking about",
        onchoose: draft.locked ? null : () => offer(parts, criterion),
        onclear: () => { draft.set({ quotes: { ...draft.content.quotes, [id]: "" } }); draw(); } }),
      field({ name: `note-${id}`, label: "Note to the author", value: said.notes?.[id] ?? "", rows: 2, readonly: draft.locked,
        oninput: value => { draft.set({ notes: { ...draft.content.notes, [id]: value } }); tell(parts); } })));
  }

  // What changes with every key and choice is set in place: the fields around it stay as they are.
  function tell({ duty, draft }) {
    if (!draft) return;
    const said = draft.content;
    el.querySelector("#still-open").textContent = stillOpen(duty, said);
    for (const { id, levels: list } of duty.criteria) {
      const summary = el.querySelector(`#summary-${CSS.escape(id)}`), word = summary.querySelector(".word");
      const chosen = list[said.levels?.[id]]?.name;
      word.textContent = chosen ? chosen + (said.notes?.[id] ? ", with a note" : "") : "Not yet";
      word.className = chosen ? "word mu sm" : "word qt sm";
      summary.querySelector(".v").className = chosen ? "v peer" : "v none";
    }
  }

  const mark = parts => el.querySelector("#posts").replaceChildren(...postsOf(parts));

  async function keepSent(duty) {
    const reply = await link.act({ type: "keep-sent", id: duty.id });
    if (!reply.ok) return void toast({ text: reply.error.message });
    link.forget(duty.draft.form);
    placeIn(duty).changing = false;
    draw();
  }

  // -- sending

  function send(parts) {
    const { duty, place, draft } = parts, said = draft.content;
    if (draft.locked) return void el.querySelector(".note")?.scrollIntoView();
    const [first] = missingIn(duty, said);
    if (first) {
      if (place.side !== "write") { place.side = "write"; draw(); }
      return void complain(el, first.field, first.message);
    }
    const request = random();
    dialog({
      title: `Send your review to ${duty.author}?`,
      text: `${duty.author} reads it when the reviews are revealed${duty.pseudonym ? `, under the name ${duty.pseudonym}` : ""}. You can replace it until then. The instructor can see who wrote a review.`,
      confirm: "Send review", cancel: "Keep writing",
      onconfirm: async () => {
        const reply = await link.act({ type: "send", request, id: duty.id, strengths: said.strengths, suggestions: said.suggestions,
          judgements: duty.criteria.map(({ id }) => ({ criterion: id, level: said.levels[id], note: said.notes?.[id] ?? "", quote: said.quotes?.[id] ?? "" })) });
        if (!reply.ok) return reply;
        link.forget(duty.draft.form);
        Object.assign(place, { changing: false, begun: false });
        draw();
        toast({ text: `Sent to ${duty.author}.` });
        setTimeout(() => el.querySelector("#your-review")?.focus());
        return reply;
      },
    });
  }

  // The reviews were revealed, or this one was no longer needed, while it was being written.
  function written({ draft, criteria, mine, closed }) {
    const { content } = link.draft(draft), sent = new Set([mine?.strengths, mine?.suggestions, ...(mine?.judgements ?? []).map(each => each.note)]);
    return keptTexts(closed ? "The reviews were revealed while you were writing." : "This review is not asked for any more; you were writing it.", [
      ...criteria.map(({ id, name }) => ({ name: `note-${id}`, label: `Note on ${name}`, text: content.notes?.[id] })),
      { name: "strengths", label: "Strengths", text: content.strengths }, { name: "suggestions", label: "Suggestions", text: content.suggestions },
    ].filter(({ text }) => !sent.has(text)));
  }

  // -- after sending

  function finished({ duty, place }) {
    const next = view().queue.find(({ state, id }) => id !== duty.id && (state === "new" || state === "begun"));
    return h("div", { class: "stack finished" }, (duty.closed || duty.needless) && place.begun ? written(duty) : null,
      duty.needless && !duty.closed
        ? note("neutral", `This review is not asked for any more.${duty.mine ? " Yours is kept, and counts as given." : ""}`)
        : duty.closed
        ? note("neutral", duty.mine ? "The reviews of this submission are revealed, so yours can no longer be changed." : "The reviews of this submission are revealed; this one was not sent.")
        : note("ok", h("p", null, `Sent on ${duty.sent_on}. ${duty.author} reads it when the reviews are revealed. You can replace it until then.`)),
      duty.closed || duty.needless ? null : h("div", { class: "row wrap" },
        next ? h("button", { class: "btn p", type: "button", testid: "next-review", onclick: async () => { await open(next.id); el.querySelector("#your-review")?.focus(); } }, `Next: ${next.title}`) : null,
        h("button", { class: "btn", type: "button", testid: "change-review", onclick: () => { place.changing = true; draw(); el.querySelector("#your-review").focus(); } }, "Change this review")),
      duty.mine ? evaluation(duty.mine, duty.closed ? "You" : null) : null,
      duty.answers.map(answer => h("div", { class: "card t", testid: "answer" },
        h("p", { class: "row sp" }, h("span", { class: "who" }, voice("self"), `${answer.name} answered you`), h("span", { class: "sm mu" }, answer.when)),
        h("div", { class: "stack" }, labelledTexts([{ label: "Answer", text: answer.text }, { label: "Found your review", text: answer.rating.join(", ") }]),
          answer.thanks ? h("p", { class: "row" }, icon("heart"), "Thanks you for this review") : null))),
      duty.others.length ? h("h3", null, "Other reviews of this submission") : null,
      duty.others.map(other => evaluation(other, other.name)));
  }

  function evaluation(said, name) {
    return h("div", { class: "card t", testid: name === null || name === "You" ? "my-review" : "other-review" },
      name ? h("p", { class: "row sp" }, h("span", { class: "who" }, voice("peer"), name), h("span", { class: "sm mu" }, said.late ? `${said.when}, late` : said.when)) : null,
      judged(said.judgements, "peer"),
      h("div", { class: "stack" }, labelledTexts([{ label: "Strengths", text: said.strengths }, { label: "Suggestions", text: said.suggestions }])));
  }

  const news = calmly(draw, signal);
  model.on("change:view", news);
  signal?.addEventListener("abort", () => model.off("change:view", news));
  draw();
}

// What a review still needs, in reading order: [{field, message, what}].
function missingIn(duty, said) {
  const lacks = duty.criteria.filter(({ id }) => said.levels?.[id] === undefined)
    .map(({ id, name }) => ({ field: `level-${id}`, message: `Choose a level for ${name} before you send.`, what: "level" }));
  for (const [name, one] of [["strengths", "strength"], ["suggestions", "suggestion"]]) {
    if (!said[name]?.trim()) lacks.push({ field: name, message: `Write at least one ${one} before you send.`, what: `your ${name}` });
  }
  return lacks;
}

function stillOpen(duty, said) {
  const lacks = missingIn(duty, said), criteria = lacks.filter(({ what }) => what === "level").length;
  const texts = lacks.filter(({ what }) => what !== "level").map(({ what }) => what);
  const parts = [criteria ? `${AMOUNTS[criteria] ?? criteria} ${criteria === 1 ? "criterion" : "criteria"}` : "", ...texts].filter(Boolean);
  if (!parts.length) return "Everything is there.";
  const words = parts.length > 1 ? `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}` : parts[0];
  return `${words[0].toUpperCase()}${words.slice(1)} ${criteria + texts.length === 1 && criteria ? "is" : "are"} still open.`;
}

export default { render: renderReviews };
