// The front end of a page: a websocket to the page's process, a model for each widget with what anywidget's interface
// asks (get, set, save_changes, on, off, send), and a loader for the screen's module. Nothing else.
//
// `document.body.dataset.connection` is connecting, open, closed (it will try again) or lost (only a reload helps); the
// event `page-connection` tells of changes. A message sent into a connection that is dying may be gone: whoever sends
// asks for an answer and sends again.

const BEAT = 3000; // between two questions whether the server is still there, while the page is visible
const NO_BEAT = 3000; // how long its answer may take; with both a page knows within ten seconds that it is alone
const FIRST = 1000; // the longest that the page may take to show before its line is opened all the same
const TRIES = 40;
const SLOWEST = 8000;
// Why the server closes a page (`End` in server/light/connection.py). After these only a reload helps:
const ENDS = {
  4001: 'This page is no longer connected to the course. Nothing that was saved is lost. What you typed can still be copied.',
  4002: 'This page has rested, because nobody used it for a long time. Your text is saved; reload the page to go on.',
  4003: 'You opened this in many windows; this one has closed. Your text is saved.',
  4004: 'You have signed out, or your sign-in has ended. Open your personal link to come back; what was saved is not lost.',
};
const LOST = 4001;
const RESTART = 1012; // the server stops, and most often comes back
const SUBPROTOCOL = 'v1.kernel.websocket.jupyter.org';

const given = JSON.parse(document.getElementById('page-state')?.textContent ?? 'null'); // none where the page could not be made
const decoder = new TextDecoder();
const encoder = new TextEncoder();
const random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('');
const session = random();
const models = new Map();

// -- frames: the number of offsets, offsets of 8 bytes, then channel, header, parent, metadata, content, buffers

function decode(data) {
  const view = new DataView(data);
  const count = Number(view.getBigUint64(0, true));
  const offset = index => Number(view.getBigUint64(8 * (index + 1), true));
  const part = index => new DataView(data, offset(index), offset(index + 1) - offset(index));
  const json = index => JSON.parse(decoder.decode(part(index)));
  return { header: json(1), parent: json(2), content: json(4), buffers: Array.from({ length: count - 6 }, (_, index) => part(5 + index)) };
}

function encode(header, content, buffers) {
  const parts = ['shell', JSON.stringify(header), '{}', '{}', JSON.stringify(content)].map(text => encoder.encode(text));
  for (const each of buffers) parts.push(ArrayBuffer.isView(each) ? new Uint8Array(each.buffer, each.byteOffset, each.byteLength) : new Uint8Array(each));
  const count = parts.length + 1;
  let at = 8 * (count + 1);
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, at));
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(count), true);
  parts.forEach((part, index) => {
    view.setBigUint64(8 * (index + 1), BigInt(at), true);
    out.set(part, at);
    at += part.length;
  });
  view.setBigUint64(8 * count, BigInt(at), true);
  return out;
}

// -- the connection

let socket = null;
let tries = 0;
let opened = false;
let beat = null;
let unanswered = null;
let again = null;
let ended = LOST;
let restarting = false;
let signedOut = false;
const queue = [];

function tell(state) {
  if (document.body.dataset.connection === state) return;
  document.body.dataset.connection = state;
  document.dispatchEvent(new CustomEvent('page-connection', { detail: state }));
}

function connect() {
  clearTimeout(again);
  const address = new URL(`/api/kernels/${given.page}/channels?session_id=${session}`, location.href);
  address.protocol = address.protocol.replace('http', 'ws');
  const mine = socket = new WebSocket(address, [SUBPROTOCOL]);
  mine.binaryType = 'arraybuffer';
  mine.onopen = () => {
    beat = setInterval(ask, BEAT);
    // The server accepts first and looks for the process then: what it says first decides.
    ask();
  };
  mine.onmessage = ({ data }) => {
    if (mine !== socket) return;
    alive();
    if (data === 'save') save();
    else if (typeof data !== 'string') receive(decode(data));
  };
  mine.onclose = event => {
    if (mine !== socket) return;
    if (beat === null) refused();
    closed(event.code);
  };
}

// A connection that did not even open: the server is away, or the sign-in has ended and it says so to a plain question.
async function refused() {
  const answer = await fetch(`/api/kernels/${given.page}/channels`).catch(() => null);
  if (signedOut === (answer?.status === 403)) return;
  signedOut = answer?.status === 403;
  if (document.body.dataset.connection === 'closed') notice();
}

