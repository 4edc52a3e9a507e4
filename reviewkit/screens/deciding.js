// What is typed in Sign-off's pane and sent from there: accept, discuss, decide, a word without a decision; for an
// assistant the same form is a draft.
import { h, random, icon, busy, dialog, toast, keptTexts, complain, levels, field, gradeField, toggles } from "./lib.js";

const slug = text => text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-");

// `shown` is what the screen keeps between drawings; `act` opens another form in the pane, `takeBack` undoes.
function decidingIn({ link, el, shown, view, draw, act, takeBack }) {
  const draftOf = detail => link.draft(detail.draft, { onchange: draw });

  // What the pane holds now against the author's standing proposal.
  function stance(detail) {
    const said = draftOf(detail).content, grade = said.grade ?? "", chosen = said.levels ?? {};
    const changed = detail.criteria.filter(({ id, self }) => chosen[id] !== undefined && chosen[id] !== self);
    return { said, grade, changed, differs: changed.length > 0 || grade.trim() !== detail.standing };
  }

  const talksIn = detail => detail.acts.includes("accept") || detail.acts.includes("discuss");
  const deciding = detail => detail.acts.includes("decide") && (shown.acting === "decide" || !talksIn(detail));

  function decide(detail) {
    const draft = draftOf(detail), said = draft.content, { scale, recognitions } = view(), alone = shown.acting === "decide", suggests = detail.does === "suggest";
    shown.writing = detail.submission;
    const extra = (said.recognised ?? []).filter(text => !recognitions.includes(text)), words = [...recognitions, ...extra];
    const graded = detail.can_discuss || deciding(detail), button = (testid, kind, text, onclick) => h("button", { class: `btn ${kind}`.trim(), type: "button", testid, onclick }, text);
    return [
      alone ? h("div", null, h("h3", { id: "decide-title", tabIndex: -1 }, "Decide without agreement"), h("p", { class: "sm mu" }, `${detail.name} reads your reason, and can attach a dissent that stays.`)) : null,
      suggests ? h("p", { class: "sm mu", testid: "suggests" }, "An instructor decides. What you write here is saved as your draft; they find it here and send it.") : null,
      draft.notice(),
      graded ? gradeField({ label: "Grade", scale, value: said.grade ?? "", readonly: draft.locked, oninput: grade => { draft.set({ grade }); tell(); } }) : null,
      graded ? h("div", null, h("p", { class: "sm mu", id: "level-words" }),
        h("details", { class: "change", open: shown.levels, ontoggle: ({ target }) => { shown.levels = target.open; } },
          h("summary", { class: "sm", testid: "change-levels" }, "Change levels"),
          h("div", { class: "stack" }, detail.criteria.map(criterion => criterionOf(criterion, draft))))) : null,
      field({ name: "word", label: alone ? "Your reason" : "Your word", value: said.word ?? "", rows: 3, readonly: draft.locked, hint: alone ? `Why you decide, for ${detail.name} to read.` : `To ${detail.name}: what worked, what could be better.`, oninput: word => draft.set({ word }) }),
      alone ? null : h("div", null, toggles({ label: "Recognise", voice: "teach", prefix: "recognise", options: words.map(text => ({ name: slug(text), text })), pressed: (said.recognised ?? []).map(slug),
        onchange: names => draft.set({ recognised: words.filter(text => names.includes(slug(text))) }) }),
      draft.locked ? null : shown.other ? otherField(draft) : h("button", { class: "btn q s", type: "button", testid: "recognise-other", onclick: () => { shown.other = true; draw(); el.querySelector("#recognise-text").focus(); } }, icon("plus"), "Other")),
      suggests ? null : h("div", { class: "deciding" },
        alone ? button("decide-back", "", "Back", () => act(null)) : null,
        !alone && detail.acts.includes("accept") ? button("accept", "", acceptWords(detail), () => askAccept(detail)) : null,
        !alone && detail.can_discuss ? button("discuss", "", "", event => discuss(detail, event.currentTarget)) : null,
        deciding(detail) ? button("decide", "p", "Decide", () => askDecide(detail)) : null,
        !alone && detail.acts.includes("recognise") ? button("recognise", "q s", "Send without a decision", () => askRecognise(detail)) : null),
    ];
  }

  // An assistant's draft becomes what this instructor is typing; what they had typed is asked about first.
  function take(detail, { by, name, content }) {
    const draft = draftOf(detail), over = () => { draft.set({ ...content, used: [...new Set([...(draft.content.used ?? []), by])] }); draw(); return { ok: true }; };
    if (draft.locked) return void toast({ text: "This draft is open in another window." });
    if (!draft.content.word?.trim() || draft.content.word === content.word) return void over();
    dialog({ title: `Use the draft by ${name}?`, text: "It takes the place of what you typed here.", confirm: "Use it", cancel: "Keep mine", onconfirm: over });
  }

  // The dialogue was closed, by this instructor elsewhere or by another one, while a word was being written.
  function written({ submission, draft, turns }) {
    const { reviewing } = shown, { word } = shown.writing === submission ? link.draft(draft).content : {};
    if (shown.acting === "review" && reviewing?.id === submission) return keptTexts("The reviews were revealed while you were writing.", [
      ...Object.entries(reviewing.draft.content.notes ?? {}).map(([id, text]) => ({ name: `note-${id}`, label: "Note to the author", text })),
      ...["strengths", "suggestions"].map(name => ({ name, label: name[0].toUpperCase() + name.slice(1), text: reviewing.draft.content[name] }))]);
    return word && !JSON.stringify(turns).includes(JSON.stringify(word).slice(1, -1)) ? keptTexts("This dialogue was decided meanwhile.", [{ name: "word", label: "Your word", text: word }]) : null;
  }

  const acceptWords = detail => detail.standing ? `Accept ${detail.standing}` : "Accept these levels";

  function criterionOf({ id, name, levels: list, self, peers }, draft) {
    const told = [self === null ? "" : `self ${list[self].name}`, peers.length ? `peers ${[...new Set(peers)].sort((a, b) => a - b).map(level => list[level].name).join(", ")}` : ""].filter(Boolean).join("; ");
    const chosen = draft.content.levels?.[id] ?? self;
    return h("div", null, h("p", { class: "row sp" }, h("span", { class: "st" }, name), h("span", { class: "xs mu" }, told)),
      levels({ criterion: id, name, levels: list, value: chosen, voice: "teach", readonly: draft.locked, onchange: level => { draft.set({ levels: { ...draft.content.levels, [id]: level } }); draw(); } }),
      chosen === self || chosen === undefined || chosen === null ? null : field({ name: `note-${id}`, label: `Why ${list[chosen].name}`, value: draft.content.notes?.[id] ?? "", rows: 2, readonly: draft.locked,
        oninput: value => draft.set({ notes: { ...draft.content.notes, [id]: value } }) }));
  }

  function otherField(draft) {
    const input = h("input", { class: "in", id: "recognise-text", maxlength: 60, testid: "recognise-text", value: shown.words ?? "", oninput: () => { shown.words = input.value; }, onkeydown: event => { if (event.key === "Enter") { event.preventDefault(); add(); } } });
    const add = () => {
      const text = input.value.trim();
      if (text) draft.set({ recognised: [...new Set([...(draft.content.recognised ?? []), text])] });
      Object.assign(shown, { other: false, words: "" });
      draw();
      el.querySelector('[data-testid="recognise-other"]')?.focus();
    };
    return h("div", { class: "f other" }, h("label", { for: "recognise-text" }, "Something else, in two or three words"), h("div", { class: "row" }, input, h("button", { class: "btn", type: "button", testid: "recognise-add", onclick: add }, "Add")));
  }

  // What changes with every key is set in place: the fields around it stay as they are.
  function tell() {
    const detail = view().detail, words = el.querySelector("#level-words"), buttons = el.querySelector(".deciding");
    if (!words && !buttons) return;
    const { grade, changed, said, differs } = stance(detail), [accept, talk, decides] = ["accept", "discuss", "decide"].map(name => buttons?.querySelector(`[data-testid="${name}"]`));
    const moves = changed.map(({ id, name, levels: list }) => `${name} to ${list[said.levels[id]].name}`);
    if (words) words.textContent = !detail.proposed ? "There are no proposed levels yet." : moves.length ? `${moves.join(", ")}${moves.length < detail.criteria.length ? ", the rest as proposed" : ""}.` : "All levels as proposed.";
    accept?.classList.toggle("p", !differs || !talk);
    talk?.classList.toggle("p", differs || !accept);
    if (decides) decides.textContent = grade && view().scale.kind !== "levels" ? `Decide ${grade}` : "Decide these levels";
    if (talk) talk.textContent = !differs ? "Discuss" : grade && view().scale.kind !== "levels" ? `Discuss at ${grade}` : "Discuss these levels";
  }

  function askAccept(detail) {
    const signing = detail.does === "sign", grade = signing ? detail.agreed : detail.standing, { said, differs } = signing ? { said: {} } : stance(detail);
    const request = random(), confirm = signing ? `Sign${grade ? ` at ${grade}` : ""}` : acceptWords(detail);
    dialog({ title: `${confirm} for ${detail.name}?`, confirm, cancel: signing ? "Not yet" : "Keep talking",
      text: signing ? "Your signature closes the dialogue." : `The proposal that stands is agreed, and you sign it. This closes the dialogue, and ${detail.name} sees it.${differs && detail.can_discuss ? " What you changed in the pane is not used." : ""}`,
      onconfirm: async () => {
        const reply = await link.act({ type: "accept", request, submission: detail.submission, seen: detail.seen, grade, word: said.word ?? "", recognised: said.recognised ?? [], used: said.used ?? [] });
        if (reply.ok) {
          draw();
          toast({ text: `${signing ? "Signing" : "Accepting"}${grade ? ` ${grade}` : ""} for ${detail.name}.`, undo: () => takeBack(reply.acts) });
        }
        return reply;
      } });
  }

  // A decision asks once more; what it says is typed in the pane, and kept there until it is sent.
  function askDecide(detail) {
    const { said, grade } = stance(detail), { kind } = view().scale, levelOf = ({ id, self }) => said.levels?.[id] ?? self ?? undefined;
    if (draftOf(detail).locked) return;
    if (kind !== "levels" && !grade.trim()) return void complain(el, "grade", "State the grade that you decide.");
    if (!said.word?.trim()) return void complain(el, "word", "Write why you decide without agreement before you send.");
    const whole = detail.criteria.every(each => levelOf(each) !== undefined);
    const judgements = whole ? detail.criteria.map(each => ({ criterion: each.id, level: levelOf(each), note: said.notes?.[each.id] ?? "", quote: "" })) : [];
    confirmed(detail, { type: "decide", grade: kind === "levels" ? "" : grade, word: said.word, judgements, used: said.used ?? [] }, `Decided for ${detail.name}.`, {
      title: `Decide ${kind === "levels" ? "these levels" : grade} for ${detail.name} without agreement?`, confirm: kind === "levels" ? "Decide" : `Decide ${grade}`, cancel: "Keep talking",
      text: `Your reason stands in the record, and ${detail.name} can attach a dissent that stays. Your signature closes the dialogue afterwards.` });
  }

  function askRecognise(detail) {
    const draft = draftOf(detail), { said } = stance(detail);
    if (draft.locked) return;
    if (!said.word?.trim() && !said.recognised?.length) return void complain(el, "word", "Write what worked or what could be better before you send.");
    confirmed(detail, () => ({ type: "recognise", word: said.word ?? "", recognised: said.recognised ?? [], suggestions: draft.content.suggestions ?? "", used: said.used ?? [] }), `Sent to ${detail.name}.`, {
      title: `Send this to ${detail.name} without a decision?`, text: "The proposal stays as it is, and the dialogue goes on.", confirm: "Send it", cancel: "Keep writing" },
    field({ name: "suggestions", label: "Suggestions, if you like", hint: "What could be better next time.", rows: 2, value: draft.content.suggestions ?? "", oninput: suggestions => draft.set({ suggestions }) }));
  }

  function confirmed(detail, event, told, words, ...children) {
    const request = random();
    const asked = dialog({ ...words, onconfirm: async () => {
      const reply = await link.act({ request, submission: detail.submission, seen: detail.seen, ...(typeof event === "function" ? event() : event) });
      if (reply.ok) done(detail, told);
      else if (reply.error.field && el.querySelector(`[data-field="${CSS.escape(reply.error.field)}"]`)) { asked.close(); complain(el, reply.error.field, reply.error.message); return { ok: true }; }
      return reply;
    } }, children);
  }

  async function discuss(detail, button) {
    const { said, grade, differs, changed } = stance(detail), { kind } = view().scale;
    if (draftOf(detail).locked) return;
    if (kind !== "levels" && differs && !grade) return void complain(el, "grade", "State the grade that you see.");
    if (!said.word?.trim()) return void complain(el, "word", `Write a sentence to ${detail.name} before you send.`);
    const moved = new Set(changed.map(({ id }) => id)), levelOf = ({ id, self }) => said.levels?.[id] ?? self;
    const judgements = differs ? detail.criteria.filter(each => levelOf(each) !== null).map(each => ({ criterion: each.id, level: levelOf(each), note: moved.has(each.id) ? said.notes?.[each.id] ?? "" : "", quote: "" })) : [];
    await busy(button, async () => {
      const event = { type: "discuss", submission: detail.submission, grade: differs ? grade : "", word: said.word, recognised: said.recognised ?? [], judgements, used: said.used ?? [] }, words = JSON.stringify(event);
      // Pressed again because no answer came, it is the same request as long as it says the same.
      if (shown.asked?.words !== words) shown.asked = { words, request: random(), seen: detail.seen };
      const reply = await link.act({ ...event, request: shown.asked.request, seen: shown.asked.seen });
      if (reply.ok || !reply.late) shown.asked = null;
      if (reply.ok) return void done(detail, `Sent to ${detail.name}.`);
      if (complain(el, reply.error.field, reply.error.message)) return;
      shown.problem = reply.error.message;
      draw();
    });
  }

  function done(detail, text) {
    link.forget(detail.draft.form);
    Object.assign(shown, { writing: null, problem: null, levels: false, other: false, acting: null });
    draw();
    toast({ text });
  }

  return { decide, take, written, tell, askAccept };
}

export { decidingIn, slug };
