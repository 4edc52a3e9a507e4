// Sign-off's table of sites: what the service told when it was asked, until it is asked again.
import { h, icon, note, table, empty } from "./lib.js";

// told: the reply's `sites`; again(): asks anew; back(): to the class.
function siteTable(told, { again, back }) {
  const columns = [{ text: "Student" }, { text: "Site", class: "desk" }, { text: "Posts", number: true, class: "desk" }, { text: "Tagged", number: true, class: "desk" }, { text: "Last read", class: "desk" }, { text: "How it is" }];
  return h("section", { "aria-labelledby": "site-table-title", testid: "site-table" },
    h("div", { class: "row sp wrap tools" }, h("h2", { id: "site-table-title", tabIndex: -1 }, "Sites"),
      h("div", { class: "row" }, h("button", { class: "btn q s", type: "button", testid: "sites-again", onclick: again }, "Look again"), h("button", { class: "btn s", type: "button", testid: "sites-back", onclick: back }, "Back to the class"))),
    h("p", { class: "mu told-sites" }, told.words, " ", `As of ${told.at}.`),
    told.rows.length ? h("div", { class: "tblw site-rows", tabIndex: 0, role: "group", "aria-label": "Everybody's sites" }, table({ testid: "table-sites", caption: "Everybody's sites, those that cannot be read first", columns, rows: told.rows.map(siteRow) }))
      : empty({ name: "site-table", icon: "link", title: "No site yet", text: "Sites come with the roster, or when students add their own in My work." }),
    told.without.length ? h("div", { class: "below" }, note("neutral", h("p", { testid: "without-site" }, `No site yet: ${told.without.join(", ")}.`))) : null);
}

function siteRow({ name, site, url, also, shown, tagged, read, kind, word, error, next }) {
  const tag = kind === "bad" ? "err" : kind;
  const link = () => h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, site); // under the name on a phone
  return { testid: "site-row", head: 0, cells: [
    [h("span", { class: "st" }, name), h("span", { class: "phone xs" }, link()), h("span", { class: "phone xs mu under" }, `${shown} ${shown === 1 ? "post" : "posts"}, ${tagged} tagged${read ? `. Last read: ${read}` : ""}`)],
    [link(), site === url ? null : h("span", { class: "xs mu url" }, url), also.length ? h("span", { class: "xs mu under" }, `Also of ${also.join(", ")}`) : null],
    shown, tagged, read || "Never",
    [h("span", { class: `tag ${tag}` }, kind === "ok" ? icon("check") : kind === "bad" ? icon("warn") : null, word),
      error ? h("span", { class: "xs under" }, `Its owner reads: “${error}”`) : null, next ? h("span", { class: "xs mu under" }, `Next try: ${next}`) : null],
  ] };
}

export { siteTable };
