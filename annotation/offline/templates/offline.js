
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const shelf = "abroad-curation-" + data.key;
let keeps = true, unsaved = false, at = 0, current = 0, editing = null, selected = null, asked = false;

// ---- state: what the curator did; a card untouched is "new" and is not saved
const fresh = card => ({
  status: "new", comment: "", updated_at: "", added: [], removed: [],
  relations: card.relations.map((r, n) => {% if typed %}({head: r.head, type: r.type, tail: r.tail, suggestion: n,{% else %}({organism: r.organism, chemical: r.chemical, suggestion: n,{% endif %} answer: "undecided", edited: false})),
});
let states = data.cards.map(fresh);
const card = () => data.cards[at], state = () => states[at];
{% if typed %}
const types = data.types, sides = ["head", "tail"];
const said = relation => relation.head + data.field.relations[relation.type].template.slice(6, -6) + relation.tail;
{% endif %}
const points = data.cards.map(c => Array.from(c.document.ArticleTitle + " " + c.document.AbstractText));

// ---- keeping: each document has a key of its own in the browser, so that two tabs lose nothing of each other's
const shelfOf = n => shelf + "/" + data.cards[n].document.id;
const seen = data.cards.map(() => "");  // updated_at of each document as this tab last knew it to be kept
function kept(key) { return keeps ? JSON.parse(localStorage.getItem(key) || "null") : null; }
function keepsNothing() { keeps = false; say("This browser keeps nothing for files: use 'Save decisions' before you close the page.", true); }
function keep(key, value) {
  if (!keeps) return;
  try { localStorage.setItem(key, JSON.stringify(value)); } catch (error) { keepsNothing(); }
}
function keepPage() { keep(shelf, {curator: $("curator").value, at}); }
function isState(value) { return value && Array.isArray(value.relations) && Array.isArray(value.added) && Array.isArray(value.removed); }
// Take what another tab has kept of a document since; says whether there was anything.
function takeUp(n) {
  let other = null;
  try { other = kept(shelfOf(n)); } catch (error) { keepsNothing(); }
  if (!isState(other) || other.updated_at === seen[n]) return false;
  states[n] = other; seen[n] = other.updated_at;
  return true;
}
function takeUpAll() { return states.map((_, n) => takeUp(n)).filter(Boolean).length; }
function recall() {
  try {
    const page = kept(shelf);
    if (page) { $("curator").value = page.curator; if (page.at in states) at = page.at; }
  } catch (error) { return keepsNothing(); }
  if (takeUpAll()) say("Your earlier answers are back.");
}
const TWO_TABS = "This page is open in another tab too. The answers of both are kept together; ";
addEventListener("storage", event => {
  if (event.key === shelf) { const page = kept(shelf); if (page) $("curator").value = page.curator; return; }
  const n = states.findIndex((_, n) => shelfOf(n) === event.key);
  if (n >= 0 && takeUp(n)) fromOther(n === at);
});
addEventListener("focus", () => { const before = seen[at]; if (takeUpAll()) fromOther(seen[at] !== before); });
function fromOther(here) {
  draw();
  say(TWO_TABS + (here ? "this document is shown as the other tab left it." : "better close one."), true);
}
// To be called after each change of the document that is shown. Where another tab was faster, its answer is taken instead.
function touch(status = "draft") {
  if (takeUp(at)) { fromOther(true); return false; }
  state().status = status; state().updated_at = new Date().toISOString(); unsaved = true;
  keep(shelfOf(at), state()); seen[at] = state().updated_at;
  return true;
}
function say(text, wrong = false) { $("notice").textContent = text; $("notice").className = wrong ? "wrong" : ""; }
function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

// ---- drawing; everything from the data goes in as text
function draw() {
  drawDocuments(); drawText(); drawRelations(); drawMarks();
  const document_ = card().document, words = {new: "", draft: "draft", submitted: "submitted", discarded: "discarded"};
  $("id").textContent = "Document " + (at + 1) + " of " + data.cards.length + " · " + document_.id;
  $("state").textContent = words[state().status] && "· " + words[state().status];
  $("comment").value = state().comment;
  $("note").textContent = card().note; $("note").hidden = !card().note;
}
function drawDocuments() {
  const done = states.filter(s => s.status === "submitted" || s.status === "discarded").length;
  $("bar").max = states.length; $("bar").value = done; $("count").textContent = done + " of " + states.length + " decided";
  $("documents").replaceChildren(...states.map((s, n) => {
    const button = make("button", s.status, String(n + 1));
    button.title = data.cards[n].document.ArticleTitle + (s.status === "new" ? "" : " (" + s.status + ")");
    if (n === at) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => go(n));
    return button;
  }));
}
function drawText() {
  const text = points[at], split = Array.from(card().document.ArticleTitle).length, marks = marksOf(at, state());
  const spans = marks.map(m => [m.start, m.end, m.label]);
  card().relations.forEach(r => spans.push(...r.evidence));
  const cuts = [...new Set([0, split, split + 1, text.length, ...spans.flatMap(s => [s[0], s[1]])])].filter(c => c <= text.length).sort((a, b) => a - b);
  const parts = {title: [], abstract: []};
  for (let n = 0; n + 1 < cuts.length; n++) {
    const [start, end] = [cuts[n], cuts[n + 1]];
    const roles = [...new Set(marks.filter(m => m.start <= start && end <= m.end).map(m => m.label))];
    const piece = make("span", {% if typed %}roles.length ? "mark " + roles.map(role => "type-" + role).join(" ") : ""{% else %}roles.length ? "mark " + roles.join(" ") : ""{% endif %}, text.slice(start, end).join(""));
    piece.dataset.start = start; piece.dataset.end = end;
    parts[start < split ? "title" : "abstract"].push(piece);
  }
  $("title").replaceChildren(...parts.title); $("abstract").replaceChildren(...parts.abstract);
}
function drawRelations() {
  current = Math.max(0, Math.min(current, state().relations.length - 1));
  $("relations").replaceChildren(...state().relations.map((relation, n) => {
    const item = make("li", relation.answer + (n === current ? " current" : ""));
    const pair = {% if typed %}make("div", "pair", said(relation)), notes{% else %}make("div", "pair", relation.organism + " → " + relation.chemical), notes{% endif %} = [];
    const suggestion = relation.suggestion === null ? null : card().relations[relation.suggestion];
    if (suggestion === null) notes.push("yours");
    else {
      if (suggestion.score !== null) notes.push("score " + suggestion.score.toFixed(2));
      if (suggestion.status) {% if typed %}notes.push(suggestion.status){% else %}notes.push("LOTUS: " + suggestion.status){% endif %};
      if (relation.edited) notes.push({% if typed %}"edited, was " + said(suggestion){% else %}"edited, was " + suggestion.organism + " → " + suggestion.chemical{% endif %});
    }
    if (relation.answer === "undecided") notes.push("undecided");
    pair.append(make("small", "", notes.join(" · ")));
    const actions = make("div", "actions");
    for (const [name, sign, title] of [["accept", "✓", "Accept (a)"], ["reject", "✗", "Reject (r)"], ["edit", "✎", "Edit (e)"]]) {
      const button = make("button", "", sign);
      button.dataset.do = name; button.title = title; button.setAttribute("aria-label", {% if typed %}title + ": " + said(relation)){% else %}title + ": " + relation.organism + " " + relation.chemical){% endif %};
      button.addEventListener("click", () => { current = n; act(name); });
      actions.append(button, " ");
    }
    item.append(make("span", "number", String(n + 1)), pair, actions);
    item.addEventListener("mouseenter", () => light(relation)); item.addEventListener("mouseleave", () => light(null));
    return item;
  }));
  $("empty").hidden = state().relations.length > 0; $("all").hidden = !state().relations.some(r => r.answer === "undecided");
}
function drawMarks() {
  const marks = marksOf(at, state());
  $("marks").firstElementChild.textContent = "Marks (" + marks.length + ")";
  $("marks").lastElementChild.replaceChildren(...marks.map(mark => {
    const item = make("li", {% if typed %}"mark type-" + mark.label, points{% else %}"mark " + mark.label, points{% endif %}[at].slice(mark.start, mark.end).join("")), button = make("button", "", "×");
    button.title = "Remove this mark";
    button.addEventListener("click", () => { setMark(mark, false); touch(); draw(); });
    item.append(button);
    return item;
  }));
}
function light(relation) {
  const spans = relation ? evidenceOf(at, relation) : [];
  for (const piece of document.querySelectorAll("#title span, #abstract span"))
    piece.classList.toggle("lit", spans.some(s => s[0] <= +piece.dataset.start && +piece.dataset.end <= s[1]));
}

