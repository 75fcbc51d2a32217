// ShareDB as its documentation starts it: operations and texts in memory, WebSocket, texts of Unicode scalars.
const http = require('http')
const ShareDB = require('sharedb')
const { Duplex } = require('stream')
const { WebSocketServer } = require('ws')
const unicode = require('ot-text-unicode')

ShareDB.types.register(unicode.type)
const backend = new ShareDB()

/** An object stream over a WebSocket, which is what `listen` wants: the whole of what websocket-json-stream does. */
class JsonStream extends Duplex {
  constructor (socket) {
    super({ objectMode: true })
    this.socket = socket
    socket.on('message', data => this.push(JSON.parse(data)))
    socket.on('close', () => { this.push(null); this.destroy() })
  }

  _read () {}

  _write (message, _encoding, done) {
    if (this.socket.readyState !== 1) return done()
    this.socket.send(JSON.stringify(message), done)
  }
}

const server = http.createServer()
new WebSocketServer({ server }).on('connection', socket => backend.listen(new JsonStream(socket)))
server.listen(0, '127.0.0.1', () => console.log(`sharedb ready http=127.0.0.1:${server.address().port}`))
