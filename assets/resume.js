// Reads the text of a PDF or .docx file into the résumé box of the start form (components/resume.py). The server extracts the text
// and stores nothing; the user sees the text, and the form sends what is in the box.
(() => {
  const UNREACHABLE = "We couldn't reach the server. Nothing has changed. Please try again.";
  const SIGNED_OUT = "You've been signed out. Sign in again in another tab, then choose the file again.";
  const READING = "Wait until your file has been read.";

  const part = (place, name) => place.querySelector(`[data-resume-${name}]`);

  const say = (place, text, kind = "") => {
    const status = part(place, "status");
    status.dataset.kind = kind;
    status.textContent = text;
  };

  const fill = (place, text) => {
    const box = part(place, "box");
    box.value = text;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };

  // While a file is being read, the form can't be sent: it would be sent without the résumé.
  const busy = (place, on) => {
    part(place, "file").disabled = on;
    part(place, "box").setCustomValidity(on ? READING : "");
  };

  const extracted = async (file) => {
    let response;
    try {
      response = await fetch("/session/resume", { method: "POST", body: file });
    } catch {
      throw new Error(UNREACHABLE);
    }
    const found = await response.json().catch(() => ({}));
    if (response.status === 401) throw new Error(SIGNED_OUT);
    if (!response.ok) throw new Error(found.error || UNREACHABLE);
    return found.text;
  };

  const read = async (place, file) => {
    if (file.size > Number(place.dataset.most)) return say(place, place.dataset.tooLarge, "bad");
    busy(place, true);
    say(place, `Reading ${file.name}…`, "busy");
    try {
      const text = await extracted(file);
      place.before = part(place, "box").value;
      fill(place, text);
      part(place, "undo").hidden = false;
      say(place, `We read ${file.name}. Please check the text; you can change or delete anything.`);
    } catch (error) {
      say(place, error.message, "bad");
    } finally {
      busy(place, false);
    }
  };

  document.addEventListener("change", (event) => {
    const input = event.target.closest?.("[data-resume-file]");
    const [file] = input?.files || [];
    if (!file) return;
    read(input.closest("[data-resume]"), file).finally(() => {
      input.value = ""; // the same file can be chosen again
      input.focus();
    });
  });

  // Enter in a file input would send the form, which costs a credit.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches?.("[data-resume-file]")) return;
    event.preventDefault();
    event.target.click();
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-resume-undo]");
    if (!button) return;
    const place = button.closest("[data-resume]");
    fill(place, place.before || "");
    button.hidden = true;
    say(place, "The text is as it was before.");
    part(place, "box").focus();
  });

  document.addEventListener("input", (event) => {
    if (!event.isTrusted || !event.target.matches?.("[data-resume-box]")) return;
    const place = event.target.closest("[data-resume]");
    part(place, "undo").hidden = true; // it would undo the user's changes too
    if (!part(place, "file").disabled) say(place, "");
  });

  // A file dropped on the field is read; the browser would leave the page to open it.
  const dropped = (event) => (event.dataTransfer?.types.includes("Files") && event.target.closest?.("[data-resume]")) || null;

  document.addEventListener("dragover", (event) => dropped(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    const place = dropped(event);
    if (!place) return;
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file && !part(place, "file").disabled) read(place, file);
  });
})();
