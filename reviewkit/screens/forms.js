// The parts that people fill in. Each stands in an element with `data-field`, its name in errors (see `complain`).
import { h, fresh, icon, voice } from "./lib.js";

// A level for one criterion: native radios, one tab stop, arrow keys. levels: [{name, text}], value: index or null.
// With `readonly` only what was chosen can be seen, as words.
function levels({ criterion, name, levels: list, value, voice: kind = "self", onchange, error, legend, readonly }) {
  const group = fresh(`level-${criterion}`);
  const boxes = list.map((level, index) => h("label", { class: "lv" },
    h("input", { type: "radio", name: group, value: String(index), checked: index === value, disabled: Boolean(readonly) && index !== value,
      testid: `level-${criterion}-${index}`, onchange: () => { settle(el); onchange?.(index); } }),
    h("b", null, level.name), h("span", null, level.text)));
  const el = h("fieldset", { class: kind === "self" ? "lvs" : `lvs as-${kind}`, dataset: { field: `level-${criterion}` } },
    h("legend", { class: "vh" }, legend ?? `${name}: level`), h("div", { class: "levels", dataset: { count: list.length } }, boxes));
  if (error) say(el, error);
  return el;
}

// The words of a post that something rests on; `onchoose` offers to choose (another) sentence, `onclear` to take it away.
function quote({ criterion, text, voice: kind = "self", label = "Evidence from your post", onchoose, onclear, name = "" }) {
  return h("div", { class: "ev", dataset: { field: `evidence-${criterion}` } }, h("p", { class: "lab" }, label),
    h("blockquote", { class: `quote ${kind}`, testid: `evidence-${criterion}`, dataset: { empty: String(!text) } }, text || h("span", { class: "mu sm" }, "No sentence chosen yet.")),
    onchoose ? h("p", { class: "row pull" }, h("button", { class: "btn q s", type: "button", testid: `choose-${criterion}`, onclick: onchoose },
      text ? "Choose another sentence" : "Choose a sentence", name ? h("span", { class: "vh" }, ` for ${name}`) : null),
    text && onclear ? h("button", { class: "btn q s", type: "button", testid: `clear-${criterion}`, onclick: onclear }, "Remove", h("span", { class: "vh" }, ` the sentence${name ? ` for ${name}` : ""}`)) : null) : null);
}

// A text that grows as it is written. `oninput(text)` hears every keystroke.
function field({ name, label, hint, value = "", rows = 3, error, oninput, onblur, placeholder, id = `field-${name}`, limit = 20000, readonly, hideLabel }) {
  const hintId = `${id}-hint`;
  const area = h("textarea", { class: "in", id, name, rows, placeholder, testid: `field-${name}`, readonly: Boolean(readonly),
    "aria-describedby": hint ? hintId : null, oninput: () => { grow(area); settle(el); tooLong(); oninput?.(area.value); }, onblur, value });
  // A browser's own limit cuts what is pasted without a word; here nothing is cut, and the server refuses in words.
  const tooLong = () => {
    const { length } = area.value;
    if (length > limit) say(el, `This text has ${length.toLocaleString("en")} characters, and at most ${limit.toLocaleString("en")} can be sent. Nothing is cut: please shorten it.`);
  };
  const el = h("div", { class: "f", dataset: { field: name } }, h("label", { for: id, class: hideLabel ? "vh" : null }, label),
    hint ? h("p", { class: "hint", id: hintId }, hint) : null, area);
  if (error) say(el, error);
  requestAnimationFrame(() => grow(area));
  return el;
}

const GROWS = CSS.supports("field-sizing", "content");
function grow(area) {
  if (GROWS) return;
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + 2}px`;
}

// A proposed grade. scale: {kind: "0-100"}, {kind: "letters", choices: ["A", ...]}; on {kind: "levels"} there is no grade: null.
function gradeField({ id = "grade", name = "grade", label = "Proposed grade", hint, value = "", scale = { kind: "0-100" }, oninput, onkeydown, error, testid = "grade", readonly }) {
  if (scale.kind === "levels") return null;
  const hintId = `${id}-hint`, shared = { class: "in num", id, name, testid, onkeydown, "aria-describedby": hint ? hintId : null };
  const heard = event => { settle(el); oninput?.(event.target.value.trim()); };
  const input = scale.kind === "letters"
    ? h("select", { ...shared, disabled: Boolean(readonly), onchange: heard }, ["", ...scale.choices].map(choice => h("option", { value: choice, selected: choice === value }, choice || "Choose")))
    : h("input", { ...shared, readonly: Boolean(readonly), inputmode: "numeric", autocomplete: "off", maxlength: 5, oninput: heard, value });
  const el = h("div", { class: "f", dataset: { field: name } }, h("label", { for: id }, label), hint ? h("p", { class: "hint", id: hintId }, hint) : null,
    h("div", { class: "row" }, input, scale.kind === "0-100" ? h("span", { class: "mu" }, "out of 100") : null));
  if (error) say(el, error);
  return el;
}

// Words that can be on or off: options [{name, text}], pressed: names; `prefix` names them prefix-NAME for tests.
function toggles({ label, options, pressed = [], onchange, prefix, voice: kind = "self", showLabel = true }) {
  const on = new Set(pressed);
  const buttons = options.map(({ name, text }) => {
    const sign = icon("check");
    const button = h("button", { class: `btn s tgl ${kind}`, type: "button", testid: `${prefix}-${name}`, "aria-pressed": on.has(name),
      onclick: () => {
        if (!on.delete(name)) on.add(name);
        button.setAttribute("aria-pressed", on.has(name));
        onchange?.(options.filter(each => on.has(each.name)).map(each => each.name));
      } }, sign, text);
    return button;
  });
  return h("div", null, showLabel ? h("p", { class: "lab sm" }, label) : null, h("div", { class: "row wrap tgls", role: "group", "aria-label": label }, buttons));
}

// Says under the field with this `data-field` what is wrong, and moves focus there. False when there is no such field.
function complain(root, name, message) {
  const el = name && root.querySelector(`[data-field="${CSS.escape(name)}"]`);
  if (!el) return false;
  say(el, message);
  const details = el.closest("details");
  if (details) details.open = true;
  const control = controls(el).find(each => each.checked) ?? controls(el)[0] ?? el.querySelector("button");
  control?.focus();
  return true;
}

const controls = el => [...el.querySelectorAll("textarea, input, select")];
function say(el, message) {
  settle(el);
  const id = fresh("error");
  el.append(h("p", { class: "sm row err-text", id, role: "alert" }, icon("warn"), message));
  el.classList.add("wrong");
  for (const control of controls(el)) {
    if (control.type !== "radio") control.setAttribute("aria-invalid", "true");
    control.dataset.described = control.getAttribute("aria-describedby") ?? "";
    control.setAttribute("aria-describedby", `${control.dataset.described} ${id}`.trim());
  }
}
function settle(el) {
  if (!el.classList.contains("wrong")) return;
  el.classList.remove("wrong");
  el.querySelector(".err-text")?.remove();
  for (const control of controls(el)) {
    control.removeAttribute("aria-invalid");
    if (control.dataset.described) control.setAttribute("aria-describedby", control.dataset.described);
    else control.removeAttribute("aria-describedby");
  }
}

export { levels, quote, field, gradeField, toggles, complain };
