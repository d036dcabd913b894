import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as zerowire from '../../lib/index.js'

describe('the package', () => {
  test('exports what it says', () => {
    expect(Object.keys(zerowire).sort()).toEqual(
      [
        'AuthError Context DOWNSTREAM Dealer Observer Pair ProtoError Proxy Publisher Pull Push',
        'Reply Request Router Socket Subscriber UPSTREAM XPublisher XREP XREQ XSubscriber',
        'ZmqError capability context version',
      ]
        .join(' ')
        .split(' '),
    )
  })

  test('knows its version', () => {
    const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
    expect(zerowire.version).toBe(JSON.parse(manifest).version)
  })

  test('claims no capability it has not', () => {
    const { ipc, pgm, ...others } = zerowire.capability
    expect({ ipc, pgm }).toEqual({ ipc: true, pgm: true })
    expect(Object.values(others)).toEqual(Array(5).fill(false))
  })

  test('has the names of the early days', () => {
    expect(zerowire.XREQ).toBe(zerowire.Dealer)
    expect(zerowire.XREP).toBe(zerowire.Router)
    expect(zerowire.UPSTREAM).toBe(zerowire.Pull)
    expect(zerowire.DOWNSTREAM).toBe(zerowire.Push)
  })
})