// ---- marks follow the decisions: the words that the relations rest on, and what was marked or unmarked by hand
function evidenceOf(n, relation) {
  if (relation.suggestion !== null && !relation.edited) return data.cards[n].relations[relation.suggestion].evidence;
  return {% if typed %}sides.flatMap(side => places(n, relation[side]).map(([start, end]) => [start, end, typeOf(n, relation, side)])){% else %}["organism", "chemical"].flatMap(side => places(n, relation[side]).map(([start, end]) => [start, end, side])){% endif %};
}
{% if typed %}
// The type of a side: that of an entity or a suggestion of this name, else the first one that the relation allows.
function typeOf(n, relation, side) {
  const kind = data.field.relations[relation.type], allowed = kind.directed ? kind[side] : [...kind[side], ...sides.flatMap(s => kind[s])];
  const known = [...(data.cards[n].document.entities || []).map(e => [e.label, e.type]), ...data.cards[n].relations.flatMap(r => sides.map(s => [r[s], r[s + "_type"]]))];
  const same = known.find(([label, type]) => label.toLowerCase() === relation[side].toLowerCase() && allowed.includes(type));
  return same ? same[1] : allowed[0];
}
{% endif %}
function counts(relation, status) { return relation.answer === "accepted" || (relation.answer === "undecided" && (status === "new" || status === "draft")); }
const markKey = mark => mark.start + " " + mark.end + " " + mark.label;
function decidedMarks(n, relations, status) {
  const spans = relations.filter(r => counts(r, status)).flatMap(r => evidenceOf(n, r));
  return new Map(spans.map(([start, end, label]) => ({start, end, label})).map(mark => [markKey(mark), mark]));
}
function marksOf(n, state) {
  const marks = decidedMarks(n, state.relations, state.status);
  state.added.forEach(mark => marks.set(markKey(mark), mark)); state.removed.forEach(mark => marks.delete(markKey(mark)));
  return [...marks.values()].sort((a, b) => a.start - b.start || a.end - b.end);
}
function setMark(mark, there) {
  const other = m => markKey(m) !== markKey(mark);
  state().added = state().added.filter(other); state().removed = state().removed.filter(other);
  const decided = decidedMarks(at, state().relations, state().status).has(markKey(mark));
  if (there !== decided) state()[there ? "added" : "removed"].push(mark);
}
// Where a name stands in the text as a word of its own.
function places(n, label) {
  const low = c => c.toLowerCase().length === 1 ? c.toLowerCase() : c, word = c => c !== undefined && /[\p{L}\p{N}]/u.test(c);
  const text = points[n].map(low), wanted = Array.from(label).map(low), found = [];
  for (let start = 0, end = wanted.length; end <= text.length && wanted.length; start++, end++)
    if (wanted.every((c, k) => text[start + k] === c) && !(word(text[start - 1]) && word(wanted[0])) && !(word(text[end]) && word(wanted[wanted.length - 1]))) found.push([start, end]);
  return found;
}

