// My sites: where an author writes, how each site is, and the text that is given to the course alone.
import { h, random, icon, note, empty, seg, field, complain, busy, dialog, toast, reading } from "./lib.js";

const LOOK_AGAIN = 700, LOOK_FOR = 60000;

// now: the view's `sites`; link: the way to the course; how: sentences on how posts come; towrite(id): goes to the private text; first: to add a site is the one next step.
function sitesPart(now, { link, how, missing, towrite, first }) {
  return h("section", { "aria-labelledby": "sites-title", class: "all-posts", testid: "sites" },
    h("div", { class: "row sp wrap" }, h("h2", { id: "sites-title" }, "My sites"),
      h("button", { class: first && !now.list.length ? "btn s p" : "btn s", type: "button", testid: "add-site", onclick: () => seekDialog(link) }, icon("plus"), "Add a site")),
    now.list.length ? h("ul", { class: "pl sites" }, now.list.map(site => siteLine(site, link)))
      : empty({ name: "sites", icon: "link", title: "No site yet", text: "Paste the address of your blog, and your posts with the tag arrive by themselves." }),
    now.checking ? h("p", { class: "sm mu missing", role: "status", testid: "checking" }, "Your sites are being read; what is new appears here.") : null,
    h("p", { class: "sm mu missing" }, missing ? ["Is a post missing? ", missing, " "] : null,
      h("button", { class: "lnk", type: "button", testid: "how-posts", onclick: () => dialog({ title: "How posts get here", cancel: "Close" }, h("div", { class: "stack-s" }, how.map(words => h("p", null, words)))) }, "How posts get here")),
    now.give ? h("p", { class: "sm mu missing" }, "You may not, or do not want to publish? ", h("a", { href: "/my-work?write=new", testid: "write-private", onclick: event => { event.preventDefault(); towrite("new"); } }, "Give a text to the course alone")) : null);
}

function siteLine(site, link) {
  return h("li", { testid: "site" },
    h("div", null, h("a", { class: "ttl", href: site.url, target: "_blank", rel: "noopener noreferrer" }, site.name),
      site.name === site.url ? null : h("p", { class: "sm mu url" }, site.url), h("p", { class: "sm mu" }, site.text), site.note ? h("p", { class: "sm mu" }, site.note) : null),
    h("span", { class: `tag ${site.kind === "bad" ? "err" : site.kind}` }, site.kind === "ok" ? icon("check") : site.kind === "bad" ? icon("warn") : null, site.word),
    h("button", { class: "btn s", type: "button", testid: "remove-site", onclick: () => dialog({ title: `Remove ${site.name}?`, text: "It is no longer read. Posts that have arrived stay in the course, and you can add it again.",
      confirm: "Remove it", cancel: "Keep it", onconfirm: () => link.act({ type: "remove-site", url: site.url }) }) }, "Remove", h("span", { class: "vh" }, ` ${site.name}`)));
}

function checkButton(now, link) {
  if (!now.list.length) return null;
  const button = h("button", { class: "btn", type: "button", testid: "check-sites", onclick: () => busy(button, async () => {
    const reply = await link.act({ type: "check-sites" });
    if (!reply.ok) toast({ text: reply.error.message });
  }) }, "Check my blog now");
  return button;
}

// A field of one line, in the shape that `complain` knows.
function lineField({ name, label, hint, value = "", oninput, ...more }) {
  const id = `field-${name}`;
  return h("div", { class: "f", dataset: { field: name } }, h("label", { for: id }, label), hint ? h("p", { class: "hint", id: `${id}-hint` }, hint) : null,
    h("input", { class: "in", id, name, testid: id, value, autocomplete: "off", "aria-describedby": hint ? `${id}-hint` : null, oninput: event => oninput(event.target.value), ...more }));
}

function seekDialog(link, typed = "") {
  let address = typed;
  const box = lineField({ name: "site", label: "Address of your site", hint: "Your home page, profile, tag page or feed: whatever you have.", value: typed, inputmode: "url", oninput: text => { address = text; },
    onkeydown: event => { if (event.key === "Enter") asked.querySelector("[data-testid=dialog-confirm]").click(); } });
  const asked = dialog({ title: "Add a site", confirm: "Look for posts", cancel: "Not now", onconfirm: async () => {
    const until = Date.now() + LOOK_FOR;
    for (;;) {
      const reply = await link.act({ type: "find-site", address });
      if (!asked.open) return { ok: true };
      if (reply.ok && reply.looking && Date.now() < until) { await new Promise(go => { setTimeout(go, LOOK_AGAIN); }); continue; }
      if (reply.ok && reply.looking) return { ok: false, error: { message: "Your site takes too long to answer. Try again later." } };
      if (reply.ok) { asked.addEventListener("close", () => foundDialog(link, reply.found), { once: true }); return reply; }
      if (reply.error.field && complain(asked, reply.error.field, reply.error.message)) { asked.querySelector(".problem").replaceChildren(); return { ok: false, error: { message: "Nothing was added." } }; }
      return reply;
    }
  } }, box);
  box.querySelector("input").focus();
}

