// Speech by what the browser has: dictation into the answer, and the question read aloud. Where it has neither, nothing is shown.
(() => {
  const Recognition = window.SpeechRecognition || window.webkitSpeechRecognition;
  const voice = window.speechSynthesis;
  const root = document.documentElement;
  if (Recognition) root.dataset.hears = "";
  if (voice && window.SpeechSynthesisUtterance) root.dataset.speaks = "";
  const english = () => (navigator.language?.startsWith("en") ? navigator.language : "en-US");

  // -- dictation -------------------------------------------------------------------------------------------------------

  const WRONG = {
    "not-allowed": "Microphone access is blocked. Allow it for this site in your browser's settings.",
    "service-not-allowed": "This browser doesn't allow speech recognition here.",
    "audio-capture": "No microphone was found.",
    "no-speech": "We didn't hear anything.",
    network: "We can't reach your browser's speech service.",
    "language-not-supported": "Your browser's speech service doesn't support English.",
  };
  let listening = null; // the recognition that runs, with the button that started it and the box it writes into

  const show = (name, text) => {
    const place = document.querySelector(`[data-${name}]`);
    if (place) place.textContent = text;
  };

  const insert = (box, text) => {
    const before = box.value.slice(0, box.selectionStart);
    const after = box.value.slice(box.selectionEnd);
    const spoken = text.trim();
    const lead = before && !/\s$/.test(before) ? " " : "";
    const trail = after && !/^\s/.test(after) ? " " : "";
    box.setRangeText(lead + spoken + trail, box.selectionStart, box.selectionEnd, "end");
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };

  const heard = ({ results, resultIndex }) => {
    let interim = "";
    for (const result of [...results].slice(resultIndex)) {
      if (result.isFinal) insert(listening.box, result[0].transcript);
      else interim += result[0].transcript;
    }
    show("heard", interim);
  };

  const end = (message = "Dictation stopped.") => {
    if (!listening) return;
    const { recognition, button } = listening;
    listening = null;
    recognition.onresult = recognition.onerror = recognition.onend = null;
    recognition.stop();
    delete button.dataset.on;
    show("heard", "");
    show("dictation", message);
  };

  const begin = (button) => {
    const box = document.getElementById(button.dataset.dictate);
    if (!box) return;
    const recognition = new Recognition();
    Object.assign(recognition, { lang: english(), continuous: true, interimResults: true });
    recognition.onresult = heard;
    recognition.onerror = ({ error }) => end(WRONG[error] || "Dictation stopped because of a problem in the browser.");
    recognition.onend = () => end();
    listening = { recognition, button, box };
    try {
      recognition.start();
    } catch {
      return end("Dictation couldn't start.");
    }
    button.dataset.on = "";
    show("dictation", "Listening. Please speak English. Your browser may send the audio to the company that makes it.");
  };

  // -- reading aloud -----------------------------------------------------------------------------------------------------

  let reading = null; // the button of what is being read

  const hush = () => {
    if (!reading) return;
    delete reading.dataset.on;
    reading = null;
    voice.cancel();
  };

  // The words alone: code is not read, nor are signs that only structure a text.
  const spoken = (element) => {
    const copy = element.cloneNode(true);
    copy.querySelectorAll("pre").forEach((code) => code.replaceWith(" (There's code on the page.) "));
    copy.querySelectorAll("p, li, div").forEach((block) => block.append("\n"));
    return copy.textContent.replace(/[`*_#>|~]+/g, " ").replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[ \t]+/g, " ").trim();
  };

  const read = (button) => {
    const element = document.getElementById(button.dataset.read);
    if (!element) return;
    const utterance = new SpeechSynthesisUtterance(spoken(element));
    utterance.lang = english();
    utterance.onend = utterance.onerror = () => reading === button && hush();
    voice.cancel();
    reading = button;
    button.dataset.on = "";
    voice.speak(utterance);
  };

  // -- when ----------------------------------------------------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    const dictates = event.target.closest?.("[data-dictate]");
    const reads = event.target.closest?.("[data-read]");
    if (dictates && Recognition) {
      if (listening) end();
      else begin(dictates);
    }
    if (reads && voice) {
      if (reading) hush();
      else read(reads);
    }
  });
  addEventListener("answer-sent", () => (end(""), hush()));
  addEventListener("pagehide", () => (end(""), hush()));
  // The question or its box may go without anything being sent: a pause, another page.
  new MutationObserver(() => {
    if (listening && !(listening.box.isConnected && listening.button.isConnected)) end("");
    if (reading && !reading.isConnected) hush();
  }).observe(root, { childList: true, subtree: true });
})();