// ---- deciding
function act(name) {
  const relation = state().relations[current];
  if (!relation) return;
  if (name === "edit") return openForm(current);
  relation.answer = name === "accept" ? "accepted" : "rejected";
  if (touch() && current + 1 < state().relations.length) current++;
  draw(); light(state().relations[current]);
}
function openForm(place) {
  editing = place;
{% if typed %}
  const relation = place === "new" ? {head: "", tail: "", type: $("type").value} : state().relations[place];
  const known = state().relations;
  $("type").value = relation.type;
  for (const side of sides) {
    $(side).value = relation[side] || (side === "head" && known.length ? known[known.length - 1].head : "");
    $(side + "s").replaceChildren(...[...new Set(known.map(r => r[side]))].map(label => { const o = make("option"); o.value = label; return o; }));
  }
  $("form").hidden = false;
  const first = $("head").value && place === "new" ? $("tail") : $("head");
{% else %}
  const relation = place === "new" ? {organism: "", chemical: ""} : state().relations[place];
  const known = state().relations;
  for (const side of ["organism", "chemical"]) {
    $(side).value = relation[side] || (side === "organism" && known.length ? known[known.length - 1].organism : "");
    $(side + "s").replaceChildren(...[...new Set(known.map(r => r[side]))].map(label => { const o = make("option"); o.value = label; return o; }));
  }
  $("form").hidden = false;
  const first = $("organism").value && place === "new" ? $("chemical") : $("organism");
{% endif %}
  first.focus(); first.select();
}
// A hidden field keeps the focus until the page is drawn anew, and would swallow the next key.
function closeForm() { editing = null; if ($("form").contains(document.activeElement)) document.activeElement.blur(); $("form").hidden = true; }
function keepForm() {
{% if typed %}
  const [head, tail] = sides.map(side => $(side).value.trim().replace(/\s+/g, " ")), type = $("type").value;
  if (!head || !tail) return say("A relation needs a name on both sides.", true);
  if ((head + tail).includes("|")) return say("Names cannot hold the sign |.", true);
  if (editing === "new") { state().relations.push({head, type, tail, suggestion: null, answer: "accepted", edited: false}); current = state().relations.length - 1; }
  else {
    const relation = state().relations[editing];
    relation.edited = relation.edited || head !== relation.head || tail !== relation.tail || type !== relation.type;
    Object.assign(relation, {head, type, tail, answer: "accepted"});
  }
  const absent = [head, tail].filter(label => !places(at, label).length);
{% else %}
  const [organism, chemical] = ["organism", "chemical"].map(side => $(side).value.trim().replace(/\s+/g, " "));
  if (!organism || !chemical) return say("A relation needs an organism and a chemical.", true);
  if ((organism + chemical).includes("|")) return say("Names cannot hold the sign |.", true);
  if (editing === "new") { state().relations.push({organism, chemical, suggestion: null, answer: "accepted", edited: false}); current = state().relations.length - 1; }
  else {
    const relation = state().relations[editing];
    relation.edited = relation.edited || organism !== relation.organism || chemical !== relation.chemical;
    Object.assign(relation, {organism, chemical, answer: "accepted"});
  }
  const absent = [organism, chemical].filter(label => !places(at, label).length);
{% endif %}
  closeForm();
  if (!touch()) return;
  draw();
  say(absent.length ? "Kept. The text does not hold " + absent.map(a => "“" + a + "”").join(" and ") + " word for word: it will be looked at again." : "Kept.");
}
function submit() {
  const open = state().relations.filter(r => r.answer === "undecided").length;
  if (!$("form").hidden) return say("Keep or cancel the relation you are writing first.", true);
  if (open) return say(open + (open === 1 ? " relation is" : " relations are") + " undecided: accept or reject first (Shift A accepts all).", true);
  if (touch("submitted")) next();
}
function next() {
  const left = states.findIndex((s, n) => n > at && s.status !== "submitted" && s.status !== "discarded");
  const any = left >= 0 ? left : states.findIndex(s => s.status !== "submitted" && s.status !== "discarded");
  if (any < 0) { draw(); say("All documents are decided. Save your decisions and send the file back."); } else { go(any); say("Saved in this page; on to the next document."); }
}
function go(n) {
  if (n < 0 || n >= states.length) return;
  at = n; current = 0; asked = false; closeForm(); keepPage(); say(""); draw(); scrollTo(0, 0);
}
function discard() {
  if (!asked) { asked = true; return say("Discard this document? It is left out of the collection. Once more (d) discards it, anything else keeps it.", true); }
  asked = false;
  if (touch("discarded")) next();
}
function acceptAll() { state().relations.forEach(r => { if (r.answer === "undecided") r.answer = "accepted"; }); if (touch()) draw(); }

