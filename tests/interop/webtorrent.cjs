// A webtorrent client for one torrent, told what to do by JSON on the command line:
//   node webtorrent.cjs '{"torrent": FILE or magnet link, "folder": DIR, "peers": ["HOST:PORT", …],
//                         "dht": ["HOST:PORT", …], "secure": BOOL, "down": BYTES A SECOND}'
// Prints `listening PORT`, `complete`, and `told of HOST:PORT` for each address it has by peer exchange.
// NODE_PATH holds the folder that webtorrent is installed in.
'use strict'
const fs = require('fs')
const WebTorrent = require('webtorrent')
const told = JSON.parse(process.argv[2])
const client = new WebTorrent({
  dht: told.dht ? { bootstrap: told.dht } : false,
  downloadLimit: told.down,
  lsd: false,
  secure: told.secure === true,
  tracker: {},
  utp: false
})
client.on('error', error => { console.log(`error: ${error.message}`); process.exit(1) })
const source = told.torrent.startsWith('magnet:') ? told.torrent : fs.readFileSync(told.torrent)
client.add(source, { path: told.folder }, torrent => {
  const complete = () => console.log('complete')
  if (torrent.done) complete()
  else torrent.on('done', complete)
})
const torrent = client.torrents[0]
torrent.on('infoHash', () => {
  for (const peer of told.peers || []) torrent.addPeer(peer)
})
torrent.on('wire', wire => {
  if (wire.ut_pex) wire.ut_pex.on('peer', peer => console.log(`told of ${peer}`))
})
client.on('listening', () => console.log(`listening ${client.torrentPort}`))
process.on('SIGTERM', () => process.exit(0))
