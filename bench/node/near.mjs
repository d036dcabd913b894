// The life of a benchmark's near process: runs it, prints its result or error as a line of JSON,
// and ends in time.
import { fileURLToPath } from 'node:url'
import { startFar } from './process.mjs'

/**
 * Runs `main(start)`, where `start()` starts the far process: the program `url` with the same
 * arguments. A far process runs `main` only, and ends with the near one.
 */
export async function runNear(url, argv, options, main) {
  const deadline = setTimeout(() => {
    process.stdout.write('{"error":"deadline"}\n')
    process.exit(3)
  }, options.deadline * 1e3)
  deadline.unref()
  try {
    const result = await main(() => startFar(fileURLToPath(url), argv))
    if (options.role === 'far') return
    process.stdout.write(`${JSON.stringify(result)}\n`)
    process.exit(0)
  } catch (error) {
    const line = options.role === 'near' ? JSON.stringify({ error: error.message }) : ''
    process.stdout.write(`${line}\n`)
    process.stderr.write(`${error.stack}\n`)
    process.exit(1)
  }
}
