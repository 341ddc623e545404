// The page's script: exchanges the key of a link, loads the state and shows the session live. It shows everything as
// text nodes or as HTML of the server without scripts. The token stays in this tab.

export const SCRIPT = `'use strict';
const here = location.pathname.replace(/\\/+$/, '');
const session = document.getElementById('session');
// The server sends a heartbeat every 15 s. After three missed ones, the connection counts as lost.
const SILENCE_MS = 45000;
const RETRY_MS = { first: 500, last: 10000 };
let known = 0;
let due;

function show(id, isShown) {
  document.getElementById(id).hidden = !isShown;
}

// The storage key of the token: that of this agent or of the nearest ancestor with one.
function place() {
  for (let path = here; path !== ''; path = path.slice(0, path.lastIndexOf('/'))) {
    if (sessionStorage.getItem('murmur ' + path) !== null) return 'murmur ' + path;
  }
  return null;
}

function bearer(at) {
  return 'Bearer ' + sessionStorage.getItem(at);
}

// Shows that the page is closed or has ended.
function close() {
  const isOpen = document.getElementById('state') !== null;
  show('ended', isOpen);
  show('closed', !isOpen);
}

// Removes a rejected token. True when there is another one to try.
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

// Shows the state. False when this page has no access.
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
    // A space between them, for copied lines.
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

// Handles one event of the stream. True for the last one.
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

// Reads the stream. True when it was complete.
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
      // The connection broke: reconnect.
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

// Another link to the open page: only the part after the '#' differs.
window.addEventListener('hashchange', () => location.reload());
void start();
`;
