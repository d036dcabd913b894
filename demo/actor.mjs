// Processes of the demo: the director (main.mjs and the chapters) starts actors, which run one of
// the roles and talk with it over Node's own channel for child processes.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('roles.mjs', import.meta.url))
const actors = new Set()

/** Ends what is still running, for a director that gives up. */
export const endAll = () => {
  for (const actor of actors) actor.kill()
}

/** One process in a role of roles.mjs. */
export class Actor {
  #process
  #heard = []
  #listeners = []
  #ended

  constructor(role, task = {}) {
    this.#process = fork(program, [role, JSON.stringify(task)])
    actors.add(this.#process)
    this.#process.on('message', (message) => {
      this.#heard.push(message)
      this.#listeners.shift()?.resolve()
    })
    this.#ended = new Promise((resolve, reject) => {
      this.#process.on('exit', (code, signal) => {
        actors.delete(this.#process)
        if (code === 0) return resolve()
        reject(new Error(`the process of the ${role} ended with ${code ?? signal}`))
      })
    })
    this.#ended.catch((error) => {
      for (const listener of this.#listeners) listener.reject(error)
    })
  }

  /** The next thing the actor says. */
  async hear() {
    if (this.#heard.length === 0) {
      await new Promise((resolve, reject) => this.#listeners.push({ resolve, reject }))
    }
    return this.#heard.shift()
  }

  tell(message) {
    this.#process.send(message)
  }

  /** Ends an actor that is not needed after all. */
  dismiss() {
    this.#process.kill()
  }

  /** The last thing the actor has to say, once its process has ended well. */
  async leave() {
    const result = await this.hear()
    await this.#ended
    return result
  }
}