function alive() {
  clearTimeout(unanswered);
  unanswered = null;
  tries = 0;
  if (document.body.dataset.connection === 'open') return;
  restarting = false;
  if (opened) models.forEach(model => model._return());
  opened = true;
  signedOut = false;
  queue.splice(0).forEach(frame => socket.send(frame));
  tell('open');
}

function ask() {
  if (document.hidden || unanswered !== null || socket.readyState !== 1) return;
  socket.send('?');
  const asked = socket;
  unanswered = setTimeout(() => { if (asked === socket) { closed(); asked.close(); } }, NO_BEAT);
}

// The page has to close: what is being typed goes out first. Whoever keeps text listens and hands in a promise.
function save() {
  const asked = socket, waiting = [];
  document.dispatchEvent(new CustomEvent('page-save', { detail: promise => waiting.push(promise) }));
  Promise.allSettled(waiting).then(() => { if (asked === socket) asked.send('saved'); });
}

function closed(code) {
  clearInterval(beat);
  beat = null;
  clearTimeout(unanswered);
  unanswered = null;
  socket = null;
  ended = code in ENDS ? code : LOST;
  if (code in ENDS || ++tries > TRIES) return tell('lost');
  restarting = code === RESTART || restarting;
  tell('closed');
  again = setTimeout(connect, Math.min(250 * 2 ** (tries - 1), SLOWEST));
}

function hurry() { // something happened that makes a look worth while
  if (socket) ask();
  else if (document.body.dataset.connection === 'closed') connect();
}
addEventListener('online', hurry);
addEventListener('offline', () => { if (socket) { const old = socket; closed(); old.close(); } });
document.addEventListener('visibilitychange', () => { if (!document.hidden) hurry(); });

function post(content, buffers = []) {
  const header = { msg_id: random(), session, username: '', date: new Date().toISOString(), msg_type: 'comm_msg', version: '5.3' };
  const frame = encode(header, content, buffers);
  if (document.body.dataset.connection === 'open') socket.send(frame);
  else queue.push(frame);
  return header.msg_id;
}

function receive({ header, parent, content, buffers }) {
  if (header.msg_type === 'status') {
    if (content.execution_state === 'idle') models.forEach(model => model._idle(parent.msg_id));
    return;
  }
  const model = models.get(content.comm_id);
  if (!model || header.msg_type !== 'comm_msg') return;
  const { method, state, buffer_paths: paths, content: custom } = content.data;
  if (method === 'update') model._update(restore(state, paths, buffers));
  else if (method === 'custom') model._emit('msg:custom', custom, buffers);
}

// -- binary values inside the state

function restore(state, paths = [], buffers = []) {
  paths.forEach((path, index) => {
    const holder = path.slice(0, -1).reduce((at, key) => at[key], state);
    holder[path.at(-1)] = buffers[index];
  });
  return state;
}

function extract(value, path, paths, buffers) {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    paths.push(path);
    buffers.push(value);
    return null;
  }
  if (Array.isArray(value)) return value.map((each, index) => extract(each, [...path, index], paths, buffers));
  if (value && typeof value === 'object' && !value.toJSON)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, extract(each, [...path, key], paths, buffers)]));
  return value;
}

// -- models

class Model {
  constructor(id, state) {
    this.model_id = id;
    this.widget_manager = { get_model: async name => models.get(name.replace('IPY_MODEL_', '')) };
    this._state = state;
    this._dirty = {}; // set here, not sent
    this._sent = {}; // sent, not acknowledged
    this._waiting = null; // the message whose end acknowledges it
    this._more = false;
    this._handlers = new Map();
  }

  get(name) { return this._state[name]; }

  set(name, value) {
    const change = typeof name === 'object' ? name : { [name]: value };
    Object.assign(this._dirty, change);
    this._apply(change);
  }

  // One update is under way at a time; what changes meanwhile goes out together when the process is idle again.
  save_changes() {
    if (this._waiting) {
      this._more = true;
      return;
    }
    if (!Object.keys(this._dirty).length) return;
    const paths = [], buffers = [];
    const state = extract(this._dirty, [], paths, buffers);
    [this._sent, this._dirty] = [this._dirty, {}];
    this._waiting = this._post({ method: 'update', state, buffer_paths: paths }, buffers);
  }

  send(content, callbacks, buffers) { this._post({ method: 'custom', content }, buffers); }

