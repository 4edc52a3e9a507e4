// What stands in Sign-off's pane beside the talk: how it ended, the rarer acts ("More"), and the instructor's own review.
import { h, random, icon, voice, dialog, toast, complain, levels, levelPlot, quote, field, paragraphs, sentenceDialog } from "./lib.js";

const LISTED_AT_MOST = 6; // more choices than these stand in a list that unfolds

// The author's wish to reopen, which stands out; `reopen` is the entry of the menu that meets it.
const wishPart = ({ wish, more }, ask) => wish ? h("div", { class: "card t wish", testid: "wish" }, h("h3", { class: "who" }, voice("self"), `${wish.name} asks to reopen this`), paragraphs(wish.text),
  more.filter(({ act }) => act === "reopen").map(about => h("button", { class: "btn s", type: "button", testid: "wish-reopen", onclick: () => ask(about) }, "Reopen"))) : null;

// A decision without agreement, and the author's dissent beside it.
const decisionPart = ({ decision }) => decision ? h("div", { class: "decided", testid: "decision" }, h("h3", { class: "who" }, voice("teach"), decision.name), paragraphs(decision.text),
  decision.dissent.text ? [h("h3", { class: "who" }, voice("self"), `Dissent of ${decision.dissent.name}`), paragraphs(decision.dissent.text)] : null) : null;

const signaturesPart = ({ signatures }) => signatures.length ? h("div", { testid: "signatures" }, signatures.map(words => h("p", { class: "row sm signed" }, icon("check"), words))) : null;

const levelsPart = ({ levels: told }, shown) => told ? h("details", { class: "level-by-level", open: shown.plot, ontoggle: ({ target }) => { shown.plot = target.open; } },
  h("summary", { class: "sm", testid: "level-by-level" }, "Level by level"), levelPlot(told)) : null;

// An acceptance that rests before it is written, or that was refused when its time had come.
function restingPart(act, { does }, takeBack) {
  const button = (testid, text) => h("button", { class: "btn s", type: "button", testid, onclick: () => takeBack([act.id]) }, text);
  if (act.refused) return h("div", { class: "card stack", testid: "refused" }, h("p", null, h("b", null, "This was not accepted."), " ", act.refused, " What you wrote is kept."), button("put-away", "I have seen this"));
  return h("div", { class: "card t stack", testid: "resting" }, h("p", null, `${does === "sign" ? "Signing" : "Accepting"}${act.grade ? ` ${act.grade}` : ""} `, h("span", { class: "left", dataset: { due: act.due } }, leftOf(act.due)), "."), button("take-back", "Undo"));
}

// The browser's clock may be wrong; the server's ten seconds are not more than ten.
const leftOf = due => { const left = Math.min(10, Math.ceil((Date.parse(due) - Date.now()) / 1000)); return left > 0 ? `in ${left} s` : "now"; };
const countDown = el => el.querySelectorAll(".left[data-due]").forEach(each => { const words = leftOf(each.dataset.due); if (each.textContent !== words) each.textContent = words; });

// The menu of what can be done besides: entries as `more.py` words them, and what opens a form in the pane.
function moreMenu(detail, shown, { ask, act }) {
  const item = (name, text, onclick) => h("li", null, h("button", { class: "btn q s", type: "button", testid: `more-${name}`, onclick }, text));
  const talks = ["accept", "discuss"].some(name => detail.acts?.includes(name)); // otherwise the pane itself offers to decide
  const items = [
    detail.own_review ? item("own-review", detail.own_review.sent ? "Change your own review" : "Write a review of your own", () => act("review")) : null,
    talks && detail.acts.includes("decide") ? item("decide", "Decide without agreement", () => act("decide")) : null,
    ...detail.more.map(about => item(about.act, about.text, () => ask(about))),
  ].filter(Boolean);
  if (!items.length) return null;
  return h("details", { class: "more", open: shown.more, ontoggle: ({ target }) => { shown.more = target.open; } },
    h("summary", { class: "btn s", testid: "more" }, "More", icon("down")), h("ul", null, items));
}

// One entry of the menu, asked: what it needs is kept in `kept` until it is done, also when somebody was quicker.
function askMore(about, detail, kept, { link, done }) {
  const { act, title, explain, confirm, reason, choose, choices, until } = about, place = `${act} ${detail.id}`;
  const given = kept[place] ??= { reason: "", until: "", choice: choices.length === 1 ? choices[0].value : "" };
  const request = random();
  const asked = dialog({ title, text: explain, confirm, cancel: "Not now", onconfirm: async () => {
    const reply = await link.act({ type: act, request, submission: detail.submission, seen: detail.seen, assignment: detail.assignment, person: detail.person, ...given });
    if (reply.ok) { delete kept[place]; done(about.done); }
    return reply;
  } },
  choices.length ? choiceOf(choose, choices, given) : null,
  until ? h("div", { class: "f", dataset: { field: "until" } }, h("label", { for: "until" }, until), h("p", { class: "hint", id: "until-hint" }, "In the course's time zone."),
    h("input", { class: "in", id: "until", type: "datetime-local", testid: "until", value: given.until, "aria-describedby": "until-hint", oninput: ({ target }) => { given.until = target.value; } })) : null,
  reason ? field({ name: "reason", label: reason === "required" ? "Reason" : "Reason, if you like", rows: 2, value: given.reason, oninput: text => { given.reason = text; } }) : null);
  asked.classList.add("asking");
}