// ---- marking text
function offsetOf(node, offset) {
  const piece = (node.nodeType === 3 ? node.parentElement : node).closest("[data-start]");
  if (!piece) return null;
  return +piece.dataset.start + (node.nodeType === 3 ? Array.from(node.data.slice(0, offset)).length : offset ? piece.dataset.end - piece.dataset.start : 0);
}
document.addEventListener("selectionchange", () => {
  const selection = getSelection();
  if (selection.isCollapsed) { if (document.activeElement.tagName !== "INPUT") { selected = null; $("selection").hidden = true; } return; }
  const range = selection.getRangeAt(0);
  let start = offsetOf(range.startContainer, range.startOffset), end = offsetOf(range.endContainer, range.endOffset);
  if (start === null || end === null) return;
  const blank = n => /\s/.test(points[at][n]);
  while (start < end && blank(start)) start++;
  while (end > start && blank(end - 1)) end--;
  selected = start < end ? {start, end} : null; $("selection").hidden = !selected;
});
function mark(label) {
  if (!selected) return;
  const {start, end} = selected;
  setMark({start, end, label}, true);
{% if typed %}
  if (!$("form").hidden) {
    const kind = data.field.relations[$("type").value], fitting = sides.filter(side => kind[side].includes(label));
    const side = fitting.find(side => !$(side).value) || fitting[0];
    if (side) $(side).value = points[at].slice(start, end).join("");
  }
{% else %}
  if (!$("form").hidden) $(label).value = points[at].slice(start, end).join("");
{% endif %}
  selected = null; $("selection").hidden = true; getSelection().removeAllRanges();
  if (touch()) draw();
}

