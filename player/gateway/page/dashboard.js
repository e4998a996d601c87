// The page: plays a track from the gateway itself and shows what the engine does meanwhile.
'use strict';

const $ = (id) => document.getElementById(id);
const player = $('player');
const MINUTE = 120; // points of the plot, one each half second
const history = [];
let tracks = [];
let current = -1;
let last = null; // the state before, with its time

const text = (value) => document.createTextNode(value);
function make(tag, content, className) {
  const element = document.createElement(tag);
  if (content !== undefined) element.append(content instanceof Node ? content : text(content));
  if (className) element.className = className;
  return element;
}
function row(cells) {
  const tr = make('tr');
  for (const cell of cells) tr.append(cell instanceof Node ? cell : make('td', cell));
  return tr;
}
function bytes(n) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let i = 0;
  for (; n >= 1000 && i + 1 < units.length; ++i) n /= 1000;
  return (i && n < 100 ? n.toFixed(1) : Math.round(n)) + ' ' + units[i];
}
const rate = (bps) => bytes(bps / 8) + '/s';
function clock(seconds) {
  if (!isFinite(seconds)) return '–';
  const s = Math.floor(seconds % 60).toString().padStart(2, '0');
  return Math.floor(seconds / 60) + ':' + s;
}
const seconds = (ms) => (ms === null ? '–' : (ms / 1000).toFixed(1) + ' s');
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name);
const sum = (values) => Object.values(values).reduce((a, b) => a + b, 0);

// What the flags mean (µTorrent's letters), for those who do not know them by heart.
const FLAGS = {
  D: 'downloading', d: 'it chokes us', U: 'uploading', u: 'we choke it', O: 'optimistic unchoke', S: 'snubbed',
  I: 'incoming', H: 'from the DHT', X: 'from peer exchange', Q: 'from a query', L: 'local network', E: 'encrypted',
  e: 'encrypted handshake', P: 'uTP', h: 'hole punched', F: 'suspect', K: 'we are not interested', '?': 'it is not interested',
};

// --- playing ---

function play(index, from = 0) {
  if (index < 0 || index >= tracks.length) return;
  current = index;
  const track = tracks[index];
  player.classList.toggle('film', track.video);
  player.src = track.url;
  if (from > 0) player.addEventListener('loadedmetadata', () => { player.currentTime = from; }, { once: true });
  $('now').textContent = track.title;
  document.title = track.title + ' – Tributary';
  for (const [i, button] of [...$('tracks').querySelectorAll('button')].entries()) {
    i === index ? button.setAttribute('aria-current', 'true') : button.removeAttribute('aria-current');
  }
  player.play().catch(() => {}); // the browser may want a click first
}

function showPlayer() {
  $('toggle').textContent = player.paused ? 'Play' : 'Pause';
  $('playhead').textContent = current < 0 ? '–' : clock(player.currentTime) + ' / ' + clock(player.duration);
  let ahead = 0;
  for (let i = 0; i < player.buffered.length; ++i) {
    if (player.buffered.start(i) <= player.currentTime + 0.1) ahead = player.buffered.end(i) - player.currentTime;
  }
  $('buffered').textContent = current < 0 ? '–' : Math.max(0, ahead).toFixed(1) + ' s';
}

async function loadTracks() {
  const reply = await fetch('/api/tracks');
  tracks = await reply.json();
  const list = $('tracks');
  list.replaceChildren();
  tracks.forEach((track, i) => {
    const button = make('button', track.title);
    button.type = 'button';
    button.addEventListener('click', () => play(i));
    const item = make('li');
    item.append(button);
    list.append(item);
  });
}

$('toggle').addEventListener('click', () => {
  if (current < 0) play(0);
  else if (player.paused) player.play().catch(() => {});
  else player.pause();
});
$('next').addEventListener('click', () => play(current + 1));
$('previous').addEventListener('click', () => play(Math.max(0, current - 1)));
player.addEventListener('ended', () => play(current + 1));
for (const event of ['play', 'pause', 'timeupdate', 'progress', 'seeked', 'loadedmetadata']) {
  player.addEventListener(event, showPlayer);
}
// The gateway went away under the player: once it is there again, go on from the same place.
let interrupted = null;
player.addEventListener('error', () => {
  if (current >= 0) interrupted = { index: current, at: player.currentTime };
});

// --- the engine's state ---

function totals(state) {
  const all = { cdn: {}, peers: 0, cache: 0, uploaded: 0, duplicate: 0, corrupt: 0 };
  for (const { bytes: b } of state.torrents) {
    for (const [why, n] of Object.entries(b.cdn)) all.cdn[why] = (all.cdn[why] || 0) + n;
    for (const key of ['peers', 'cache', 'uploaded', 'duplicate', 'corrupt']) all[key] += b[key];
  }
  return all;
}

