// Puts in what changed meanwhile; without this file everything can be read all the same, by loading the page again.
"use strict";
const main = document.querySelector("main");
const stream = new EventSource("/console/live?page=" + encodeURIComponent(location.pathname));
stream.addEventListener("changed", look);
// What changed before the stream was there, nobody announces.
stream.addEventListener("open", () => { still(""); look(); });
stream.addEventListener("error", () => still("Not live: it shows what was so at " + new Date().toLocaleTimeString() + "."));
let late = false; // something changed where somebody was
main.addEventListener("focusout", () => setTimeout(() => late && look()));

async function look() {
  let answer;
  try { answer = await fetch(location.href); } catch { return; } // the stream says so
  // The session is over, or its owner is no operator any more.
  if (answer.redirected || answer.status === 403) return location.reload();
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const said = document.querySelector(".done"); // what somebody just did is said once: that stays
  if (said) page.getElementById("notices").prepend(said.cloneNode(true));
  late = false;
  put(main, page.querySelector("main"));
}

// Replaces only what is different, so that what somebody opened or scrolled stays as it is, and nothing moves without need.
function put(old, fresh) {
  const [there, wanted] = [named(old), named(fresh)];
  for (const [name, one] of there) if (!wanted.has(name)) one.remove();
  let at = old.firstElementChild;
  for (const [name, one] of wanted) {
    const known = there.get(name);
    if (!known) { old.insertBefore(one, at); continue; }
    if (known !== at) old.insertBefore(known, at);
    at = known.nextElementSibling;
    if (known.outerHTML === one.outerHTML) continue;
    if (known.matches("section, details, #notices")) put(known, one);
    else if (busy(known)) late = true;
    else keep(known, one);
  }
}

// The parts of a part: by their ids, else by what they are and which of those.
function named(part) {
  const parts = new Map();
  for (const one of part.children) {
    let count = 0;
    const name = one.id || one.getAttribute("aria-labelledby") || one.tagName + "." + one.className;
    while (parts.has(name + count)) count += 1;
    parts.set(name + count, one);
  }
  return parts;
}

// Whether somebody is there, or has written something: nobody loses their place or their words.
function busy(part) {
  return part.contains(document.activeElement) || [...part.querySelectorAll("input")].some((input) => input.value !== input.defaultValue);
}

function keep(one, fresh) {
  const scrolled = one.scrollLeft;
  one.replaceWith(fresh);
  fresh.scrollLeft = scrolled;
}

function still(words) {
  document.getElementById("still").textContent = words;
}
