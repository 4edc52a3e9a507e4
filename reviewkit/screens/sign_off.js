// Sign-off: the class table, what the round may do next, and the chosen dialogue in a pane beside it.
import { h, random, icon, voice, connect, page, seg, table, strip, timeline, note, empty, dialog, toast, redraw, calmly, field, reading, remembered, remember, judged, labelledTexts, paragraphs, titled } from "./lib.js";
import { wishPart, decisionPart, signaturesPart, levelsPart, restingPart, countDown, moreMenu, askMore, suggestedPart, ownReviewForm } from "./pane.js";
import { decidingIn, slug } from "./deciding.js";
import { siteTable } from "./site_table.js";

const KEYS = [["↑ ↓", "Another row"], ["Space", "Select the row"], ["Enter", "Go to the pane"], ["Escape", "Back to the row"], ["A", "Accept"], ["D", "Go to the grade"], ["?", "This list"]];
const EXCERPT = 180;
const plural = (many, one) => `${many} ${one}${many === 1 ? "" : "s"}`;
const inOneColumn = () => matchMedia("(max-width: 73.75rem)").matches;

function renderSignOff({ model, el, signal }) {
  const link = connect(model);
  const shown = { filter: "all", find: "", sort: { by: "", direction: "ascending" }, here: null, unfolded: new Set(), whole: false, levels: false, other: false, problem: null, left: [], kept: {}, resting: new Set(), counting: null, acting: null, more: false, plot: false };
  const selected = new Set();
  const view = () => model.get("view");
  const keysOn = () => remembered("keys") !== "off";
  const assists = () => view().frame.role === "assistant";
  let moving = null, wanted = null;
  const { decide, take, written, tell, askAccept } = decidingIn({ link, el, shown, view, draw, act, takeBack });

  // -- which rows

  const FILTERS = { all: () => true, mine: line => line.mine, apart: line => line.flags.includes("Far apart") };
  const ORDERS = { student: line => line.name, self: line => line.shares.self ?? -1, median: line => line.shares.median ?? -1, waiting: line => `${line.mine ? 0 : 1}${line.waiting}` };

  function rows() {
    const find = shown.find.toLowerCase(), { by, direction } = shown.sort, turn = direction === "ascending" ? 1 : -1;
    const found = view().lines.filter(line => FILTERS[shown.filter](line) && `${line.name} ${line.title}`.toLowerCase().includes(find));
    if (!by) return found;
    const order = (a, b) => typeof a === "string" ? a.localeCompare(b) : a - b;
    return [...found].sort((a, b) => turn * order(ORDERS[by](a), ORDERS[by](b)));
  }

  const hereId = () => shown.here ?? view().params.open;
  const isLoaded = () => view().detail?.id === hereId();

  async function open(id, { toPane = false } = {}) {
    Object.assign(shown, { here: id, problem: null, unfolded: new Set(), levels: false, other: false, words: "", acting: null, more: false });
    wanted = toPane ? id : wanted;
    draw();
    if (view().detail?.id !== id) {
      const reply = await link.act({ type: "open", params: { ...view().params, open: id } });
      if (!reply.ok) { shown.problem = reply.error.message; draw(); }
    }
    if (wanted === id && isLoaded()) { wanted = null; toPaneHead(); }
  }

  function toPaneHead() {
    const head = el.querySelector("#pane-title");
    head?.focus({ preventScroll: true });
    head?.closest(".pane").scrollIntoView({ block: inOneColumn() ? "start" : "nearest" });
  }

  // -- drawing

  function draw() {
    const { frame: about, title, lede, rounds, step, params, lines } = view();
    followOutbox();
    if (isLoaded()) shown.here = null;
    for (const id of selected) if (!lines.some(line => line.submission === id && line.selectable)) selected.delete(id);
    const { detail } = view();
    history.replaceState(null, "", `?${new URLSearchParams({ assignment: params.assignment, ...(detail?.submission ? { open: detail.submission } : {}), ...(params.names ? { names: params.names } : {}) })}`);
    redraw(el, page({ name: "sign-off", frame: about, wide: true, title, lede, status: link.status.el },
      rounds.length > 1 ? h("div", { class: "rounds" }, seg({ label: "Round", value: params.assignment, prefix: "round", options: rounds.map(round => ({ value: round.id, text: round.title })),
        onchange: assignment => { shown.here = null; link.act({ type: "open", params: { assignment, ...(params.names ? { names: params.names } : {}) } }); } })) : null,
      step ? stepLine(step) : null,
      shown.sites ? siteTable(shown.sites, { again: toSites, back: fromSites })
        : lines.length ? h("div", { class: "so" }, classSection(), detail ? pane(detail) : null)
        : empty({ name: "class", icon: "people", title: "Nobody is here yet", text: "Students appear in this table when the roster is imported." })), detail?.id);
    tell();
  }

  async function toSites() {
    const reply = await link.act({ type: "sites" });
    if (!reply.ok) return void toast({ text: reply.error.message });
    shown.sites = reply.sites;
    draw();
    el.querySelector("#site-table-title")?.focus();
  }

  function fromSites() {
    shown.sites = null;
    draw();
    el.querySelector("[data-testid=sites]")?.focus();
  }

  // What the round may do next.
  function stepLine({ text, allocate, reveal }) {
    return h("div", { class: "step-line" },
      h("p", { class: "mu" }, text, allocate && !allocate.reviews ? [" ", allocate.relaxed.join(" ")] : null),
      allocate?.reviews ? h("button", { class: "btn s", type: "button", testid: "allocate", onclick: () => askAllocate(allocate) }, "Allocate reviews") : null,
      reveal ? h("button", { class: "btn s", type: "button", testid: "reveal", onclick: () => askReveal(reveal) }, "Reveal reviews") : null);
  }

  function askAllocate({ reviews, seed, text, relaxed }) {
    dialog({ title: `Allocate ${plural(reviews, "review")}?`, text, confirm: "Allocate reviews", cancel: "Not yet",
      onconfirm: async () => {
        const reply = await link.act({ type: "allocate", assignment: view().params.assignment, seed, relaxed });
        if (reply.ok) toast({ text: "The reviews are allocated." });
        return reply;
      } },
    relaxed.length ? [h("p", { class: "st", testid: "relaxed" }, "What had to be relaxed"), h("ul", { class: "plain" }, relaxed.map(sentence => h("li", null, sentence)))]
      : h("p", { class: "mu", testid: "relaxed" }, "Nothing had to be relaxed: nobody reviews themselves, and no two people review each other."));
  }

  function askReveal({ text, short, minimum }) {
    let reason = "";
    dialog({ title: "Reveal the reviews?", text, confirm: "Reveal reviews", cancel: "Not yet",
      onconfirm: async () => {
        const reply = await link.act({ type: "reveal", assignment: view().params.assignment, reason });
        if (reply.ok && !reply.revealed && view().step?.reveal) return { ok: false, error: { message: `Nothing was revealed: every submission has ${minimum}. Give a reason to reveal them all the same.` } };
        if (reply.ok) toast({ text: "The reviews are revealed." });
        return reply;
      } },
    short.length ? field({ name: "reason", label: `Reason to reveal those with ${minimum}`, hint: `Without a reason they wait: ${short.join(", ")}.`, rows: 2, oninput: value => { reason = value; } }) : null);
  }

  // -- the class table

  function classSection() {
    const { lines, scale, axis } = view(), list = rows(), numbers = scale.kind !== "levels";
    const counted = (name, text) => ({ value: name, text: `${text} ${lines.filter(FILTERS[name]).length}` });
    const open_ = list.filter(line => line.selectable), all = open_.length > 0 && open_.every(line => selected.has(line.submission));
    const columns = [
      { name: "select", class: "pick", text: !open_.length ? h("span", { class: "vh" }, "Select") : h("input", { class: "ck", type: "checkbox", testid: "select-all", "aria-label": "Select all shown that self and peers agree on", checked: all,
        onchange: ({ target }) => { open_.forEach(line => target.checked ? selected.add(line.submission) : selected.delete(line.submission)); draw(); } }) },
      { name: "student", text: "Student", sort: true },
      { name: "plot", text: h("span", { class: "row voices" }, h("span", { class: "row voices" }, voice("self"), "Self"), " ", h("span", { class: "row voices" }, voice("peer"), "Peers")) },
      ...(numbers ? [{ name: "self", text: "Self", number: true, sort: true, class: "desk" }, { name: "median", text: "Median", number: true, sort: true, class: "desk" }] : []),
      { name: "waiting", text: "Waiting on", sort: true, class: "desk" },
    ];
    return h("section", { "aria-label": "Class", onkeydown: rowKeys },
      h("div", { class: "row sp wrap tools" },
        assists() ? h("span") // nothing waits for them, and they see no flags
          : seg({ label: "Filter", value: shown.filter, prefix: "filter", options: [counted("all", "All"), counted("mine", "Waiting on me"), counted("apart", "Far apart")],
            onchange: filter => { shown.filter = filter; draw(); } }),
        h("div", { class: "row" },
          h("label", { class: "srch" }, icon("search"), h("span", { class: "vh" }, "Find a student or submission"),
            h("input", { placeholder: "Find", testid: "find", value: shown.find, type: "search", maxlength: 100, oninput: ({ target }) => { shown.find = target.value; draw(); } })),
          assists() || view().params.names ? null : h("button", { class: "btn q s", type: "button", testid: "sites", onclick: toSites }, "Sites"),
          h("button", { class: "btn q s", type: "button", testid: "hide-names", onclick: hideNames }, view().params.names ? "Show names" : "Hide names"),
          h("button", { class: "btn q s desk", type: "button", testid: "keys", onclick: showKeys }, "Keys"))),
      h("div", { class: "tblw", tabIndex: 0, role: "group", "aria-label": "Class table" }, table({ testid: "table-class", caption: captionOf(axis, scale), columns, sorted: shown.sort,
        onsort: by => { shown.sort = { by, direction: shown.sort.by === by && shown.sort.direction === "ascending" ? "descending" : "ascending" }; draw(); },
        rows: list.map(line => rowOf(line, axis, numbers)) })),
      list.length ? null : h("p", { class: "mu none-found", role: "status" }, "No row matches."),
      selected.size ? bulk() : null,
      shown.left.length ? note("error", h("p", null, "These were left as they are:"), h("ul", { class: "plain" }, shown.left.map(sentence => h("li", null, sentence)))) : null,
      lines.some(line => line.flags.length) ? h("p", { class: "sm mu below" }, "Submissions that are far apart cannot be accepted in bulk. Open each one.") : null);
  }

  // Students go by their pseudonyms while others look at this screen; the service sends no names then.
  async function hideNames() {
    const { names, ...params } = view().params;
    const reply = await link.act({ type: "open", params: names ? params : { ...params, names: "hidden" } });
    if (!reply.ok) { shown.problem = reply.error.message; draw(); }
  }

  const captionOf = (axis, scale) => scale.kind === "0-100" ? `Everybody in this round. The plots run from ${axis.min} to ${axis.max}.` : "Everybody in this round.";

  function rowOf(line, axis, numbers) {
    const { id, submission, name, title, word, shares, finding, waiting, mine, hint, flags, selectable } = line;
    const flagged = () => flags.map(flag => h("span", { class: "flg" }, icon("flag"), flag)); // they stand twice: under the name on a phone
    const box = selectable ? h("input", { class: "ck", type: "checkbox", testid: `select-${id}`, "aria-label": `Select ${name}`, checked: selected.has(submission),
      onchange: ({ target }) => { select(submission, target.checked); } })
      : mine ? h("input", { class: "ck", type: "checkbox", disabled: true, title: `Cannot be selected: ${apart(line)}`, "aria-label": `${name} cannot be selected: ${apart(line)}` }) : h("span", { class: "vh" }, "Not selectable");
    return { id, head: 1, attrs: { "aria-selected": id === hereId(), onclick: event => { if (!event.target.closest("a, input, button")) open(id); } }, cells: [
      box,
      [h("a", { href: submission ? `?open=${submission}` : "#", class: "st name", testid: `open-${id}`, onclick: event => { event.preventDefault(); open(id, { toPane: inOneColumn() }); } }, name),
        h("span", { class: "xs mu clip" }, title), h("span", { class: "phone xs" }, flags.length ? flagged() : waiting ? `Waiting on ${mine ? "you" : waiting}` : word)],
      shares.self === null && shares.median === null ? (submission ? h("span", { class: "xs qt" }, word) : dash()) : strip({ ...shares, label: finding, ...axis, width: 150 }),
      ...(numbers ? [line.self || dash(), line.median ? [line.median, h("span", { class: "xs mu nw range" }, line.range)] : dash()] : []),
      [h("span", { class: mine ? "st" : null }, waiting || word), flags.length ? flagged() : waiting ? h("span", { class: "xs mu under" }, hint) : null],
    ] };
  }

  // Why a row that waits for the instructor cannot be accepted with others.
  function apart({ flags, hint }) {
    return flags[0]?.toLowerCase() ?? (hint && hint !== "Ready" ? hint.toLowerCase() : `self and peers do not agree ${near()}`);
  }
  const near = () => ({ levels: "within one level", letters: "on the letter" })[view().scale.kind] ?? "within 5 points";

  const dash = () => [h("span", { "aria-hidden": "true", class: "qt" }, "–"), h("span", { class: "vh" }, "none yet")];

  function select(submission, on) {
    if (on) selected.add(submission); else selected.delete(submission);
    draw();
  }

  function bulk() {
    const many = selected.size;
    return h("div", { class: "bulk", role: "region", "aria-label": "Selected" }, h("span", null, h("b", null, `${many} selected.`), " ", h("span", { class: "mu" }, `Self and peers agree ${near()}.`)),
      h("button", { class: "btn p s", type: "button", testid: "bulk-accept", onclick: askBulk }, `Accept ${plural(many, "grade")}`));
  }

  function askBulk() {
    const request = random(), chosen = view().lines.filter(line => selected.has(line.submission));
    dialog({ title: `Accept ${plural(chosen.length, "grade")}?`, text: "Each proposal is agreed and signed as it stands. The authors see it in their dialogue.", confirm: `Accept ${plural(chosen.length, "grade")}`, cancel: "Not yet",
      onconfirm: async () => {
        const reply = await link.act({ type: "bulk-accept", request, assignment: view().params.assignment, chosen: chosen.map(({ submission, self }) => ({ submission, grade: self })) });
        if (!reply.ok) return reply;
        selected.clear();
        shown.left = reply.left;
        draw();
        toast({ text: `Accepting ${plural(reply.accepted.length, "grade")}.`, undo: reply.acts.length ? () => takeBack(reply.acts) : null });
        return reply;
      } },
    h("ul", { class: "plain named" }, chosen.map(({ name, self }) => h("li", { class: "row sp" }, h("span", null, name), h("b", null, self || "as proposed")))));
  }

  // -- undo: what was accepted rests for some seconds, and can be taken back meanwhile

  async function takeBack(acts) {
    const reply = await link.act({ type: "take-back", acts });
    toast({ text: !reply.ok ? reply.error.message : reply.late ? `${plural(reply.late, "grade")} could no longer be taken back.` : "Taken back. Nothing was sent." });
    draw();
  }

  const restingOf = ({ submission }) => view().resting.find(act => submission && act.submission === submission);
  const rests = detail => Boolean(restingOf(detail)) && !restingOf(detail).refused;

  // What was typed is forgotten here when it is done, and not before; until then the seconds are counted down.
  function followOutbox() {
    const { resting, lines } = view(), now = new Set(resting.map(act => act.submission));
    for (const submission of shown.resting) if (!now.has(submission) && lines.some(line => line.submission === submission && line.stage === "signed")) link.forget(`sign-off:${submission}`);
    shown.resting = now;
    const counts = resting.some(act => !act.refused);
    if (counts && !shown.counting) shown.counting = setInterval(() => countDown(el), 500);
    if (!counts) { clearInterval(shown.counting); shown.counting = null; }
  }

  // -- keys

  function showKeys() {
    const on = h("input", { class: "ck", type: "checkbox", testid: "keys-on", checked: keysOn(), onchange: ({ target }) => remember("keys", target.checked ? null : "off") });
    dialog({ title: "Keys in Sign-off", cancel: "Close" },
      h("dl", { class: "keys" }, KEYS.map(([key, does]) => h("div", null, h("dt", null, h("kbd", null, key)), h("dd", null, does)))),
      h("label", { class: "row sm" }, on, "Use these keys"));
  }

  function rowKeys(event) {
    const at = event.target.closest?.("tr[data-testid]");
    if (!keysOn() || !at || event.altKey || event.ctrlKey || event.metaKey) return;
    const list = rows(), index = list.findIndex(line => `row-${line.id}` === at.dataset.testid), line = list[index];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && list[index + step]) {
      event.preventDefault();
      moveTo(list[index + step].id);
    } else if (event.key === " " && event.target.matches("a")) {
      event.preventDefault();
      if (line.selectable) select(line.submission, !selected.has(line.submission));
      else toast({ text: `${line.name} cannot be selected${line.mine ? `: ${apart(line)}` : ""}.` });
    } else if (event.key === "Enter" && event.target.matches("a")) {
      event.preventDefault();
      open(line.id, { toPane: true });
    }
  }

  // The row moves at once; its dialogue is fetched when the keys rest.
  function moveTo(id) {
    shown.here = id;
    draw();
    el.querySelector(`[data-testid="open-${CSS.escape(id)}"]`)?.focus();
    clearTimeout(moving);
    moving = setTimeout(() => open(id), 120);
  }

  function pageKeys(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented || !el.contains(event.target)) return;
    if (event.key === "Escape" && event.target.closest(".pane")) {
      el.querySelector(`[data-testid="open-${CSS.escape(hereId())}"]`)?.focus();
      return;
    }
    if (!keysOn() || event.target.matches("textarea, select, input:not([type=radio], [type=checkbox])")) return;
    const does = { a: () => isLoaded() && el.querySelector('[data-testid="accept"]')?.click(), d: toGrade, "?": showKeys }[event.key.toLowerCase()];
    if (!does) return;
    event.preventDefault();
    does();
  }

  const toGrade = () => (el.querySelector('.pane [data-testid="grade"]') ?? el.querySelector('.pane [data-testid="field-word"]'))?.focus();

  // -- the pane

  function pane(detail) {
    const list = rows(), index = list.findIndex(line => line.id === hereId());
    const go = (to, text, sign) => h("button", { class: "btn q s", type: "button", "aria-label": text, testid: slug(text), onclick: () => list[to] && open(list[to].id) }, icon(sign));
    return h("aside", { class: "card pane as-teach", "aria-labelledby": "pane-title", testid: "pane", "aria-busy": !isLoaded() ? "true" : null },
      h("div", { class: "row sp" }, h("h2", { id: "pane-title", tabIndex: -1 }, detail.name),
        h("span", { class: "row sm turn-over" }, go(index - 1, "Previous", "left"), h("span", { class: "mu" }, index < 0 ? "" : `${index + 1} of ${list.length}`), go(index + 1, "Next", "right"))),
      // Nothing is done to a dialogue while another one comes; from its head one goes on, so the focus can stay there.
      h("div", { class: "one", inert: !isLoaded() }, detail.submission ? dialogueOf(detail) : [note("neutral", detail.why), menuOf(detail)]));
  }

  const ask = detail => about => askMore(about, detail, shown.kept, { link, done: text => acted(text) });
  const menuOf = detail => moreMenu(detail, shown, { ask: ask(detail), act });

  // Another form in the pane: "decide", "review", or none.
  function act(acting) {
    Object.assign(shown, { acting, more: false, problem: null });
    draw();
    (acting ? el.querySelector(acting === "review" ? "#own-review-title" : "#decide-title") : el.querySelector("#pane-title"))?.focus();
  }

  function acted(text) {
    Object.assign(shown, { acting: null, more: false, problem: null });
    draw();
    toast({ text });
  }

  function dialogueOf(detail) {
    const { own_review: own } = detail, act_ = restingOf(detail);
    const title = [h("p", { class: "mu" }, detail.title, " ", h("button", { class: "lnk", type: "button", testid: "read-post", onclick: () => readPost(detail) }, "Read the post")), menuOf(detail)];
    if (shown.acting === "review" && own) {
      shown.reviewing = { id: detail.id, draft: link.draft(own.draft, { onchange: draw }) };
      return [title, h("hr", { class: "rule" }), ownReviewForm(detail, { link, el, draw, back: () => act(null), done: acted })];
    }
    return [
      title, wishPart(detail, ask(detail)),
      detail.posts.some(post => post.changed) ? h("p", { class: "sm mu row" }, icon("info"), "The blog shows another text by now. This is the frozen one.") : null,
      detail.plot.self === null && detail.plot.median === null ? null : scalePlot(detail.plot), levelsPart(detail, shown),
      h("ol", { class: "dl", testid: "summary" }, detail.summary.map(({ voice: kind, lead: first, text }) => h("li", null, h("span", { class: "dot" }, voice(kind)), h("span", { class: "st" }, first), " ", text))),
      h("details", { class: "whole", open: shown.whole, ontoggle: ({ target }) => { shown.whole = target.open; } },
        h("summary", { class: "sm", testid: "whole-dialogue" }, `The whole dialogue, ${plural(detail.turns.length, "turn")}`), timeline(detail.turns.map(turnItem))),
      decisionPart(detail),
      h("hr", { class: "rule" }),
      h("div", { class: "stack" },
        shown.problem ? note("error", shown.problem) : null,
        act_ ? restingPart(act_, detail, takeBack) : null,
        rests(detail) ? null : detail.why ? note(detail.does === "nothing" && detail.closed ? "ok" : "neutral", `${detail.why} ${detail.does === "nothing" ? detail.closed : ""}`.trim()) : null,
        signaturesPart(detail), suggestedPart(detail, draft => take(detail, draft)),
        rests(detail) ? null : detail.does === "decide" || detail.does === "suggest" ? decide(detail) : written(detail),
        detail.does === "sign" && !rests(detail) ? h("button", { class: "btn p", type: "button", testid: "accept", onclick: () => askAccept(detail) }, `Sign${detail.agreed ? ` at ${detail.agreed}` : ""}`) : null),
    ];
  }

  // Self, peers and the counter-proposal on the scale, with its numbers under it where the course has numbers.
  function scalePlot({ self, median, low, high, teach, finding }) {
    const { axis: { min, max }, scale } = view(), x = value => 10 + (Math.min(max, Math.max(min, value)) - min) * 360 / (max - min);
    const there = value => value !== null && value !== undefined, ticks = [0, 1, 2, 3].map(part => min + part * (max - min) / 3);
    return h("svg", { class: "plot big", viewBox: "0 0 380 62", width: "100%", role: "img", "aria-label": finding },
      h("line", { class: "ax", x1: 10, x2: 370, y1: 28, y2: 28 }),
      scale.kind === "0-100" ? ticks.map((tick, at) => h("text", { x: x(tick), y: 56, "text-anchor": at === 0 ? "start" : at === 3 ? "end" : "middle" }, String(Math.round(tick)))) : null,
      there(low) ? h("line", { class: "rg", x1: x(low), x2: x(high), y1: 28, y2: 28 }) : null,
      there(median) ? h("rect", { class: "pp", x: x(median) - 6, y: 22, width: 12, height: 12, transform: `rotate(45 ${x(median)} 28)` }) : null,
      there(self) ? h("circle", { class: "ps", cx: x(self), cy: 28, r: 7 }) : null,
      there(teach) ? h("rect", { class: "pt", x: x(teach) - 6, y: 4, width: 12, height: 12, rx: 2 }) : null);
  }

  function turnItem(turn) {
    const more = turn.judgements?.length || turn.texts?.length || turn.text.length > EXCERPT || turn.old;
    const short = turn.old ? "" : turn.text.length > EXCERPT ? `${turn.text.slice(0, EXCERPT).replace(/\s+\S*$/, "")}…` : turn.text;
    return { id: `turn-${turn.id}`, voice: turn.voice, old: turn.old, title: titled(turn), time: turn.when, body: [
      short ? h("p", { class: "told" }, short) : null,
      more ? h("details", { open: shown.unfolded.has(turn.id), ontoggle: ({ target }) => { if (target.open) shown.unfolded.add(turn.id); else shown.unfolded.delete(turn.id); } },
        h("summary", { class: "sm mu" }, "Show all", h("span", { class: "vh" }, `: ${turn.title}`)),
        h("div", { class: "stack" }, turn.old || turn.text.length > EXCERPT ? paragraphs(turn.text) : null,
          turn.judgements?.length ? judged(turn.judgements, turn.voice) : null, labelledTexts(turn.texts ?? []))) : null,
    ] };
  }

  function readPost({ posts, name, replaced }) {
    dialog({ title: `The submission of ${name}`, cancel: "Close", class: "big" }, h("div", { class: "stack-l" }, posts.map(post => reading({ label: post.title, title: post.title, html: post.html,
      foot: [post.when ? `Published ${post.when}. ` : "", post.link ? h("a", { href: post.link, target: "_blank", rel: "noopener noreferrer" }, "Open it on the author's site") : null] })), replacedPart(replaced)));
  }

  // What the masked copies that reviewers read do not hold.
  const replacedPart = (list = []) => list.length ? h("details", { testid: "replaced" }, h("summary", { class: "sm" }, `What was replaced for reviewers, ${plural(list.length, "thing")}`),
    h("ul", { class: "plain sm" }, list.map(({ text, times }) => h("li", null, text, times > 1 ? h("span", { class: "mu" }, ` (${times} times)`) : null)))) : null;

  document.addEventListener("keydown", pageKeys);
  const news = calmly(draw, signal);
  model.on("change:view", news);
  signal?.addEventListener("abort", () => { clearInterval(shown.counting); model.off("change:view", news); document.removeEventListener("keydown", pageKeys); });
  draw();
}

export default { render: renderSignOff };