function showSources(all) {
  const rows = Object.entries(all.cdn).map(([why, n]) => row(['CDN', why.replace('_', ' '), bytes(n)]));
  rows.push(row(['peers', '', bytes(all.peers)]), row(['cache', '', bytes(all.cache)]),
            row(['in vain', 'duplicate', bytes(all.duplicate)]), row(['in vain', 'corrupt', bytes(all.corrupt)]),
            row(['to peers', '', bytes(all.uploaded)]));
  $('sources').replaceChildren(...rows);
  const received = sum(all.cdn) + all.peers;
  $('offload').textContent = received ? Math.round((100 * all.peers) / received) + ' %' : '–';
}

function showEdges(state) {
  const seen = new Map();
  for (const torrent of state.torrents) for (const edge of torrent.edges) seen.set(edge.origin, edge);
  $('edges').replaceChildren(...[...seen.values()].map((e) => row([
    e.origin, e.state + (e.trouble ? ': ' + e.trouble : ''), e.requests, bytes(e.received),
    Math.round(e.first_byte_ms) + ' ms', rate(e.rate_bps)])));
}

function showPeers(state) {
  const rows = [];
  for (const torrent of state.torrents) {
    for (const p of torrent.peers) {
      const flags = make('abbr', p.flags);
      flags.title = [...p.flags].map((f) => FLAGS[f] || f).join(', ');
      const cell = make('td');
      cell.append(flags);
      rows.push(row([p.address, p.client, cell, rate(p.down_bps), rate(p.up_bps), bytes(p.received), bytes(p.sent),
                     p.in_flight]));
    }
  }
  if (!rows.length) {
    const none = make('td', 'none is connected');
    none.colSpan = 8;
    rows.push(row([none]));
  }
  $('peers').replaceChildren(...rows);
}

const CELL = ['missing', 'peers', 'cdn', 'partial', 'have'];
function drawPieces(canvas, cells) {
  const width = (canvas.width = Math.max(1, canvas.clientWidth * devicePixelRatio));
  const height = (canvas.height = Math.max(1, canvas.clientHeight * devicePixelRatio));
  const context = canvas.getContext('2d');
  [...cells].forEach((cell, i) => {
    context.fillStyle = colour(CELL[cell]);
    const x = Math.floor((i * width) / cells.length);
    context.fillRect(x, 0, Math.ceil(((i + 1) * width) / cells.length) - x, height);
  });
}

function showPieces(state) {
  const box = $('pieces');
  while (box.childElementCount > 2 * state.torrents.length) box.lastChild.remove();
  state.torrents.forEach((torrent, i) => {
    if (box.childElementCount <= 2 * i) box.append(make('p'), make('canvas'));
    const label = box.children[2 * i];
    const canvas = box.children[2 * i + 1];
    const have = [...torrent.pieces].filter((c) => c === '4').length;
    const share = torrent.pieces.length ? Math.floor((100 * have) / torrent.pieces.length) : 0;
    label.textContent = `${torrent.name}: ${share} % of ${bytes(torrent.size)}` + (torrent.emergency ? ', running dry' : '');
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', label.textContent);
    drawPieces(canvas, torrent.pieces);
  });
}

function showVerified(state) {
  const track = tracks[current];
  let ahead = null;
  for (const torrent of state.torrents) {
    if (!track || torrent.torrent !== track.torrent) continue;
    for (const reader of torrent.readers) {
      if (reader.file === track.path) ahead = Math.max(ahead || 0, reader.buffered_ms);
    }
    if (ahead === null) ahead = -1; // nobody lacks anything of it
  }
  $('verified').textContent = !track || ahead === null ? '–' : ahead < 0 ? 'all that is read' : seconds(ahead);
}

