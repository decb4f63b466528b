(function () {
  var root = document.documentElement;
  root.classList.add("js");
  try {
    var theme = localStorage.getItem("flowforge-theme");
    if (theme === "dark" || theme === "light") root.dataset.theme = theme;
  } catch (error) { /* storage may be forbidden: the system's theme stays */ }
})();
