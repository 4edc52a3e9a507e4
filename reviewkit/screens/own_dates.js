// My work's dates: in the course's zone, and in the browser's where that is another one at that moment.
import { h } from "./lib.js";

// A moment as words of one zone; nothing where the browser does not know the zone.
function wordsIn(at, timeZone) {
  try {
    return new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone }).format(new Date(at));
  } catch { return ""; }
}

// What to add to a date that the course says in its zone; empty for who lives by the same clock then.
function forYou(at, zone, own = Intl.DateTimeFormat().resolvedOptions().timeZone) {
  const mine = wordsIn(at, own);
  return mine && mine !== wordsIn(at, zone) ? `${mine} for you` : "";
}

function datesPart({ list, zone, calendar }, shown, changed) {
  if (!list.length && !calendar) return null;
  const items = list.map(({ what, at, text }) => h("li", { testid: "date" }, what, ": ", h("time", { dateTime: at }, text)));
  let told = false;
  function tell() { // when it is looked at: a browser takes longer for its first words of a zone than for the whole page
    if (told) return;
    told = true;
    list.forEach(({ at }, index) => { const words = forYou(at, zone); if (words) items[index].append(h("span", { class: "sm mu" }, ` (${words})`)); });
  }
  if (shown) tell();
  return h("details", { class: "all-posts", testid: "dates", open: shown, ontoggle: ({ target }) => { if (target.open) tell(); changed(target.open); } },
    h("summary", { testid: "dates-open" }, "My dates"),
    list.length ? h("ul", { class: "plain" }, items) : h("p", { class: "mu" }, "No date is ahead of you."),
    h("p", { class: "sm mu" }, `Times are those of ${zone}.`, calendar ? [" ", h("a", { href: calendar, testid: "calendar" }, "The same as a calendar"), ": subscribe to this address in your calendar program. It is private: whoever has it reads your dates."] : null));
}

export { datesPart, forYou };