  on(name, handler) {
    for (const each of name.split(' ')) this._handlers.set(each, (this._handlers.get(each) ?? new Set()).add(handler));
    return this;
  }

  off(name, handler) {
    if (!name) this._handlers.clear();
    else for (const each of name.split(' ')) handler ? this._handlers.get(each)?.delete(handler) : this._handlers.delete(each);
    return this;
  }

  _post(data, buffers) { return post({ comm_id: this.model_id, data }, buffers); }

  _emit(name, ...values) { for (const handler of [...this._handlers.get(name) ?? []]) handler(...values); }

  _apply(change) {
    const names = Object.keys(change).filter(name => this._state[name] !== change[name]);
    Object.assign(this._state, change);
    for (const name of names) this._emit(`change:${name}`, this, change[name]);
    if (names.length) this._emit('change', this);
  }

  _update(state) { // what was changed here and is not saved yet wins
    for (const name of Object.keys(this._dirty)) delete state[name];
    this._apply(state);
  }

  _idle(message) {
    if (this._waiting !== message) return;
    this._waiting = null;
    if (!this._more) return;
    this._more = false;
    this.save_changes();
  }

  _return() { // what was under way when the connection broke goes out once more; then the process tells its state
    if (this._waiting) {
      this._dirty = { ...this._sent, ...this._dirty };
      this._waiting = null;
      queueMicrotask(() => this.save_changes());
    }
    queueMicrotask(() => this._post({ method: 'request_state' }));
  }

  async _show(el) {
    const { default: screen } = await import(this.get('_esm'));
    const widget = typeof screen === 'function' ? await screen() : screen;
    const scope = { model: this, signal: new AbortController().signal, experimental: {} }; // a page keeps its view
    await widget.initialize?.(scope);
    await widget.render?.({ ...scope, el });
  }
}

// -- what a person sees of a broken connection

function notice() {
  const state = document.body.dataset.connection;
  const el = document.getElementById('connection');
  clearTimeout(notice.timer);
  if (state === 'open') {
    el.hidden = true;
    el.replaceChildren();
    return;
  }
  if (state === 'connecting') return;
  // A connection that comes back at once is not worth a word.
  notice.timer = setTimeout(() => {
    const text = document.createElement('p');
    text.textContent = state === 'lost' ? ENDS[ended]
      : restarting ? 'The course is being started again. Trying again until it is back; what you typed stays on this page.'
      : signedOut ? 'Your sign-in has ended. Open your personal link in another tab, and this page goes on; what you typed stays here.'
        : 'The course cannot be reached. Trying again; what you typed stays on this page.';
    el.replaceChildren(text);
    if (state === 'lost') {
      const reload = document.createElement('button');
      Object.assign(reload, { type: 'button', className: 'btn s', textContent: 'Reload this page', onclick: () => location.reload() });
      el.append(reload);
    }
    document.dispatchEvent(new CustomEvent('page-notice', { detail: el })); // the screen adds what helps to keep its text
    el.dataset.testid = `note-${state}`;
    el.hidden = false;
  }, state === 'lost' || restarting ? 0 : 2500);
}
document.addEventListener('page-connection', notice);

// -- a page that is used keeps its person signed in

const STAY = 900_000; // between two words to the server that somebody is here
let stayed = Date.now();
async function stay() {
  if (Date.now() - stayed < STAY) return;
  stayed = Date.now();
  await fetch('/stay', { method: 'POST' }).catch(() => {}); // whether there still is a connection, the websocket tells
}
for (const kind of ['keydown', 'pointerdown']) addEventListener(kind, stay, { capture: true, passive: true });

// -- start

for (const [id, { state, buffers }] of Object.entries(given?.state ?? {})) {
  const views = buffers.map(({ data }) => new DataView(Uint8Array.from(atob(data), sign => sign.charCodeAt(0)).buffer));
  models.set(id, new Model(id, restore(state, buffers.map(({ path }) => path), views)));
}
const shown = Array.from(document.querySelectorAll('[data-model]'), el => models.get(el.dataset.model)._show(el).catch(error => {
  console.error(error);
  el.textContent = 'This page could not be shown. Reload it; nothing that was saved is lost.';
}));
// First the page, then its line, which needs the same processors.
if (shown.length) Promise.race([Promise.all(shown), new Promise(done => setTimeout(done, FIRST))]).then(connect);
