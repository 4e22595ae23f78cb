// Puts in what changed meanwhile; without this file everything can be read all the same, by loading the page again.
"use strict";
const stream = new EventSource("/console/live");
stream.addEventListener("changed", async () => {
  const main = document.querySelector("main");
  if ([...main.querySelectorAll("input")].some((input) => input.value !== input.defaultValue)) return; // nobody loses words
  if (main.contains(document.activeElement) && document.activeElement !== main) return; // nobody loses their place
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  main.replaceChildren(...page.querySelector("main").childNodes);
});