// ---- files
function answers() {
  const curator = $("curator").value.trim();
  return states.flatMap((s, n) => s.status === "new" ? [] : [{
    document: data.cards[n].document.id, curator, status: s.status, batch: data.batch, updated_at: s.updated_at, comment: s.comment,
    relations: s.relations.filter(r => counts(r, s.status)).map({% if typed %}r => r.head + " | " + r.type + " | " + r.tail{% else %}r => r.organism + " | " + r.chemical{% endif %}).join("\n") || "none",
    spans: marksOf(n, s), decided: s.relations,
  }]);
}
function save() {
  const curator = $("curator").value.trim(), others = takeUpAll();
  if (others) draw();
  if (!curator) { $("curator").focus(); return say("Write your name first: decisions are kept by name.", true); }
  const value = {format: data.format, {% if typed %}curator, key: data.key, field: data.field, documents{% else %}curator, key: data.key, documents{% endif %}: data.cards.map(c => c.document), answers: answers()};
  if (!value.answers.length) return say("Nothing is decided yet.", true);
  const link = make("a"), name = curator.replace(/[^\p{L}\p{N}.-]+/gu, "_");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(value, null, 1)], {type: "application/json"}));
  link.download = "decisions-" + name + "-" + data.batch.replace(/[^\w.-]+/g, "_") + ".json";
  link.click(); setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  unsaved = false; say("Saved as " + link.download + " (" + value.answers.length + " documents).");
}
function stateOf(n, answer) {
  const marks = decidedMarks(n, answer.decided, answer.status), spans = new Map(answer.spans.map(mark => [markKey(mark), mark]));
  return {
    status: answer.status, comment: answer.comment, updated_at: answer.updated_at, relations: answer.decided,
    added: answer.spans.filter(mark => !marks.has(markKey(mark))), removed: [...marks.values()].filter(mark => !spans.has(markKey(mark))),
  };
}
async function open_(file) {
  try {
    const value = JSON.parse(await file.text());
    if (value.format !== data.format || value.key !== data.key) return say("This file was saved by another page than this one.", true);
    const places_ = new Map(data.cards.map((c, n) => [c.document.id, n]));
    const read = value.answers.filter(answer => places_.has(answer.document)).map(answer => [places_.get(answer.document), stateOf(places_.get(answer.document), answer)]);
    takeUpAll();
    const newer = read.filter(([n, answer]) => answer.updated_at >= states[n].updated_at);
    for (const [n, answer] of newer) { states[n] = answer; seen[n] = answer.updated_at; keep(shelfOf(n), answer); }
    $("curator").value = value.curator; keepPage(); draw();
    const older = read.length - newer.length;
    say(newer.length + " answers are back." + (older ? " " + older + " in this page are newer than in the file and stay." : ""), older > 0);
  } catch (error) { say("This is no file of saved decisions.", true); }
}

