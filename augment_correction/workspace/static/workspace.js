// The one script of the workspace: it shows replies while they are made. Without it the page asks for itself again.
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
document.querySelectorAll("[data-composer]").forEach(sendOnEnter);
const last = document.querySelector(".asks") || document.querySelector(".messages > li:last-child");
if (last && !window.location.hash) last.scrollIntoView({ block: "end" });