function foundDialog(link, found) {
  let shared = false;
  const asked = dialog({ title: "Add this site?", confirm: "Add this site", cancel: "Not this one", onconfirm: async () => {
    if (found.shared && !shared) {
      complain(asked, "shared", "Tick this if the site is yours as well.");
      return { ok: false, error: { message: "Nothing was added yet." } };
    }
    return link.act({ type: "add-site", url: found.url, shared });
  } },
  h("div", { testid: "found" }, h("p", null, h("b", null, found.title)), found.title === found.url ? null : h("p", { class: "sm mu url" }, found.url), h("p", { testid: "found-words" }, found.words), found.advice ? h("p", { class: "sm mu" }, found.advice) : null),
  found.posts.length ? h("ul", { class: "summary", "aria-label": "Posts that were seen" }, found.posts.map(post => h("li", { class: "row sp" }, h("span", null, post.title, " ", h("span", { class: "sm mu" }, post.date)), post.tagged ? h("span", { class: "tag ok" }, icon("check"), "Counts") : h("span", { class: "tag out" }, "No tag")))) : null,
  found.shared ? h("div", { class: "f", dataset: { field: "shared" } }, h("p", null, "Somebody else in this course has this site too; your instructor sees that."), h("label", { class: "row" }, h("input", { type: "checkbox", class: "ck", testid: "shared", onchange: event => { shared = event.target.checked; } }), "It is my site as well")) : null);
}

// -- the private route --------------------------------------------------------------------------------------------------

const FILES = { md: "markdown", markdown: "markdown", txt: "text", html: "html", htm: "html" };

// The place `write`: parts for the page. `ondone` is where to go afterwards, `draw` draws anew.
function writePart(now, { link, draft, draw, back }) {
  const said = draft.content, readonly = Boolean(draft.locked) || Boolean(now.closed);
  const form = said.form ?? "text", round = said.assignment ?? now.rounds[0]?.id;
  const send = () => {
    if (draft.locked) return void toast({ text: "This text is open in another window. Give it there." });
    if (!draft.content.text?.trim()) return void complain(el, "text", "Write or paste your text before you give it.");
    const request = random(), again = now.id !== "new";
    dialog({ title: again ? "Change your private text?" : "Give this text to the course?", confirm: again ? "Change it" : "Give it", cancel: "Keep writing",
      text: again ? "The course has this version from now on; earlier ones are kept." : `${now.about} You can change it until it is frozen.`,
      onconfirm: async () => {
        const { title = "", text } = draft.content;
        const reply = await link.act({ type: "give", request, assignment: draft.content.assignment ?? now.rounds[0].id, title, text, form: draft.content.form ?? "text", post: again ? now.id : "", params: {} });
        if (reply.ok && !again) link.forget(draft.form);
        return reply;
      } });
  };
  const take = async event => {
    const [file] = event.target.files, kind = FILES[file?.name.split(".").at(-1).toLowerCase()];
    event.target.value = "";
    if (!file) return;
    if (!kind) return void complain(el, "file", "Choose a file that ends with .md, .txt or .html.");
    if (file.size > 4 * now.limit) return void complain(el, "file", `This file is too large: at most ${now.limit.toLocaleString("en")} characters can be given.`);
    const text = await file.text();
    const use = () => { draft.set({ text, form: kind }); draw(); };
    if (!draft.content.text?.trim()) return use();
    dialog({ title: "Put the file in place of your text?", text: "What stands in the field now is replaced by what the file holds.", confirm: "Replace it", cancel: "Keep my text", onconfirm: async () => { use(); return { ok: true }; } });
  };
  const el = h("div", { class: "stack private" }, draft.notice(), now.closed ? note("neutral", now.closed) : note("neutral", now.about),
    now.rounds.length > 1 ? h("fieldset", { class: "stack-s choices" }, h("legend", { class: "lab" }, "For which round?"), now.rounds.map(each => h("label", { class: "row" }, h("input", { type: "radio", name: "given-for", checked: each.id === round, disabled: readonly, onchange: () => draft.set({ assignment: each.id }) }), each.title, h("span", { class: "sm mu" }, each.due))))
      : now.rounds.length ? h("p", { class: "sm mu" }, `For ${now.rounds[0].title}. ${now.rounds[0].due}`) : null,
    now.closed && now.id !== "new" ? reading({ label: "Your text", title: said.title ?? "", html: now.given }) : [
      lineField({ name: "title", label: "Title", value: said.title, readonly, maxlength: 300, oninput: title => draft.set({ title }) }),
      h("div", { class: "f" }, h("p", { class: "lab sm" }, "How it is written"), seg({ label: "How it is written", options: now.forms, value: form, prefix: "form", onchange: kind => draft.set({ form: kind }) })),
      field({ name: "text", label: "Your text", rows: 14, limit: now.limit, value: said.text, readonly, oninput: text => draft.set({ text }) }),
      h("div", { class: "f", dataset: { field: "file" } }, h("label", { for: "field-file" }, "Or take it from a file"), h("p", { class: "hint", id: "field-file-hint" }, "It ends with .md, .txt or .html; its words are put into the field above."),
        h("input", { type: "file", id: "field-file", testid: "field-file", accept: ".md,.markdown,.txt,.html,.htm", "aria-describedby": "field-file-hint", disabled: readonly, onchange: take })),
      h("div", { class: "row sp wrap" }, back, h("button", { class: "btn p", type: "button", testid: "give", onclick: send }, now.id === "new" ? "Give it to the course" : "Change it"))]);
  return el;
}

export { sitesPart, checkButton, writePart };
