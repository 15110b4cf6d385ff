// Sets the colour scheme before the first paint; the choice is kept per browser.
(function () {
  "use strict";
  var root = document.documentElement;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  function chosen() {
    try { return localStorage.getItem("dotmac-theme") || "auto"; } catch (error) { return "auto"; }
  }
  function apply() {
    var choice = chosen();
    var theme = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
    root.setAttribute("data-bs-theme", theme);
    root.setAttribute("data-theme-choice", choice);
  }
  root.classList.add("js");
  dark.addEventListener("change", apply);
  window.dotmacTheme = function (choice) {
    try { localStorage.setItem("dotmac-theme", choice); } catch (error) { /* private window */ }
    apply();
    document.dispatchEvent(new CustomEvent("dotmac:theme"));
  };
  apply();
})();
