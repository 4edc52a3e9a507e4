// What reviewers will read of one's own work, and the words to hide in it.
import { h, dialog, reading, skeleton, note, complain, busy } from "./lib.js";

// `what`: {submission} or {posts: [ids]}.
function previewDialog(link, what) {
  const body = h("div", { class: "stack-l", testid: "preview" }, skeleton());
  dialog({ title: "This is what your reviewers see", cancel: "Close", class: "big" }, body);
  const ask = async event => {
    const reply = await link.act({ ...what, ...event });
    if (reply.ok) show(reply.preview);
    else if (!complain(body, reply.error.field, reply.error.message)) body.replaceChildren(note("error", reply.error.message));
    return reply.ok;
  };
  function show({ lead, hint, copies, words, most, longest }) {
    const input = h("input", { class: "in", id: "hide-word", maxlength: longest, autocomplete: "off", testid: "hide-word", "aria-describedby": "hide-hint",
      onkeydown: event => { if (event.key === "Enter") { event.preventDefault(); add.click(); } } });
    const add = h("button", { class: "btn", style: { flex: "none" }, type: "button", testid: "hide-add", onclick: () => busy(add, async () => {
      if (!input.value.trim()) return void complain(body, "hide", "Write the word that shall be hidden.");
      if (await ask({ type: "hide", words: [...words, input.value.trim()] })) body.querySelector("#hide-word").focus();
    }) }, "Hide it");
    const word = text => h("li", { class: "row" }, h("span", { class: "st" }, text),
      h("button", { class: "btn q s", type: "button", testid: "hide-not", onclick: async () => { if (await ask({ type: "hide", words: words.filter(each => each !== text) })) body.querySelector("#hide-word").focus(); } },
        "Show it again", h("span", { class: "vh" }, `: ${text}`)));
    body.replaceChildren(h("p", { class: "mu" }, lead),
      h("div", { class: "f", dataset: { field: "hide" } }, h("label", { for: "hide-word" }, "Words to hide"), h("p", { class: "hint", id: "hide-hint" }, hint, ` ${most} at most.`), h("div", { class: "row" }, input, add)),
      words.length ? h("ul", { class: "row wrap", style: { padding: "0", "list-style": "none" }, "aria-label": "Words that are hidden", testid: "hidden-words" }, words.map(word)) : "",
      ...copies.map(copy => reading({ label: "Your masked copy", title: copy.title, html: copy.html })));
  }
  ask({ type: "preview" });
}

const previewButton = (link, what) => h("button", { class: "lnk", type: "button", testid: "preview-masked", onclick: () => previewDialog(link, what()) }, "See what your reviewers see");

export { previewButton };
