// The playground without reloads. Everything here is a comfort: links and forms work without it.
//
// One idea carries it: the server draws, the script swaps. A link or form answers with a whole page, whose parts are
// merged into the parts on screen; the live stream names parts that changed, which are fetched and merged the same way.
// Merging keeps elements that stayed the same, so focus, scroll position and half-written text survive.
"use strict";
(() => {
  const app = document.getElementById("app");
  const drafts = new Map(); // half-written text by composer key, for when a composer goes and comes back
  let stream = null;
  let visit = 0; // counts navigations, so that a slow answer cannot overwrite a newer page

  // ---- merging -------------------------------------------------------------------------------------------------

  function merge(from, to) {
    if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) return void from.replaceWith(to);
    if (from.nodeType !== Node.ELEMENT_NODE) {
      if (from.data !== to.data) from.data = to.data;
      return;
    }
    if (from.isEqualNode(to)) return;
    // Another conversation's composer: a new one, with its own draft.
    if (from.dataset.key !== to.dataset.key) return void from.replaceWith(to);
    mergeAttributes(from, to);
    if (from.nodeName === "TEXTAREA") return;
    mergeChildren(from, to);
  }

  function mergeAttributes(from, to) {
    const mine = new Set(["open", "style"]); // what the visitor, not the server, decides
    for (const { name, value } of [...to.attributes]) {
      if (!mine.has(name) && from.getAttribute(name) !== value) from.setAttribute(name, value);
    }
    for (const { name } of [...from.attributes]) {
      if (!mine.has(name) && !to.hasAttribute(name)) from.removeAttribute(name);
    }
  }

  function mergeChildren(from, to) {
    const known = new Map([...from.children].filter((e) => e.id).map((e) => [e.id, e]));
    let at = from.firstChild;
    for (const next of [...to.childNodes]) {
      const same = next.id ? known.get(next.id) : null;
      if (same) {
        if (same !== at) from.insertBefore(same, at);
        else at = at.nextSibling;
        merge(same, next);
      } else if (at && !at.id && !next.id && at.nodeName === next.nodeName) {
        const current = at;
        at = at.nextSibling;
        merge(current, next);
      } else {
        from.insertBefore(next, at);
      }
    }
    while (at) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
  }

  // ---- times in the reader's own clock -------------------------------------------------------------------------

  const hour = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });
  const exact = new Intl.DateTimeFormat([], { dateStyle: "full", timeStyle: "medium" });

  function localTimes(root) {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.valueOf())) continue;
      time.textContent = hour.format(at);
      time.title = exact.format(at);
    }
  }

  // ---- fetching ------------------------------------------------------------------------------------------------

  function show(part, fresh) {
    localTimes(fresh);
    merge(part, fresh);
    app.querySelectorAll("[data-composer]").forEach(dress);
    arrive();
  }

  function takePage(text, url) {
    const page = new DOMParser().parseFromString(text, "text/html");
    const fresh = page.getElementById("app");
    if (!fresh) throw new Error("not a page");
    const shown = new URL(url);
    const notice = page.getElementById("toast").textContent;
    shown.searchParams.delete("notice");
    shown.searchParams.delete("draft");
    const moved = shown.search !== location.search;
    if (moved) history.pushState(null, "", shown);
    const before = app.dataset.pane;
    show(app, fresh);
    if (before !== app.dataset.pane) app.querySelector(`.part-${app.dataset.pane}`)?.focus?.();
    if (notice) toast(notice);
    if (moved) {
      reveal();
      listen();
    }
  }

  async function go(url, push = true) {
    const mine = ++visit;
    const answer = await fetch(url, { headers: { accept: "text/html" } });
    if (!answer.ok) throw new Error(answer.statusText);
    const text = await answer.text();
    if (mine !== visit) return;
    takePage(text, push ? answer.url : location.href);
    if (!push) listen();
  }

  async function refresh(names) {
    const mine = visit;
    await Promise.all(names.map(async (name) => {
      const answer = await fetch(`/playground/part/${name}${location.search}`);
      if (!answer.ok) return;
      const text = await answer.text();
      const part = document.getElementById(`r-${name}`);
      if (mine !== visit || !part) return;
      const fresh = part.cloneNode(false);
      fresh.innerHTML = text; // our own server's HTML; the content policy lets no script in it run
      show(part, fresh);
    }));
  }

  // The chosen session may be far down its list.
  const reveal = () => document.querySelector(".sessions [aria-current]")?.scrollIntoView({ block: "nearest" });

  function toast(text) {
    const box = document.getElementById("toast");
    box.textContent = text;
    clearTimeout(toast.timer);
    toast.timer = setTimeout(() => (box.textContent = ""), 5000);
  }

  const failed = () => toast("The playground does not answer. Is it still running?");

  // ---- live ----------------------------------------------------------------------------------------------------

  function listen() {
    stream?.close();
    stream = new EventSource(`/playground/live${location.search}`);
    const live = (on) => document.documentElement.classList.toggle("is-live", on);
    stream.addEventListener("ready", () => {
      live(true);
      // Everything may have changed between the page and this line, or while the line was broken.
      refresh([...document.querySelectorAll("[id^=r-]")].map((e) => e.id.slice(2))).catch(failed);
    });
    stream.addEventListener("changed", (event) => refresh(event.data.split(",")).catch(failed));
    stream.onerror = () => live(false);
  }

  // ---- links and forms -----------------------------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    if (link.dataset.fill) {
      event.preventDefault();
      return fill(link.dataset.fill);
    }
    if ("press" in link.dataset) press(link.dataset);
    if (link.target || link.origin !== location.origin || link.pathname !== "/playground") return;
    event.preventDefault();
    link.closest("[popover]")?.hidePopover();
    go(link.href).catch(failed);
  });

  // A button with an address is a link that reports the press besides.
  function press({ spot, channel, ts, action, block }) {
    const body = new URLSearchParams(location.search);
    body.set("spot", spot);
    body.set("in", channel);
    body.set("ts", ts);
    body.set("action", action);
    body.set("block", block);
    if (!body.get("as")) body.set("as", document.querySelector("#compose-channel [name=as]")?.value ?? "");
    fetch("/playground/press", { method: "POST", body, keepalive: true, redirect: "manual" }).catch(failed);
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    event.preventDefault();
    const fields = new FormData(form, event.submitter);
    const body = form.enctype === "multipart/form-data" ? fields : new URLSearchParams(fields);
    // Not `form.action`: a field of that name would stand in its place.
    const target = event.submitter?.getAttribute("formaction") ?? form.getAttribute("action");
    (event.submitter?.closest("[popover]") ?? form.closest("[popover]"))?.hidePopover();
    // A composer is emptied at once; what a form with another purpose holds stays.
    const box = "composer" in form.dataset && !event.submitter?.hasAttribute("formaction") ? form.querySelector("textarea") : null;
    const written = box?.value;
    if (box) {
      const more = [...form.querySelectorAll("input[type=file], [name^=snippet]")];
      if (!written.trim() && more.every((field) => !field.value)) return;
      setText(box, "");
      for (const field of more) field.value = "";
      form.querySelector(".attach")?.dispatchEvent(new Event("change", { bubbles: true }));
      box.focus();
    }
    form.setAttribute("aria-busy", "true");
    const mine = ++visit;
    try {
      const answer = await fetch(target, { method: "POST", body });
      if (!answer.ok) throw new Error(answer.statusText);
      const text = await answer.text();
      if (mine !== visit) return;
      const before = app.dataset.thread;
      takePage(text, answer.url);
      // The conversation goes on in the thread that this opened.
      if (box && before !== app.dataset.thread) document.querySelector("#compose-thread textarea")?.focus();
    } catch {
      if (box && !box.value) setText(box, written);
      failed();
    } finally {
      form.removeAttribute("aria-busy");
    }
  });

  addEventListener("popstate", () => go(location.href, false).catch(failed));

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || event.target.value) return;
    if (document.querySelector("[popover]:popover-open")) return;
    (document.querySelector("#r-modal [data-escape]") ?? document.querySelector("[data-escape]"))?.click();
  });

  // ---- choices, menus, files, dialogs --------------------------------------------------------------------------

  // Choosing tells at once; without the script a button beside the select does.
  document.addEventListener("change", (event) => {
    const button = event.target.closest("[data-auto]")?.querySelector(".choose");
    if (button) button.form.requestSubmit(button);
    if (!event.target.matches(".attach")) return;
    const names = [...event.target.files].map((file) => file.name).join(", ");
    event.target.parentElement.title = names || "Attach files";
    event.target.parentElement.classList.toggle("attached", Boolean(names));
  });

  // A menu opens beside its button; without the script it stands in the middle.
  document.addEventListener("toggle", (event) => {
    const menu = event.target;
    if (event.newState !== "open" || !menu.matches?.(".menu")) return;
    const buttons = [...document.querySelectorAll(`[popovertarget="${CSS.escape(menu.id)}"]`)];
    const at = (buttons.find((button) => button.offsetParent) ?? menu).getBoundingClientRect();
    const { width, height } = menu.getBoundingClientRect();
    const below = at.bottom + height + 8 < innerHeight;
    menu.style.margin = "0";
    menu.style.left = `${Math.max(8, Math.min(at.right - width, innerWidth - width - 8))}px`;
    menu.style.top = `${Math.max(8, below ? at.bottom + 4 : at.top - height - 4)}px`;
  }, true);

  // A modal that has just been opened takes the keyboard.
  function arrive() {
    const modal = document.querySelector("#r-modal .modal");
    if (arrive.seen === modal?.id) return;
    arrive.seen = modal?.id;
    modal?.querySelector(".modal-body :is(input, textarea, select), .modal-foot button")?.focus();
  }

  // ---- composer ------------------------------------------------------------------------------------------------

  function dress(form) {
    if (form.dressed) return;
    form.dressed = true;
    const box = form.querySelector("textarea");
    const key = form.id + form.dataset.key;
    if (drafts.has(key)) box.value = drafts.get(key);
    grow(box);
    const lines = (text) => (text ?? "").split("\n").filter(Boolean);
    const names = lines(box.dataset.names).map((name) => `@${name}`);
    const words = [...names, ...lines(box.dataset.commands)];
    const menu = words.length ? wordMenu(form, box, words) : null;
    box.addEventListener("input", () => {
      drafts.set(key, box.value);
      grow(box);
      menu?.offer();
    });
    box.addEventListener("keydown", (event) => {
      if (event.isComposing || menu?.key(event)) return;
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
    box.addEventListener("blur", () => menu?.close());
  }

  function setText(box, text) {
    box.value = text;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // Height by rows, because the content policy forbids inline styles.
  function grow(box) {
    const rows = box.value.split("\n").reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / 60)), 0);
    box.rows = Math.min(10, Math.max(Number(box.dataset.rows ?? (box.dataset.rows = box.rows)), rows));
  }

  function fill(text) {
    const box = document.querySelector("#compose-channel textarea");
    if (!box) return;
    setText(box, text);
    box.focus();
    box.setSelectionRange(text.length, text.length);
  }

  // Names after an `@`, commands after a `/` at the start.
  function wordMenu(form, box, words) {
    let list = null;
    let chosen = 0;
    const typed = () => /(^|\s)(@[\p{L}\p{N} ]{0,20})$/u.exec(box.value.slice(0, box.selectionStart))
      ?? /^()(\/\w*)$/u.exec(box.value.slice(0, box.selectionStart));
    function close() {
      list?.remove();
      list = null;
      box.removeAttribute("aria-activedescendant");
    }
    function mark() {
      [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === chosen)));
      box.setAttribute("aria-activedescendant", list.children[chosen].id);
    }
    function offer() {
      close();
      const found = typed();
      if (!found) return;
      const wanted = found[2].toLowerCase();
      const fits = words.filter((word) => word.toLowerCase().startsWith(wanted) && word.toLowerCase() !== wanted);
      if (!fits.length) return;
      list = document.createElement("ul");
      list.className = "name-menu";
      list.setAttribute("role", "listbox");
      fits.slice(0, 8).forEach((word, i) => {
        const item = document.createElement("li");
        item.id = `${form.id}-name-${i}`;
        item.setAttribute("role", "option");
        item.textContent = word;
        item.addEventListener("mousedown", (event) => {
          event.preventDefault();
          take(word);
        });
        list.append(item);
      });
      chosen = 0;
      form.append(list);
      mark();
    }
    function take(word) {
      const found = typed();
      const end = box.selectionStart;
      const start = end - found[2].length;
      box.setRangeText(`${word} `, start, end, "end");
      setText(box, box.value);
      close();
    }
    function key(event) {
      if (!list) return false;
      const count = list.children.length;
      if (event.key === "ArrowDown") chosen = (chosen + 1) % count;
      else if (event.key === "ArrowUp") chosen = (chosen + count - 1) % count;
      else if (event.key === "Enter" || event.key === "Tab") take(list.children[chosen].textContent);
      else if (event.key === "Escape") close();
      else return false;
      event.preventDefault();
      if (list) mark();
      return true;
    }
    return { offer, close, key };
  }

  // ---- emoji ---------------------------------------------------------------------------------------------------

  // An emoji font draws in colour; the box that stands for a missing letter does not.
  function hasEmoji() {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 24;
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    if (!pen) return true;
    pen.font = "20px sans-serif";
    pen.fillText("🔥", 0, 20);
    const { data } = pen.getImageData(0, 0, 24, 24);
    for (let i = 0; i < data.length; i += 4) {
      if (data[i] !== data[i + 1] || data[i + 1] !== data[i + 2]) return true;
    }
    return false;
  }

  // ---- start ---------------------------------------------------------------------------------------------------

  document.documentElement.classList.toggle("no-emoji", !hasEmoji());
  document.documentElement.classList.add("scripted");
  localTimes(document);
  reveal();
  app.querySelectorAll("[data-composer]").forEach(dress);
  arrive();
  if (new URLSearchParams(location.search).has("notice")) {
    const clean = new URL(location.href);
    clean.searchParams.delete("notice");
    history.replaceState(null, "", clean);
    toast(document.getElementById("toast").textContent);
  }
  listen();
})();
