// The one script of the workspace: it shows replies and jobs while they are made, and spares some clicks. Every page works without it.
"use strict";

// Blocks that have ended stay as they are, and so does what somebody has marked in them.
function followReply(place) {
  const source = new EventSource(place.dataset.stream);
  source.addEventListener("blocks", (event) => {
    if (!place.isConnected) return source.close(); // another reply's end has put the page of now in its place
    const { kept, html } = JSON.parse(event.data);
    atTheEnd(() => {
      while (place.childElementCount > kept) place.lastChild.remove();
      place.insertAdjacentHTML("beforeend", html);
    });
  });
  source.addEventListener("end", async () => {
    source.close();
    const page = await pageNow();
    const made = page && page.querySelector(".messages");
    if (!place.isConnected) return;
    if (!made) {
      window.location.reload();
      return;
    }
    const asked = document.querySelector(".asks");
    atTheEnd(() => takeOver(made, place));
    const asks = document.querySelector(".asks");
    if (asks && !asked) asks.scrollIntoView({ block: "nearest" });
  });
}

// The messages as the server has them now, with their buttons; where somebody is writing, or has opened something, nothing changes.
function takeOver(made, place) {
  const list = place.closest(".messages");
  const ended = place.closest("li");
  const answered = made.querySelector(`#${ended.id} .text`);
  const busy = (each) => each !== ended && (each.querySelector("details[open]") || each.matches(":focus-within"));
  const leaving = ended.contains(document.activeElement);
  list.querySelectorAll("li[id]").forEach((each) => made.querySelector(`#${each.id}`) || each.remove());
  made.querySelectorAll("li[id]").forEach((each) => {
    const old = document.getElementById(each.id);
    if (!old) list.append(each);
    else if (!busy(old)) old.replaceWith(each);
    else return;
    enliven(each);
  });
  markDays(list);
  const text = document.querySelector("[data-composer] textarea");
  if (leaving && text) text.focus();
  document.getElementById("answered").textContent = answered ? answered.textContent : "";
}

// Pixels of the chat below the window; on a phone the list of all chats comes after it.
function belowWindow() {
  return document.querySelector(".chat").getBoundingClientRect().bottom - window.innerHeight;
}

function showEnd() {
  window.scrollBy(0, Math.max(0, belowWindow()));
}

// Who reads the end of the chat goes on reading it.
function atTheEnd(change) {
  const stay = Math.abs(belowWindow()) < 160;
  change();
  if (stay) showEnd();
}

// This page as the server has it now; null where it is away, or the page leads elsewhere.
async function pageNow() {
  const answer = await fetch(window.location.href).catch(() => null);
  return answer && answer.ok && !answer.redirected ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
}

// A job that is under way: what has changed is put in, and at its end the whole page is asked for anew.
function followJob(place) {
  const look = async () => {
    const page = await pageNow();
    if (page) {
      const made = page.getElementById(place.id);
      if (!made || !made.dataset.live) {
        window.location.reload();
        return;
      }
      const open = place.querySelector("details[open]");
      if (made.innerHTML !== place.dataset.shown) {
        place.dataset.shown = made.innerHTML;
        if (open) made.querySelectorAll("details").forEach((each) => each.setAttribute("open", ""));
        place.replaceChildren(...made.childNodes);
        enliven(place);
      }
    }
    window.setTimeout(look, Number(place.dataset.live));
  };
  window.setTimeout(look, Number(place.dataset.live));
}

// On a phone the key for a new line is the only one there is.
function sendOnEnter(form) {
  const text = form.querySelector("textarea");
  const touched = window.matchMedia("(pointer: coarse)").matches;
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !touched && !event.shiftKey && !event.isComposing && text.value.trim()) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  keepDraft(text, form.dataset.composer);
}

// What is written stays in this tab until a page shows that it was sent: a session may end meanwhile.
function keepDraft(text, person) {
  const key = `draft ${person} ${window.location.pathname}`;
  const sent = document.querySelectorAll(".messages > .user").length;
  const draft = JSON.parse(window.sessionStorage.getItem(key) || "null");
  const begun = window.sessionStorage.getItem("begun");
  if (begun && sent) {
    window.sessionStorage.removeItem(begun);
    window.sessionStorage.removeItem("begun");
  }
  if (draft && draft.sent === sent && !text.value) text.value = draft.text;
  else if (draft) window.sessionStorage.removeItem(key);
  text.addEventListener("input", () => window.sessionStorage.setItem(key, JSON.stringify({ sent, text: text.value })));
  if (!sent) text.form.addEventListener("submit", () => window.sessionStorage.setItem("begun", key));
}

