// Keeps the live part of a page honest: no questions from a page that nobody sees, and a word when
// the hive does not answer.

const notice = document.getElementById("link-lost");

function setLost(isLost) {
  if (notice !== null && notice.hidden === isLost) notice.hidden = !isLost;
}

document.addEventListener("htmx:before:request", (event) => {
  if (document.hidden) event.preventDefault();
});
document.addEventListener("htmx:error", () => setLost(true));
document.addEventListener("htmx:response:error", () => setLost(true));
document.addEventListener("htmx:after:swap", () => setLost(false));
