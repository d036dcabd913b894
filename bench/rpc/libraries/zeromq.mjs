// zeromq.js: see ../sockets.mjs.
import * as library from 'zeromq'
import * as sockets from '../sockets.mjs'

export const serve = (options) => sockets.serve(library, options)
export const connect = (endpoint, options) => sockets.connect(library, endpoint, options, false)
