// Hocuspocus as its documentation starts it, without an extension that persists.
import { Server } from '@hocuspocus/server'

const server = new Server({ port: 0, address: '127.0.0.1', quiet: true })
await server.listen()
console.log(`hocuspocus ready http=127.0.0.1:${server.httpServer.address().port}`)
