// Puts in what changed meanwhile; without this file everything can be read all the same, by loading the page again.
"use strict";
const stream = new EventSource("/console/live?page=" + encodeURIComponent(location.pathname));
stream.addEventListener("changed", look);
// What changed before the stream was there, nobody announces. What somebody just did is said once: that stays.
stream.addEventListener("open", () => document.querySelector(".done") || look());

async function look() {
  const main = document.querySelector("main");
  if ([...main.querySelectorAll("input")].some((input) => input.value !== input.defaultValue)) return; // nobody loses words
  if (main.contains(document.activeElement) && document.activeElement !== main) return; // nobody loses their place
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  put(main, page.querySelector("main"));
}

// Replaces only what is different, so that what somebody opened or scrolled stays as it is.
function put(old, fresh) {
  const [there, wanted] = [[...old.children], [...fresh.children]];
  const alike = there.length === wanted.length && there.every((one, i) => one.tagName === wanted[i].tagName && one.id === wanted[i].id);
  if (!alike) return old.replaceChildren(...fresh.childNodes);
  there.forEach((one, i) => {
    if (one.tagName === "SECTION" || one.tagName === "DETAILS") put(one, wanted[i]);
    else if (one.outerHTML !== wanted[i].outerHTML) keep(one, wanted[i]);
  });
}

function keep(one, fresh) {
  const scrolled = one.scrollLeft;
  one.replaceWith(fresh);
  fresh.scrollLeft = scrolled;
}