// A second click sends nothing; the button is free again where the browser comes back to the page.
function sendOnce(event) {
  if (event.defaultPrevented) return;
  const buttons = event.target.querySelectorAll("button");
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
  if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
  window.setTimeout(() => buttons.forEach((each) => each.setAttribute("disabled", "")));
}

function free() {
  document.querySelectorAll("form[data-sent]").forEach((form) => {
    delete form.dataset.sent;
    form.querySelectorAll("button").forEach((each) => {
      each.removeAttribute("disabled");
      each.removeAttribute("aria-busy");
    });
  });
}

// As the clock of whoever reads it has it: the server knows no time zone.
function inOwnTime(place) {
  const moment = new Date(place.dateTime);
  if (Number.isNaN(moment.valueOf())) return;
  const inWords = (style) => new Intl.DateTimeFormat("en-GB", style).format(moment);
  const whole = inWords({ dateStyle: "medium", timeStyle: "short" });
  const clock = "clock" in place.dataset;
  place.title = clock ? whole : place.textContent;
  place.textContent = clock ? inWords({ timeStyle: "short" }) : whole;
}

// Where a day begins depends on the time zone, too: the server's are taken away. A chat of today alone needs none.
function markDays(list) {
  const inWords = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" });
  let before = inWords.format(new Date());
  list.querySelectorAll(".day").forEach((each) => each.remove());
  list.querySelectorAll("[data-clock]").forEach((time) => {
    const day = inWords.format(new Date(time.dateTime));
    if (day === before) return;
    before = day;
    const mark = document.createElement("li");
    mark.className = "day";
    mark.textContent = day;
    time.closest("li").before(mark);
  });
}

function offerCopy(place) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(place.value || place.textContent.trim());
    button.textContent = "Copied";
  });
  const tools = place.parentElement.querySelector(":scope > .tools");
  if (tools) tools.append(button);
  else place.after(button);
}

// What is too large is told before it is sent.
function watchSize(field) {
  field.addEventListener("change", () => {
    const size = [...field.files].reduce((sum, file) => sum + file.size, 0);
    const most = Number(field.dataset.most);
    const told = `${(size / 2 ** 20).toFixed(0)} MB are more than the ${most / 2 ** 20} MB that can be sent at once.`;
    field.setCustomValidity(size > most - 2 ** 16 ? told : "");
    field.reportValidity();
  });
}

function closeMenus(event) {
  document.querySelectorAll("details.menu[open], details.sure[open]").forEach((menu) => {
    const away = event.type === "keydown" ? event.key === "Escape" : !menu.contains(event.target);
    if (!away) return;
    menu.removeAttribute("open");
    if (event.type === "keydown") menu.querySelector("summary").focus();
  });
}

// What the server has sent, when the page comes and later.
function enliven(place) {
  place.querySelectorAll("[data-stream]").forEach(followReply);
  place.querySelectorAll("time").forEach(inOwnTime);
  if (navigator.clipboard) place.querySelectorAll("[data-copy]").forEach(offerCopy);
}

enliven(document);
document.querySelectorAll("[data-live]").forEach(followJob);
document.querySelectorAll("[data-composer]").forEach(sendOnEnter);
document.querySelectorAll(".messages").forEach(markDays);
document.querySelectorAll("[data-most]").forEach(watchSize);
document.addEventListener("submit", sendOnce);
document.addEventListener("click", closeMenus);
document.addEventListener("keydown", closeMenus);
window.addEventListener("pageshow", free);
// What was said once is not said again by a reload.
const address = new URL(window.location.href);
if (address.searchParams.has("said")) {
  address.searchParams.delete("said");
  window.history.replaceState(null, "", address);
}
const here = document.querySelector(".sections [aria-current]");
if (here) here.parentElement.scrollLeft = here.offsetLeft - here.parentElement.clientWidth / 2 + here.offsetWidth / 2;
const asks = document.querySelector(".asks");
if (asks) asks.scrollIntoView({ block: "nearest" });
else if (document.querySelector(".messages") && !window.location.hash && !document.getElementById("edited")) showEnd();
