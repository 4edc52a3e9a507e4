// What was said about a submission, to read: levels with their reasons, and labelled texts.
import { h } from "./lib.js";

// judgements: [{criterion, level, note, quote}] in the rubric's words; `kind` is the voice they were made in.
function judged(judgements, kind) {
  return h("dl", { class: "judged" }, judgements.map(({ criterion, level, note: why, quote: words }) => h("div", null,
    h("dt", null, h("span", null, criterion), h("span", { class: "st" }, level)),
    words ? h("dd", null, h("blockquote", { class: `quote ${kind}` }, words)) : null,
    why ? h("dd", null, paragraphs(why)) : null)));
}

// texts: [{label, text}], or [{label, tags, voice}] for a few short words: those stand in one row, and their label is for the ear.
function labelledTexts(texts) {
  return texts.filter(({ text, tags }) => text || tags?.length).map(({ label, text, tags, voice: kind }) => tags
    ? h("p", { class: "row wrap tags" }, h("span", { class: "vh" }, `${label}: `), tags.map(tag => h("span", { class: `tag ${kind}` }, tag)))
    : h("div", null, h("p", { class: "lab sm" }, label), paragraphs(text)));
}

// Words of a person: text, with its paragraphs kept.
function paragraphs(text) {
  return text.split(/\n\s*\n/).filter(part => part.trim()).map(part => h("p", { class: "told" }, part.trim()));
}

// The title of a turn with its marks: "Late", "Earlier version", "Superseded".
const titled = ({ title, marks = [] }) => [title, ...marks.map(mark => h("span", { class: "tag out" }, mark))];

export { judged, labelledTexts, paragraphs, titled };
