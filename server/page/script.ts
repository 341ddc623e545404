// What runs in the page: exchanges the key of a link, loads the state and shows the session as it comes. Everything it
// shows goes through text nodes, or comes from the server's own HTML without being run. The token stays in this tab.

export const SCRIPT = `'use strict';
const here = location.pathname.replace(/\\/+$/, '');
const session = document.getElementById('session');
// The server sends a sign of life every 15 s; three missed ones mean that the connection is gone.
const SILENCE_MS = 45000;
const RETRY_MS = { first: 500, last: 10000 };
let known = 0;
let due;

function show(id, isShown) {
  document.getElementById(id).hidden = !isShown;
}

// The stored place of the token: this agent's own, or that of the nearest one above.
function place() {
  for (let path = here; path !== ''; path = path.slice(0, path.lastIndexOf('/'))) {
    if (sessionStorage.getItem('murmur ' + path) !== null) return 'murmur ' + path;
  }
  return null;
}

function bearer(at) {
  return 'Bearer ' + sessionStorage.getItem(at);
}

// Says that there is nothing to see, or nothing new.
function close() {
  const isOpen = document.getElementById('state') !== null;
  show('ended', isOpen);
  show('closed', !isOpen);
}

// Forgets a token that is refused; whether there is another one to try.
function refused(at) {
  sessionStorage.removeItem(at);
  if (place() !== null) return true;
  close();
  return false;
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function request(at) {
  return new Promise((resolve) => {
    const asked = new XMLHttpRequest();
    asked.responseType = 'document';
    asked.onloadend = () => resolve(asked);
    asked.open('GET', here + '/.state');
    asked.setRequestHeader('authorization', bearer(at));
    asked.send();
  });
}

// Shows the state; whether this page may go on.
async function load() {
  for (let wait = RETRY_MS.first; ; wait = Math.min(2 * wait, RETRY_MS.last)) {
    const at = place();
    if (at === null) { close(); return false; }
    const { response, status } = await request(at);
    if (status === 404 && !refused(at)) return false;
    const state = status === 200 && response && response.getElementById('state');
    if (state) {
      const old = document.getElementById('state');
      if (old) old.remove();
      document.getElementById('live').before(document.importNode(state, true));
      document.title = response.title;
      show('live', true);
      return true;
    }
    if (status !== 404) await pause(wait);
  }
}

function refresh() {
  clearTimeout(due);
  due = setTimeout(() => void load(), 300);
}

function add(entry) {
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

function end({ phase }) {
  const shown = document.querySelector('#state .phase');
  if (shown && phase) shown.textContent = phase;
  refresh();
}

// One event of the stream; whether it was the last.
function take(block) {
  const event = { name: 'message', data: '' };
  for (const line of block.split('\\n')) {
    if (line.startsWith('event: ')) event.name = line.slice(7);
    if (line.startsWith('data: ')) event.data = line.slice(6);
  }
  if (event.data === '') return false;
  if (event.name === 'end') end(JSON.parse(event.data));
  else if (event.name === 'message') add(JSON.parse(event.data));
  return event.name === 'end';
}

// Reads the stream; whether it came to its end.
async function read(answer, heard) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ''; ;) {
    const { done, value } = await reader.read();
    if (done) return false;
    heard();
    const blocks = (rest + value).split('\\n\\n');
    rest = blocks.pop();
    for (const block of blocks) if (take(block)) return true;
  }
}

async function follow() {
  for (let wait = RETRY_MS.first; ; wait = Math.min(2 * wait, RETRY_MS.last)) {
    const at = place();
    if (at === null) return;
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), SILENCE_MS);
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      wait = RETRY_MS.first;
    };
    const headers = { authorization: bearer(at), ...(known > 0 ? { 'last-event-id': String(known) } : {}) };
    try {
      const answer = await fetch(here + '/.events', { headers, signal: silence.signal });
      if (answer.status === 404 && !refused(at)) return;
      if (answer.ok && (await read(answer, heard))) return;
    } catch {
      // The connection broke: asked again.
    } finally {
      clearTimeout(timer);
    }
    await pause(wait);
  }
}

async function exchange(key) {
  const answer = await fetch(here + '/.key', { method: 'POST', body: JSON.stringify({ key }),
    headers: { 'content-type': 'application/json' } }).catch(() => null);
  if (answer !== null && answer.ok) sessionStorage.setItem('murmur ' + here, (await answer.json()).token);
}

async function start() {
  const key = new URLSearchParams(location.hash.slice(1)).get('key');
  if (key !== null) {
    history.replaceState(null, '', here);
    await exchange(key);
  }
  if (await load()) await follow();
}

// Another link to the page that is open already: only what is behind the '#' differs.
window.addEventListener('hashchange', () => location.reload());
void start();
`;