function choiceOf(choose, choices, given) {
  const words = ({ text, but }) => but ? `${text}. ${but}` : text;
  if (choices.length > LISTED_AT_MOST) return h("div", { class: "f", dataset: { field: "choice" } }, h("label", { for: "choice" }, choose),
    h("select", { class: "in", id: "choice", testid: "choice", onchange: ({ target }) => { given.choice = target.value; } },
      [{ value: "", text: "Choose" }, ...choices].map(each => h("option", { value: each.value, selected: each.value === given.choice }, words(each)))));
  return h("fieldset", { class: "stack-s", dataset: { field: "choice" } }, h("legend", { class: "lab" }, choose), choices.map(each => h("label", { class: "row" },
    h("input", { type: "radio", name: "choice", testid: `choice-${each.value.replaceAll(" ", "-")}`, checked: each.value === given.choice, onchange: () => { given.choice = each.value; } }),
    h("span", null, each.text, each.but ? h("span", { class: "xs mu under" }, each.but) : null))));
}

// What an assistant has drafted; an instructor takes it over, looks at it and sends it.
const suggestedPart = ({ suggested }, take) => suggested.map(draft => h("div", { class: "card t suggested", testid: `suggested-${draft.by}` },
  h("p", { class: "row sp" }, h("span", { class: "st" }, `Draft by ${draft.name}`), h("span", { class: "xs mu" }, draft.when)), draft.content.grade ? h("p", { class: "sm mu" }, `At ${draft.content.grade}`) : null, paragraphs(draft.content.word),
  h("button", { class: "btn s", type: "button", testid: `use-${draft.by}`, onclick: () => take(draft) }, "Use this draft", h("span", { class: "vh" }, ` by ${draft.name}`))));

// The instructor's own review: the same form as a peer's.
function ownReviewForm(detail, { link, el, draw, back, done }) {
  const draft = link.draft(detail.own_review.draft, { onchange: draw }), said = draft.content, readonly = Boolean(draft.locked);
  const put = (name, id, value) => draft.set({ [name]: { ...draft.content[name], [id]: value } });
  const choose = ({ id, name }) => sentenceDialog({ title: `Choose a sentence for ${name}`, html: detail.posts.map(post => post.html).join(""), onpick: text => { put("quotes", id, text); draw(); } });
  const text = (name, label, hint) => field({ name, label, hint, value: said[name] ?? "", readonly, oninput: value => draft.set({ [name]: value }) });
  return h("div", { class: "stack own-review", testid: "own-review" },
    h("h3", { tabIndex: -1, id: "own-review-title" }, "Your own review"),
    h("p", { class: "sm mu" }, `It counts as one of the reviews, and ${detail.name} reads it with them as the instructor's.${detail.own_review.sent ? ` You sent one on ${detail.own_review.sent}; it stays as it was until you send this one.` : ""}`),
    draft.notice(),
    detail.criteria.map(criterion => h("div", { class: "stack-s" }, h("p", { class: "st" }, criterion.name), criterion.question ? h("p", { class: "sm mu" }, criterion.question) : null,
      levels({ criterion: criterion.id, name: criterion.name, levels: criterion.levels, value: said.levels?.[criterion.id], voice: "teach", readonly, onchange: level => put("levels", criterion.id, level) }),
      quote({ criterion: criterion.id, name: criterion.name, text: said.quotes?.[criterion.id], voice: "teach", label: "Sentence you are talking about", onchoose: readonly ? null : () => choose(criterion), onclear: () => { put("quotes", criterion.id, ""); draw(); } }),
      field({ name: `note-${criterion.id}`, label: "Note to the author", value: said.notes?.[criterion.id] ?? "", rows: 2, readonly, oninput: value => put("notes", criterion.id, value) }))),
    text("strengths", "Strengths", "What does this submission do well?"), text("suggestions", "Suggestions", "One or two things the author can act on."),
    h("div", { class: "deciding" }, h("button", { class: "btn", type: "button", testid: "own-review-back", onclick: back }, "Back"),
      h("button", { class: "btn p", type: "button", testid: "send-own-review", onclick: () => sendOwnReview(detail, draft, { link, el, done }) }, "Review and send")));
}

function sendOwnReview(detail, draft, { link, el, done }) {
  const said = draft.content, open = detail.criteria.find(({ id }) => said.levels?.[id] === undefined);
  if (draft.locked) return void toast({ text: "This draft is open in another window. Send it there." });
  if (open) return void complain(el, `level-${open.id}`, `Choose a level for ${open.name} before you send.`);
  for (const [name, one] of [["strengths", "strength"], ["suggestions", "suggestion"]]) if (!said[name]?.trim()) return void complain(el, name, `Write at least one ${one} before you send.`);
  const request = random();
  dialog({ title: `Send your review to ${detail.name}?`, text: "It is read when the reviews are revealed, and can be replaced until then.", confirm: "Send review", cancel: "Keep writing",
    onconfirm: async () => {
      const reply = await link.act({ type: "own-review", request, submission: detail.submission, strengths: said.strengths, suggestions: said.suggestions,
        judgements: detail.criteria.map(({ id }) => ({ criterion: id, level: said.levels[id], note: said.notes?.[id] ?? "", quote: said.quotes?.[id] ?? "" })) });
      if (reply.ok) { link.forget(detail.own_review.draft.form); done("Your review is sent."); }
      return reply;
    } });
}

export { wishPart, decisionPart, signaturesPart, levelsPart, restingPart, countDown, moreMenu, askMore, suggestedPart, ownReviewForm };
