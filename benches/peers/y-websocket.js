// The server of y-websocket, as its own bin/server.cjs puts it together, without persistence.
const http = require('http')
const { WebSocketServer } = require('ws')
const { setupWSConnection } = require('y-websocket/bin/utils')

const server = http.createServer()
new WebSocketServer({ server }).on('connection', setupWSConnection)
server.listen(0, '127.0.0.1', () => console.log(`y-websocket ready http=127.0.0.1:${server.address().port}`))
