// The demo: `npm run demo` builds the library and runs this. Ends with exit code 0 only if
// everything that was sent has arrived.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as zmq from '../dist/esm/index.js'
import { endAll } from './actor.mjs'
import { figures, pipeline, publishing, requests } from './chapters.mjs'
import { contrast, stall } from './stall.mjs'
import { bold, dim, green, print, red } from './terminal.mjs'

const patience = 60_000

function giveUp(reason) {
  print(red(`\n   ${reason}`))
  endAll()
  process.exit(1)
}

const folder = mkdtempSync(join(tmpdir(), 'zerowire-demo-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
setTimeout(() => giveUp(`not done after ${patience / 1000} s`), patience).unref()

print(
  `${bold('zerowire')} ${zmq.version}  ${dim(`Node.js ${process.version}, every part in its own process`)}`,
)
try {
  const results = [await requests(), await pipeline(folder), await publishing(), await stall()]
  await contrast()
  results.push(await figures())
  const good = results.every(Boolean)
  print()
  print(good ? green('Everything that was sent has arrived.') : red('Something has been lost.'))
  process.exitCode = good ? 0 : 1
} catch (error) {
  giveUp(error.stack)
}
