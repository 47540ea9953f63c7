// The one script of the workspace: it shows replies and jobs while they are made. Without it a page asks for itself again.
"use strict";

function followReply(place) {
  const source = new EventSource(`${place.dataset.stream}?from=${place.dataset.from}`);
  const near = () => window.innerHeight + window.scrollY > document.body.scrollHeight - 160;
  source.addEventListener("words", (event) => {
    const stay = near();
    place.append(JSON.parse(event.data));
    if (stay) window.scrollTo(0, document.body.scrollHeight);
  });
  // The page as the server has it now: with its buttons, and with what became of the message.
  source.addEventListener("end", () => {
    source.close();
    place.setAttribute("aria-busy", "false");
    window.location.reload();
  });
}

// A job that is under way: what has changed is put in, and at its end the whole page is asked for anew.
function followJob(place) {
  const look = async () => {
    const answer = await fetch(window.location.href).catch(() => null);
    if (answer && answer.ok && !answer.redirected) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
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
      }
    }
    window.setTimeout(look, Number(place.dataset.live));
  };
  window.setTimeout(look, Number(place.dataset.live));
}

function sendOnEnter(form) {
  const text = form.querySelector("textarea");
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && text.value.trim()) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  form.addEventListener("submit", () => form.querySelector("button").setAttribute("disabled", ""));
}

document.querySelectorAll("[data-stream]").forEach(followReply);
document.querySelectorAll("[data-live]").forEach(followJob);
document.querySelectorAll("[data-composer]").forEach(sendOnEnter);
const last = document.querySelector(".asks") || document.querySelector(".messages > li:last-child");
if (last && !window.location.hash) last.scrollIntoView({ block: "end" });