function plot() {
  const canvas = $('rates');
  const width = (canvas.width = Math.max(1, canvas.clientWidth * devicePixelRatio));
  const height = (canvas.height = Math.max(1, canvas.clientHeight * devicePixelRatio));
  const context = canvas.getContext('2d');
  const top = Math.max(10000, ...history.map((h) => Math.max(h.cdn + h.peers, h.up)));
  const x = (i) => ((i + MINUTE - history.length) * width) / (MINUTE - 1);
  const y = (value) => height - 2 - (value * (height - 20)) / top;
  const area = (from, to, name) => {
    context.fillStyle = colour(name);
    context.beginPath();
    history.forEach((h, i) => context.lineTo(x(i), y(to(h))));
    for (let i = history.length - 1; i >= 0; --i) context.lineTo(x(i), y(from(history[i])));
    context.fill();
  };
  area(() => 0, (h) => h.peers, 'peers');
  area((h) => h.peers, (h) => h.peers + h.cdn, 'cdn');
  context.strokeStyle = colour('up');
  context.lineWidth = 2 * devicePixelRatio;
  context.beginPath();
  history.forEach((h, i) => context.lineTo(x(i), y(h.up)));
  context.stroke();
  context.fillStyle = colour('soft');
  context.font = 12 * devicePixelRatio + 'px system-ui, sans-serif';
  context.fillText(bytes(top) + '/s', 4, 14 * devicePixelRatio);
}

function showRates(all) {
  const now = performance.now();
  const here = { cdn: sum(all.cdn), peers: all.peers, up: all.uploaded, now };
  if (last && now > last.now && here.cdn >= last.cdn && here.peers >= last.peers) {
    const per = (key) => ((here[key] - last[key]) * 1000) / (now - last.now);
    history.push({ cdn: per('cdn'), peers: per('peers'), up: Math.max(0, per('up')) });
    if (history.length > MINUTE) history.shift();
    const h = history[history.length - 1];
    $('rates-text').textContent =
      `CDN ${bytes(h.cdn)}/s, peers ${bytes(h.peers)}/s, to peers ${bytes(h.up)}/s`;
  }
  last = here;
  plot();
}

// --- settings ---

let edited = false; // what is being typed is not overwritten by what holds
function showSettings(settings) {
  $('policy').textContent = settings.policy;
  if (edited) return;
  $('set-policy').value = settings.policy;
  $('set-down').value = settings.down_bps ? settings.down_bps / 1000 : '';
  $('set-up').value = settings.up_bps ? settings.up_bps / 1000 : '';
  $('set-upload').checked = settings.upload;
}

async function applySettings(event) {
  event.preventDefault();
  const limit = (id) => Math.round(1000 * $(id).value);
  const body = JSON.stringify({ policy: $('set-policy').value, down_bps: limit('set-down'), up_bps: limit('set-up'),
                                upload: $('set-upload').checked });
  $('settings-said').textContent = '';
  try {
    const reply = await fetch('/api/settings', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    edited = !reply.ok;
    if (reply.ok) showSettings(await reply.json());
    $('settings-said').textContent = reply.ok ? 'Applied.' : await reply.text();
  } catch {
    $('settings-said').textContent = 'The gateway does not answer.';
  }
}
$('settings').addEventListener('input', () => { edited = true; });
$('settings').addEventListener('submit', applySettings);

const names = new Map(); // of connections, also former ones, by torrent and connection
function showState(state) {
  for (const t of state.torrents) for (const p of t.peers) names.set(t.number + '/' + p.conn, p.address);
  const all = totals(state);
  showSources(all);
  showRates(all);
  showEdges(state);
  showPeers(state);
  showPieces(state);
  showVerified(state);
  showSettings(state.settings);
}

const nameOf = (number, conn) => names.get(number + '/' + conn) || conn;
function showDecision(d) {
  if ($('hold').checked) return;
  const blocks = d.blocks > 1 ? d.block + '–' + (d.block + d.blocks - 1) : String(d.block);
  const from = d.from === 'cdn' ? 'CDN, ' + d.reason.replace('_', ' ') : nameOf(d.number, d.peer);
  const could = d.candidates.map((c) => nameOf(d.number, c.peer) + ' in ' + seconds(c.finish_ms)).join('; ');
  $('trace').prepend(row([blocks, from, make('td', d.why, 'why'), seconds(d.deadline_ms), seconds(d.cdn_last_safe_ms),
                          could || 'nobody']));
  while ($('trace').childElementCount > 100) $('trace').lastChild.remove();
}

function connect() {
  const events = new EventSource('/api/events');
  events.addEventListener('open', () => {
    $('link').textContent = 'connected';
    if (!interrupted) return;
    const { index, at } = interrupted;
    interrupted = null;
    play(index, at);
  });
  events.addEventListener('error', () => {
    $('link').textContent = 'the gateway does not answer; trying again';
    if (events.readyState === EventSource.CLOSED) setTimeout(connect, 1000);
  });
  events.addEventListener('state', (event) => showState(JSON.parse(event.data)));
  events.addEventListener('decision', (event) => showDecision(JSON.parse(event.data)));
}

addEventListener('resize', plot);
loadTracks().catch(() => {});
connect();
