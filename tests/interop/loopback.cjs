// Preloaded by node, so that whatever listens does so on loopback alone.
'use strict'
const dgram = require('dgram')
const net = require('net')

const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (port, ...rest) {
  const callback = rest.filter(argument => typeof argument === 'function')
  return listen.call(this, typeof port === 'object' ? port.port : port, '127.0.0.1', ...callback)
}
const bind = dgram.Socket.prototype.bind
dgram.Socket.prototype.bind = function (port, ...rest) {
  const callback = rest.filter(argument => typeof argument === 'function')
  return bind.call(this, port, this.type === 'udp6' ? '::1' : '127.0.0.1', ...callback)
}