// ---- keys and buttons
const keys = {
  j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1), a: () => act("accept"), r: () => act("reject"), e: () => act("edit"),
  n: () => openForm("new"), A: acceptAll, {% if typed %}...Object.fromEntries(types.slice(0, 9).map((type, n) => [String(n + 1), () => mark(type)])), d:{% else %}o: () => mark("organism"), c: () => mark("chemical"), d:{% endif %} discard,
  ArrowRight: () => go(at + 1), ArrowLeft: () => go(at - 1), "?": () => { $("help").open = !$("help").open; },
};
function step(by) { current += by; drawRelations(); light(state().relations[current]); }
document.addEventListener("keydown", event => {
  if (asked && event.key !== "d" && !/^(Enter| |Shift|Tab)$/.test(event.key)) { asked = false; say("The document is kept."); }
  if (event.ctrlKey || event.metaKey) {
    if (event.key === "Enter") { event.preventDefault(); submit(); }
    if (event.key === "s") { event.preventDefault(); save(); }
    return;
  }
  if (event.key === "Escape") { closeForm(); document.activeElement.blur(); return; }
  if (event.altKey || /^(INPUT|TEXTAREA)$/.test(event.target.tagName) || !(event.key in keys)) return;
  event.preventDefault(); keys[event.key]();
});
$("form").addEventListener("submit", event => { event.preventDefault(); keepForm(); });
$("comment").addEventListener("input", () => { state().comment = $("comment").value; if (touch(state().status === "discarded" ? "discarded" : "draft")) drawDocuments(); });
$("curator").addEventListener("input", keepPage);
document.addEventListener("click", event => { if (asked && event.target !== $("discard")) { asked = false; say("The document is kept."); } }, true);
$("cancel").addEventListener("click", closeForm); $("add").addEventListener("click", () => openForm("new")); $("all").addEventListener("click", acceptAll);
$("submit").addEventListener("click", submit); $("discard").addEventListener("click", discard); $("save").addEventListener("click", save);
$("open").addEventListener("click", () => $("file").click()); $("file").addEventListener("change", () => { if ($("file").files[0]) open_($("file").files[0]); });
for (const button of document.querySelectorAll("[data-mark]")) { button.addEventListener("mousedown", event => event.preventDefault()); button.addEventListener("click", () => mark(button.dataset.mark)); }
addEventListener("beforeunload", event => { if (unsaved) event.preventDefault(); });
recall(); draw();
