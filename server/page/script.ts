// What runs in the page: shows the session as it comes and loads the state again when something has changed. Everything
// it shows goes through text nodes, or comes from the server's own HTML without being run.

export const SCRIPT = `'use strict';
const here = location.pathname.replace(/\\/+$/, '');
const session = document.getElementById('session');
let known = 0;
let due;

function refresh() {
  clearTimeout(due);
  due = setTimeout(() => {
    const request = new XMLHttpRequest();
    request.responseType = 'document';
    request.onload = () => {
      const state = request.response && request.response.getElementById('state');
      const old = document.getElementById('state');
      if (request.status === 200 && state && old) old.replaceWith(document.importNode(state, true));
    };
    request.open('GET', here);
    request.send();
  }, 300);
}

function show(entry) {
  if (entry.id <= known) return;
  known = entry.id;
  if (entry.changes) refresh();
  if (!entry.text && !entry.label) return;
  const atEnd = window.innerHeight + window.scrollY >= document.body.scrollHeight - 40;
  const row = document.createElement('div');
  row.className = 'entry ' + entry.kind;
  for (const name of ['at', 'label', 'text']) {
    const cell = document.createElement('span');
    cell.className = name;
    cell.textContent = entry[name];
    // A space between them, for whoever copies the line.
    row.append(cell, ' ');
  }
  session.append(row);
  while (session.childElementCount > 1000) session.firstElementChild.remove();
  if (atEnd) window.scrollTo(0, document.body.scrollHeight);
}

function follow() {
  const source = new EventSource(here + '/.events');
  source.onmessage = (event) => show(JSON.parse(event.data));
  source.addEventListener('end', () => { source.close(); refresh(); });
}

async function start() {
  const key = new URLSearchParams(location.hash.slice(1)).get('key');
  if (key !== null) {
    history.replaceState(null, '', here);
    const answer = await fetch(here + '/.key', { method: 'POST', body: JSON.stringify({ key }),
      headers: { 'content-type': 'application/json' } });
    if (answer.ok) { location.reload(); return; }
  }
  if (session !== null) follow();
}

void start();
`;
