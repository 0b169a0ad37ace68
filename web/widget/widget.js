/* Glute Coach: a chat for any page. <script src="https://HOST/widget.js" async></script> is all it needs.
 *
 * Everything lives in a shadow root, is built with DOM calls (never from strings of HTML), and talks
 * to the host that the script came from and to no other. On the chat page itself the same file
 * (with data-page) only brings the dialog that opens a citation. */
(() => {
  "use strict";
  // A module has no current script: it is the one whose address this very line runs at.
  const here = new Error().stack || "";
  const script = document.currentScript || [...document.scripts].find((tag) => tag.src && here.includes(tag.src));
  // Once a page, however many tags; noted where no script of the page can trip over the name.
  const MARK = Symbol.for("glute-coach");
  if (!script || !script.src || document[MARK]) return;
  document[MARK] = true;
  const HOST = new URL(script.src).origin;
  const ON_PAGE = script.hasAttribute("data-page");
  const STORE = "glute-coach:" + HOST;
  const MAX_TURNS = 12;
  const MAX_QUESTION = 2000;

  const STYLE = `
  /* Where both sides say !important, the shadow's own rules win over the page's. */
  :host { all: initial !important; display: block !important; }
  *, *::before, *::after { box-sizing: border-box; }
  .root {
    --ink: #0f1f1d; --soft: #52625f; --paper: #ffffff; --tint: #f1f6f5; --line: #d3dedc;
    --accent: #0f766e; --on-accent: #ffffff; --chip: #d5efec; --chip-ink: #0b4f4a;
    --warn: #fff7e0; --warn-ink: #6b3a08; --warn-line: #d97706; --mark: #ffe58a; --mark-ink: #1f1a00;
    font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
    color: var(--ink); text-align: left;
  }
  .root.dark {
    --ink: #e8f0ee; --soft: #a5b6b3; --paper: #14201f; --tint: #1d2c2a; --line: #374946;
    --accent: #2dd4bf; --on-accent: #042f2b; --chip: #17514b; --chip-ink: #d6fbf5;
    --warn: #3a2a0b; --warn-ink: #fde7b8; --warn-line: #f59e0b; --mark: #f5d565; --mark-ink: #1f1a00;
    color-scheme: dark;
  }
  button, textarea, select { font: inherit; color: inherit; }
  button { cursor: pointer; }
  :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
  a { color: var(--accent); }
  [hidden] { display: none !important; }
  .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  .launch {
    position: fixed; right: 20px; bottom: 20px; z-index: 2147483000; display: flex; gap: 8px; align-items: center;
    padding: 12px 18px; border: 0; border-radius: 999px; background: var(--accent); color: var(--on-accent);
    font-weight: 600; box-shadow: 0 6px 20px rgb(0 0 0 / .28);
  }
  .launch svg { width: 20px; height: 20px; }
  .panel {
    position: fixed; right: 20px; bottom: 20px; z-index: 2147483001; display: flex; flex-direction: column;
    width: min(400px, calc(100vw - 40px)); height: min(640px, calc(100vh - 40px)); overflow: hidden;
    background: var(--paper); border: 1px solid var(--line); border-radius: 16px;
    box-shadow: 0 16px 48px rgb(0 0 0 / .32); animation: rise .18s ease-out;
  }
  @keyframes rise { from { opacity: 0; transform: translateY(12px); } }
  .head { display: flex; align-items: center; gap: 4px; padding: 10px 10px 10px 16px; border-bottom: 1px solid var(--line); }
  .head h2 { flex: 1; margin: 0; font-size: 17px; font-weight: 700; }
  .icon { display: grid; place-items: center; width: 44px; height: 44px; padding: 0; border: 0; border-radius: 10px; background: none; }
  .icon:hover { background: var(--tint); }
  .icon svg { width: 20px; height: 20px; }
  .log { position: relative; flex: 1; overflow-y: auto; padding: 14px 16px; overscroll-behavior: contain; }
  .turn { margin: 0 0 14px; overflow-wrap: anywhere; }
  .turn.user { margin-left: 40px; padding: 8px 12px; border-radius: 14px 14px 4px 14px; background: var(--accent); color: var(--on-accent); width: fit-content; justify-self: end; margin-inline-start: auto; max-width: 85%; }
  .turn p, .turn ul, .turn ol { margin: 0 0 8px; }
  .turn ul, .turn ol { padding-left: 22px; }
  .turn table { width: 100%; margin: 0 0 10px; border-collapse: collapse; font-size: 12.5px; }
  .turn :is(th, td) { padding: 5px 5px 5px 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; overflow-wrap: break-word; }
  .turn td { overflow-wrap: anywhere; }
  .turn h3 { margin: 10px 0 4px; font-size: 16px; }
  .waiting { color: var(--soft); }
  .waiting::after { content: ""; display: inline-block; width: 1.2em; text-align: left; animation: dots 1.2s steps(4) infinite; }
  @keyframes dots { 0% { content: ""; } 25% { content: "."; } 50% { content: ".."; } 75% { content: "..."; } }
  .cite::after { content: ""; position: absolute; inset: -12px -9px; }
  .cite {
    position: relative; display: inline-block; min-width: 24px; margin: 0 1px; padding: 0 5px; border: 0; border-radius: 7px;
    background: var(--chip); color: var(--chip-ink); font-size: 12.5px; font-weight: 700; line-height: 21px; vertical-align: 2px;
  }
  .box { margin: 0 0 10px; padding: 10px 12px; border: 1px solid var(--warn-line); border-left-width: 5px; border-radius: 8px; background: var(--warn); color: var(--warn-ink); }
  .box strong { display: block; }
  .notice { margin: 0 0 8px; color: var(--soft); font-style: italic; }
  .chips { display: flex; flex-wrap: wrap; gap: 6px; margin-top: 8px; }
  .chip { padding: 6px 12px; border: 1px solid var(--line); border-radius: 14px; background: var(--tint); text-align: left; font-size: 14px; }
  .chip:hover { border-color: var(--accent); }
  .thumbs { display: flex; gap: 2px; align-items: center; color: var(--soft); font-size: 13px; }
  .thumbs .icon { width: 34px; height: 34px; }
  .thumbs .icon svg { width: 17px; height: 17px; }
  .thumbs .icon[aria-pressed="true"] { background: var(--chip); color: var(--chip-ink); }
  .foot { padding: 10px 12px 8px; border-top: 1px solid var(--line); }
  .ask { display: flex; gap: 8px; align-items: flex-end; margin: 0; }
  .ask textarea { flex: 1; min-height: 44px; max-height: 120px; padding: 9px 12px; border: 1px solid var(--line); border-radius: 12px; background: var(--tint); resize: none; }
  .send { height: 44px; padding: 0 16px; border: 0; border-radius: 12px; background: var(--accent); color: var(--on-accent); font-weight: 600; }
  .send:disabled { opacity: .55; cursor: default; }
  .small { display: flex; justify-content: space-between; gap: 8px; align-items: center; margin-top: 6px; color: var(--soft); font-size: 12px; }
  .small select { min-height: 32px; padding: 2px 8px; border: 1px solid var(--line); border-radius: 6px; background: var(--paper); font-size: 12px; }
  dialog.source {
    width: min(620px, calc(100vw - 32px)); max-height: min(80vh, 760px); padding: 0; border: 1px solid var(--line);
    border-radius: 16px; background: var(--paper); color: var(--ink); box-shadow: 0 20px 60px rgb(0 0 0 / .4); overflow: auto;
  }
  dialog.source::backdrop { background: rgb(0 0 0 / .5); }
  .source .head { position: sticky; top: 0; background: var(--paper); align-items: flex-start; }
  .source h2 { line-height: 1.3; padding-top: 6px; }
  .source .body { padding: 14px 18px 18px; overflow-wrap: anywhere; }
  .where { margin: 0 0 8px; color: var(--soft); font-size: 14px; }
  .passage { margin: 0; padding: 0 0 0 14px; border-left: 3px solid var(--line); white-space: pre-wrap; }
  mark { background: var(--mark); color: var(--mark-ink); padding: 1px 2px; border-radius: 3px; }
  .source h3 { margin: 18px 0 6px; font-size: 15px; }
  .study { margin: 0 0 10px; padding: 10px 12px; border-radius: 10px; background: var(--tint); font-size: 14px; }
  .study p { margin: 2px 0; }
  .study .label { font-weight: 700; }
  .facts { color: var(--soft); }
  .flag { display: inline-block; padding: 0 8px; border-radius: 6px; background: var(--warn); color: var(--warn-ink); border: 1px solid var(--warn-line); font-weight: 600; }
  @media (max-width: 520px) {
    .panel { inset: 0; width: 100%; height: 100%; height: 100dvh; border: 0; border-radius: 0; }
    dialog.source { width: 100%; max-width: 100%; margin: auto 0 0; border-radius: 16px 16px 0 0; max-height: 85dvh; }
    .icon, .thumbs .icon { width: 44px; height: 44px; }
    .chip { min-height: 44px; }
    .small select { min-height: 44px; padding: 2px 10px; font-size: 14px; }
  }
  @media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } .waiting::after { content: "..."; } }
  @media (forced-colors: active) { .launch, .send, .chip, .cite { border: 1px solid; } }
  `;

  // ---------------------------------------------------------------- small tools

  /** An element with attributes and children; strings become text nodes, so nothing is parsed. */
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value != null) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child != null && child !== ""));
    return element;
  };

  const drawing = (...paths) => {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    const looks = { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": "2", "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" };
    for (const [name, value] of Object.entries(looks)) svg.setAttribute(name, value);
    for (const d of paths) {
      const path = document.createElementNS(space, "path");
      path.setAttribute("d", d);
      svg.append(path);
    }
    return svg;
  };
  const CHAT = ["M4 5h16a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1h-8l-5 4v-4H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1z"];
  const CROSS = ["M6 6l12 12", "M18 6L6 18"];
  const AGAIN = ["M4 12a8 8 0 1 0 2.5-5.8", "M4 4v4h4"];
  const UP = ["M7 11v9H4v-9z", "M7 11l4-8a2.5 2.5 0 0 1 2.5 2.5V9h5a2 2 0 0 1 2 2.3l-1.2 7a2 2 0 0 1-2 1.7H7"];
  const DOWN = ["M7 13V4H4v9z", "M7 13l4 8a2.5 2.5 0 0 0 2.5-2.5V15h5a2 2 0 0 0 2-2.3l-1.2-7a2 2 0 0 0-2-1.7H7"];

  const webAddress = (text) => {
    try {
      const url = new URL(text);
      return url.protocol === "https:" || url.protocol === "http:" ? url : null;
    } catch {
      return null;
    }
  };

  const link = (url, text) => make("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, text);

  /** The article's address, opening at the quote where the browser knows text fragments. */
  const fragmentAddress = (address, quote) => {
    const url = webAddress(address);
    if (!url) return null;
    const part = (words) => encodeURIComponent(words.join(" ")).replaceAll("-", "%2D");
    const words = quote.trim().split(/\s+/);
    const text = words.length > 12 ? part(words.slice(0, 5)) + "," + part(words.slice(-5)) : part(words);
    return url.href.replace(/#.*$/, "") + (url.hash || "#") + ":~:text=" + text;
  };

  const kindInWords = (kind) =>
    ({ rct: "RCT", emg: "EMG study", mri: "MRI study" })[kind] || kind.replace(/[-_]/g, " ");

  // ---------------------------------------------------------------- Markdown, the little that answers use

  /** Adds a line of Markdown to `parent`: **strong**, *emphasis*, \escapes and citation markers. */
  const addInline = (parent, text, citations, open) => {
    const pieces = /\\([\s\S])|\*\*([\s\S]+?)\*\*|\*([^*\s][^*]*?)\*|\[(\d{1,3})\]/g;
    let plain = "";
    let from = 0;
    const flush = () => {
      if (plain) parent.append(plain);
      plain = "";
    };
    for (const match of text.matchAll(pieces)) {
      plain += text.slice(from, match.index);
      from = match.index + match[0].length;
      const citation = match[4] && citations.get(Number(match[4]));
      if (match[1] !== undefined) plain += match[1];
      else if (citation) {
        flush();
        const label = "Source " + citation.marker + ": " + sourceName(citation);
        parent.append(
          make("button", { type: "button", class: "cite", "aria-label": label, title: label, "aria-haspopup": "dialog", onclick: () => open(citation) }, String(citation.marker)),
        );
      } else if (match[2] || match[3]) {
        flush();
        const child = make(match[2] ? "strong" : "em");
        addInline(child, match[2] || match[3], citations, open);
        parent.append(child);
      } else plain += match[0];
    }
    plain += text.slice(from);
    flush();
  };

  /** A Markdown table: a line of headings, a line of dashes, then rows that begin with their heading. */
  const tableOf = (lines, citations, open) => {
    const cells = (line) => line.replace(/^\|| *\|$/g, "").split(/(?<!\\)\|/);
    const [head, , ...rows] = lines.filter((line) => line.trim()).map(cells);
    const row = (texts, scope) =>
      make("tr", {}, ...texts.map((text, n) => {
        const cell = scope || !n ? make("th", { scope: scope || "row" }) : make("td");
        addInline(cell, text.trim(), citations, open);
        return cell;
      }));
    return make("table", {}, make("thead", {}, row(head, "col")), make("tbody", {}, ...rows.map((texts) => row(texts))));
  };

  /** The blocks of a Markdown text: paragraphs, headings, lists, tables. */
  const blocksOf = (text, citations, open) => {
    const blocks = [];
    for (const chunk of text.split(/\n{2,}/)) {
      let list = null;
      let paragraph = null;
      if (/^\|.*\n\| *-{3}/.test(chunk)) {
        blocks.push(tableOf(chunk.split("\n"), citations, open));
        continue;
      }
      for (const line of chunk.split("\n")) {
        const item = /^\s*(?:[-*+]|(\d+)[.)])\s+(.*)$/.exec(line);
        const heading = /^#{1,6}\s+(.*)$/.exec(line);
        if (item) {
          const tag = item[1] ? "ol" : "ul";
          if (!list || list.localName !== tag) blocks.push((list = make(tag)));
          const entry = make("li");
          addInline(entry, item[2], citations, open);
          list.append(entry);
          paragraph = null;
        } else if (heading) {
          const title = make("h3");
          addInline(title, heading[1], citations, open);
          blocks.push(title);
          list = paragraph = null;
        } else if (line.trim()) {
          if (paragraph) paragraph.append(" ");
          else blocks.push((paragraph = make("p")));
          addInline(paragraph, line, citations, open);
          list = null;
        }
      }
    }
    return blocks;
  };

  const sourceName = (citation) =>
    citation.references && citation.references.length
      ? citation.references.map((reference) => reference.label).join("; ")
      : [citation.title, citation.section].filter(Boolean).join(", ");

  // ---------------------------------------------------------------- talking to the host

  class Trouble extends Error {
    constructor(message, wait = 0) {
      super(message);
      this.wait = wait;
    }
  }

  /** A reader of server-sent events that does not mind where the network cuts the stream. */
  const eventReader = (onEvent) => {
    let rest = "";
    let name = "";
    let data = [];
    let afterReturn = false;
    const takeLine = (line) => {
      if (line === "") {
        if (data.length) onEvent(name || "message", data.join("\n"));
        name = "";
        data = [];
        return;
      }
      if (line.startsWith(":")) return;
      const colon = line.indexOf(":");
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "event") name = value;
      else if (field === "data") data.push(value);
    };
    return (text) => {
      // A "\r\n" may be cut in the middle: the "\n" that follows then ends no line of its own.
      if (text && afterReturn) {
        afterReturn = false;
        if (text.startsWith("\n")) text = text.slice(1);
      }
      if (text) afterReturn = text.endsWith("\r");
      const lines = (rest + text).split(/\r\n|\r|\n/);
      rest = lines.pop();
      lines.forEach(takeLine);
    };
  };

  const troubleFrom = async (response) => {
    let message = "";
    try {
      message = (await response.json()).error.message;
    } catch {
      // Not one of our errors: a proxy's page, for example.
    }
    if (response.status === 429) {
      const wait = Number(response.headers.get("Retry-After")) || 30;
      return new Trouble("That was a lot of questions at once. Please try again in " + wait + " s.", wait);
    }
    if (message) return new Trouble(message.charAt(0).toUpperCase() + message.slice(1) + (/[.!?]$/.test(message) ? "" : "."));
    return new Trouble("The coach cannot answer at the moment. Please try again.");
  };

  const connect = async (path, options) => {
    let response;
    try {
      response = await fetch(HOST + path, { credentials: "omit", referrerPolicy: "origin", ...options });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Trouble(navigator.onLine === false ? "You seem to be offline." : "The coach cannot be reached at the moment.");
    }
    if (!response.ok) throw await troubleFrom(response);
    return response;
  };

  const post = (path, body, signal) =>
    connect(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal });

  /** Asks; calls `on.sources` and `on.token` on the way and returns the whole answer. */
  const ask = async (body, on, signal) => {
    const response = await post("/api/ask", { ...body, stream: true }, signal);
    let answer = null;
    let trouble = null;
    const feed = eventReader((name, data) => {
      const content = JSON.parse(data);
      if (name === "sources") on.sources(content.citations);
      else if (name === "token") {
        if (content.citations) on.sources(content.citations);
        on.token(content.text);
      }
      else if (name === "answer") answer = content;
      else if (name === "error") trouble = new Trouble(content.error.message);
    });
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        feed(decoder.decode(value, { stream: true }));
      }
      feed(decoder.decode());
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Trouble("The answer was cut off.");
    }
    if (trouble) throw trouble;
    if (!answer) throw new Trouble("The answer was cut off.");
    return answer;
  };

  // ---------------------------------------------------------------- the shadow root and its looks

  const holder = make("div", { id: "glute-coach" });
  const shadow = holder.attachShadow({ mode: "open" });
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    shadow.adoptedStyleSheets = [sheet];
  } catch {
    shadow.append(make("style", {}, STYLE));
  }
  const root = make("div", { class: "root", lang: "en" });
  shadow.append(root);
  const darkness = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => root.classList.toggle("dark", ON_PAGE ? document.body.classList.contains("dark") : darkness.matches);
  darkness.addEventListener("change", paint);

  // ---------------------------------------------------------------- the dialog that opens a citation

  const sourceTitle = make("h2", { id: "source-title" });
  const sourceBody = make("div", { class: "body" });
  const dialog = make(
    "dialog",
    { class: "source", "aria-labelledby": "source-title" },
    make("div", { class: "head" }, sourceTitle, make("button", { type: "button", class: "icon", "aria-label": "Close the source", onclick: () => dialog.close() }, drawing(...CROSS))),
    sourceBody,
  );
  let openedFrom = null;
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => openedFrom && openedFrom.isConnected && openedFrom.focus());
  // Escape closes the source, and only the source.
  dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation());
  root.append(dialog);

  const study = (reference) => {
    const facts = [kindInWords(reference.kind || ""), reference.population, reference.sample_size ? reference.sample_size + " people" : "", reference.year ? String(reference.year) : ""];
    const card = make("div", { class: "study" }, make("p", { class: "label" }, reference.label), make("p", {}, reference.title));
    const told = facts.filter(Boolean).join(" · ");
    if (told) card.append(make("p", { class: "facts" }, told));
    if (reference.status && reference.status !== "ok") {
      card.append(make("p", {}, make("span", { class: "flag" }, reference.status === "retracted" ? "Retracted" : "Expression of concern")));
    }
    const url = reference.doi ? webAddress("https://doi.org/" + reference.doi) : webAddress(reference.url);
    if (url) card.append(make("p", {}, link(url.href, reference.doi ? "doi.org/" + reference.doi : url.host + url.pathname)));
    return card;
  };

  const showSource = (passage, start, end) => {
    const quote = passage.text.slice(start, end);
    sourceTitle.textContent = passage.title;
    const marked = make("mark", {}, quote);
    const parts = [];
    if (passage.section) parts.push(make("p", { class: "where" }, passage.section));
    parts.push(make("blockquote", { class: "passage" }, passage.text.slice(0, start), marked, passage.text.slice(end)));
    const there = fragmentAddress(passage.url, quote);
    if (there) parts.push(make("p", {}, link(there, passage.source_kind === "reference" ? "Open the source" : "Read it in the article")));
    if (passage.references.length) {
      parts.push(make("h3", {}, passage.references.length === 1 ? "The study behind it" : "The studies behind it"));
      parts.push(...passage.references.map(study));
    }
    sourceBody.replaceChildren(...parts);
    marked.scrollIntoView({ block: "center" });
  };

  /** Opens the quote `start`–`end` (code points, as the server counts) of a passage. */
  const openSource = async (place, title) => {
    openedFrom = shadow.activeElement || document.activeElement;
    sourceTitle.textContent = title || "Source";
    sourceBody.replaceChildren(make("p", { class: "waiting" }, "Opening"));
    paint();
    if (!dialog.open) dialog.showModal();
    try {
      const where = "/api/passages/" + encodeURIComponent(place.passage_id) + "?start=" + place.start + "&end=" + place.end;
      const passage = await (await connect(where)).json();
      // JavaScript counts UTF-16 units; the server counts characters.
      const units = (count) => Array.from(passage.text).slice(0, count).join("").length;
      showSource(passage, units(place.start), units(place.end));
    } catch (error) {
      const again = make("button", { type: "button", class: "chip", onclick: () => openSource(place, title) }, "Try again");
      const quote = place.quote ? make("blockquote", { class: "passage" }, make("mark", {}, place.quote)) : null;
      sourceBody.replaceChildren(...[quote, make("p", { role: "alert" }, error.message), again].filter(Boolean));
    }
  };

  if (ON_PAGE) {
    document.addEventListener("click", (event) => {
      const anchor = event.target.closest && event.target.closest('a[href^="#cite="]');
      const place = anchor && /^#cite=(.+):(\d+):(\d+)$/.exec(anchor.getAttribute("href"));
      if (!place) return;
      event.preventDefault();
      anchor.focus();
      openSource({ passage_id: decodeURIComponent(place[1]), start: Number(place[2]), end: Number(place[3]) });
    });
    // The page's Markdown can carry neither: what a marker is, and that it opens a dialog. And the
    // label that the page gives a message is its Markdown source, which nobody wants read out.
    const describe = () => {
      for (const anchor of document.querySelectorAll('a[href^="#cite="]:not([aria-haspopup])')) {
        anchor.setAttribute("aria-haspopup", "dialog");
        anchor.setAttribute("aria-label", anchor.title || "Source " + anchor.textContent);
      }
      for (const message of document.querySelectorAll('[data-testid="bot"][aria-label]')) message.removeAttribute("aria-label");
      // Buttons in what calls itself a list are not its items.
      for (const examples of document.querySelectorAll('#chat .examples[role="list"]')) examples.setAttribute("role", "group");
      for (const log of document.querySelectorAll('#chat [role="log"][aria-live="polite"]')) log.setAttribute("aria-live", "off");
      clearTimeout(quiet);
      quiet = setTimeout(announce, 800);
      keepQuestionInSight();
    };
    // The page's log changes with every piece of an answer and would be read out as often. This one
    // gets each answer once, when it has stopped growing.
    const read = make("div", { class: "unseen", role: "log", "aria-live": "polite", "aria-relevant": "additions" });
    root.append(read);
    let quiet = 0;
    let told = "";
    const announce = () => {
      const rows = document.querySelectorAll("#chat .bot-row .prose");
      const words = rows.length ? wordsOf(rows[rows.length - 1], ":scope > :not(details)", false) : "";
      if (words && words !== told) read.append(make("p", {}, words));
      told = words;
    };
    /** The text of an answer's blocks, its markers as "[1]" or left out. */
    const wordsOf = (prose, blocks, withMarkers) =>
      [...prose.querySelectorAll(blocks)]
        .map((block) => {
          const copy = block.cloneNode(true);
          for (const anchor of copy.querySelectorAll('a[href^="#cite="]')) anchor.replaceWith(withMarkers ? "[" + anchor.textContent + "]" : "");
          const cells = [...copy.children].filter((child) => child.matches("td, th"));
          return (cells.length ? cells.map((cell) => cell.textContent.trim()).join("\t") : copy.textContent).replace(/[^\S\t]+/g, " ").trim();
        })
        .join("\n\n");
    // The page would copy its Markdown, with addresses that mean nothing elsewhere.
    document.addEventListener(
      "click",
      (event) => {
        const button = event.target.closest?.('#chat button[aria-label="Copy message"]');
        // The button comes after its message, beside it rather than inside.
        const prose = button && [...document.querySelectorAll("#chat .bot-row .prose")].filter((e) => e.compareDocumentPosition(button) & Node.DOCUMENT_POSITION_FOLLOWING).pop();
        if (!prose || !navigator.clipboard) return;
        event.stopPropagation();
        navigator.clipboard
          .writeText(wordsOf(prose, ":scope > :not(details), details li, details tr", true))
          .then(() => read.append(make("p", {}, "Copied.")))
          .catch(() => {});
      },
      true,
    );
    // An answer is read from its beginning, where a warning stands: the newest question stays at
    // the top of the conversation until the reader moves it.
    let rows = 0;
    let moved = false;
    const keepQuestionInSight = () => {
      const list = document.querySelector("#chat [role=log]");
      const asked = document.querySelectorAll("#chat .user-row");
      if (asked.length !== rows) moved = false;
      rows = asked.length;
      if (list && rows && !moved) list.scrollTop += asked[rows - 1].getBoundingClientRect().top - list.getBoundingClientRect().top - 8;
    };
    for (const type of ["wheel", "touchmove", "pointerdown", "keydown"]) {
      document.addEventListener(type, (event) => (moved ||= Boolean(event.target.closest?.("#chat"))), { passive: true });
    }
    const attach = () => {
      document.body.append(holder);
      new MutationObserver(describe).observe(document.body, { childList: true, subtree: true });
    };
    if (document.body) attach();
    else addEventListener("DOMContentLoaded", attach);
    return;
  }

  // ---------------------------------------------------------------- the chat

  const icon = (label, paths, onclick) => make("button", { type: "button", class: "icon", "aria-label": label, title: label, onclick }, drawing(...paths));
  const launch = make("button", { type: "button", class: "launch", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: () => openPanel() }, drawing(...CHAT), "Ask the Glute Coach");
  const messages = make("div", { class: "log", tabindex: "0", role: "region", "aria-label": "Conversation" });
  // Only what is new is read out: the visible log is redrawn while it streams, this one only grows.
  const spoken = make("div", { class: "unseen", role: "log", "aria-live": "polite", "aria-relevant": "additions" });
  const question = make("textarea", { id: "question", rows: "1", maxlength: String(MAX_QUESTION), placeholder: "Ask about glute training", "aria-label": "Your question" });
  const send = make("button", { type: "submit", class: "send" }, "Ask");
  const audience = make(
    "select",
    { "aria-label": "Answer for" },
    make("option", { value: "client" }, "Plain words"),
    make("option", { value: "trainer" }, "For trainers"),
  );
  const form = make("form", { class: "ask", onsubmit: (event) => { event.preventDefault(); submit(question.value); } }, question, send);
  const panel = make(
    "div",
    { class: "panel", role: "dialog", "aria-labelledby": "panel-title", hidden: true },
    make("div", { class: "head" }, make("h2", { id: "panel-title" }, "Glute Coach"), icon("New conversation", AGAIN, () => startOver()), icon("Close the chat", CROSS, () => closePanel())),
    messages,
    make("div", { class: "foot" }, form, make("div", { class: "small" }, make("span", {}, "Not medical advice."), audience)),
    spoken,
  );
  root.append(launch, panel);

  const EXAMPLES = ["Are hip thrusts better than squats for glutes?", "How many sets a week do my glutes need?", "How often should I train glutes?"];
  let turns = [];
  let running = null;

  const load = () => {
    try {
      const kept = JSON.parse(sessionStorage.getItem(STORE));
      turns = Array.isArray(kept.turns) ? kept.turns : [];
      audience.value = kept.audience === "trainer" ? "trainer" : "client";
    } catch {
      turns = [];
    }
  };
  const keep = () => {
    try {
      sessionStorage.setItem(STORE, JSON.stringify({ turns: turns.slice(-MAX_TURNS), audience: audience.value }));
    } catch {
      // Storage is full or forbidden: the conversation then lasts as long as the page.
    }
  };
  audience.addEventListener("change", keep);

  const say = (text) => spoken.append(make("p", {}, text));
  const toEnd = () => (messages.scrollTop = messages.scrollHeight);
  // An answer is read from its beginning, where a warning stands: its question stays at the top
  // of the log until the reader moves it.
  let moved = false;
  for (const type of ["wheel", "touchmove", "pointerdown", "keydown"]) messages.addEventListener(type, () => (moved = true), { passive: true });
  const toQuestion = (bubble) => {
    if (!moved) messages.scrollTop = bubble.offsetTop - 8;
  };
  const openCitation = (citation) => openSource(citation, citation.title);

  const chips = (labels, name) =>
    make("div", { class: "chips", role: "group", "aria-label": name }, ...labels.map((label) => make("button", { type: "button", class: "chip", onclick: () => submit(label) }, label)));

  const thumbs = (turn) => {
    const said = make("span", { role: "status" });
    const rate = (rating) => async () => {
      turn.rating = rating;
      keep();
      up.setAttribute("aria-pressed", String(rating === 1));
      down.setAttribute("aria-pressed", String(rating === -1));
      try {
        await post("/api/feedback", { question: turn.question, answer_id: turn.answer.answer_id, rating });
        said.textContent = "Thank you.";
      } catch (error) {
        said.textContent = error.message;
      }
    };
    const up = icon("Good answer", UP, rate(1));
    const down = icon("Bad answer", DOWN, rate(-1));
    up.setAttribute("aria-pressed", String(turn.rating === 1));
    down.setAttribute("aria-pressed", String(turn.rating === -1));
    return make("div", { class: "thumbs" }, up, down, said);
  };

  const safetyBox = (safety) =>
    make("div", { class: "box", role: "note" }, make("strong", {}, safety.level === "see_a_clinician" ? "Please see a clinician first." : "Please take care."), safety.message);

  /** A refusal names the questions that stand below it as buttons: its other sentences, a paragraph each. */
  const textBesideFollowUps = (answer) => {
    const repeated = (sentence) => sentence.part === "suggestions";
    if (!answer.follow_ups.length || !answer.sentences.some(repeated)) return answer.text;
    return answer.text.split("\n\n").filter((_, n) => !repeated(answer.sentences[n])).join("\n\n");
  };

  const drawAnswer = (into, turn) => {
    const answer = turn.answer;
    const citations = new Map(answer.citations.map((citation) => [citation.marker, citation]));
    const parts = [];
    if (answer.safety) parts.push(safetyBox(answer.safety));
    if (answer.notice) parts.push(make("p", { class: "notice" }, answer.notice));
    parts.push(...blocksOf(textBesideFollowUps(answer), citations, openCitation), thumbs(turn));
    if (answer.follow_ups.length) parts.push(chips(answer.follow_ups, "Follow-up questions"));
    into.replaceChildren(...parts);
  };

  const bubble = (who, ...children) => {
    const element = make("div", { class: "turn " + who }, make("span", { class: "unseen" }, who === "user" ? "You asked: " : "The coach: "), ...children);
    messages.append(element);
    return element;
  };

  const drawAll = () => {
    messages.replaceChildren();
    if (!turns.length) {
      bubble("coach", make("p", {}, "Ask about glute training. Every statement opens the passage and the study behind it."), chips(EXAMPLES, "Examples"));
    }
    for (const turn of turns) {
      bubble("user", turn.question);
      drawAnswer(bubble("coach"), turn);
    }
    toEnd();
  };

  const history = () =>
    turns.slice(-MAX_TURNS / 2).flatMap((turn) => [
      { role: "user", content: turn.question },
      { role: "assistant", content: turn.answer.text.slice(0, 2000) },
    ]);

  const busy = (yes) => {
    send.disabled = yes;
    messages.setAttribute("aria-busy", String(yes));
  };

  /** Draws the growing text at most once a frame. */
  const growing = (place, asked) => {
    let text = "";
    let citations = new Map();
    let due = 0;
    const draw = () => {
      due = 0;
      place.replaceChildren(...blocksOf(text, citations, openCitation));
      toQuestion(asked);
    };
    return {
      sources: (found) => (citations = new Map(found.map((citation) => [citation.marker, citation]))),
      token: (piece) => {
        text += piece;
        due ||= requestAnimationFrame(draw);
      },
      stop: () => cancelAnimationFrame(due),
    };
  };

  const submit = async (words) => {
    const asked = words.trim();
    if (!asked || running) return;
    if (!turns.length) messages.replaceChildren();
    question.value = "";
    fit();
    const above = bubble("user", asked);
    await answerTo(asked, above, bubble("coach"));
  };

  const answerTo = async (asked, above, place) => {
    place.replaceChildren(make("p", { class: "waiting" }, "Looking it up"));
    moved = false;
    toQuestion(above);
    busy(true);
    const control = (running = new AbortController());
    const drawn = growing(place, above);
    try {
      const answer = await ask({ question: asked, history: history(), audience: audience.value }, drawn, control.signal);
      drawn.stop();
      const turn = { question: asked, answer };
      turns.push(turn);
      keep();
      drawAnswer(place, turn);
      say((answer.safety ? answer.safety.message + " " : "") + plainWords(answer.text));
    } catch (error) {
      drawn.stop();
      if (error.name !== "AbortError") drawTrouble(place, error, () => answerTo(asked, above, place));
    } finally {
      if (running === control) {
        running = null;
        busy(false);
      }
      toQuestion(above);
    }
  };

  const plainWords = (text) => text.replace(/\\([\s\S])|\*+|\[\d{1,3}\]/g, "$1").replace(/\s+/g, " ").trim();

  const drawTrouble = (place, error, retry) => {
    const known = error instanceof Trouble;
    const message = known ? error.message : "The answer could not be shown.";
    const again = make("button", { type: "button", class: "chip", onclick: () => !running && retry() }, "Try again");
    place.replaceChildren(make("div", { class: "box", role: "alert" }, message), again);
    if (known && error.wait) {
      again.disabled = true;
      setTimeout(() => (again.disabled = false), error.wait * 1000);
    }
  };

  const startOver = () => {
    if (running) running.abort();
    running = null;
    busy(false);
    turns = [];
    keep();
    spoken.replaceChildren();
    drawAll();
    question.focus();
  };

  const openPanel = () => {
    paint();
    panel.hidden = false;
    panel.setAttribute("aria-modal", String(matchMedia("(max-width: 520px)").matches));
    launch.hidden = true;
    launch.setAttribute("aria-expanded", "true");
    drawnOnce ||= (drawAll(), true);
    toEnd();
    question.focus();
  };
  let drawnOnce = false;

  const closePanel = () => {
    panel.hidden = true;
    launch.hidden = false;
    launch.setAttribute("aria-expanded", "false");
    launch.focus();
  };

  const fit = () => {
    question.style.height = "auto";
    question.style.height = Math.min(question.scrollHeight + 2, 120) + "px";
  };
  question.addEventListener("input", fit);
  question.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closePanel();
    if (event.key === "Tab") stayInside(event);
  });
  /** Tab goes round in the chat, which covers the page on a phone; Escape leaves it. */
  const stayInside = (event) => {
    const stops = [...panel.querySelectorAll("button, textarea, select, a[href], [tabindex='0']")].filter((e) => !e.disabled && e.getClientRects().length);
    const [from, to] = event.shiftKey ? [stops[0], stops[stops.length - 1]] : [stops[stops.length - 1], stops[0]];
    if (shadow.activeElement !== from) return;
    event.preventDefault();
    to.focus();
  };
  // The host page's shortcuts must not fire while someone types here.
  for (const type of ["keydown", "keypress", "keyup"]) root.addEventListener(type, (event) => event.stopPropagation());

  load();
  paint();
  const attach = () => document.body.append(holder);
  // On a site that may not ask, no button stands that could only disappoint.
  connect("/api/welcome")
    .then(() => (document.body ? attach() : addEventListener("DOMContentLoaded", attach)))
    .catch(() => console.warn("Glute Coach is not shown: " + HOST + " cannot be reached, or does not name this site in GLUTE_ALLOWED_ORIGINS."));
})();
