import { constants } from 'node:os'
import { describe, expect, test } from 'vitest'
import { AuthError, ProtoError, Request, ZmqError } from '../../lib/index.js'
import { endpoint, own } from './support.js'

describe('ZmqError', () => {
  test('has a code, a number and a text', async () => {
    const [socket] = own(new Request())
    await socket.bind(endpoint())
    const error = await socket.receive().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ZmqError)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ name: 'ZmqError', code: 'EFSM', errno: 156384763 })
    expect((error as Error).message).not.toBe('')
    expect((error as Error).stack).toContain('ZmqError')
  })

  test('has the numbers of the system', () => {
    expect(new ZmqError('EAGAIN').errno).toBe(constants.errno.EAGAIN)
    expect(new ZmqError('ETERM').errno).toBe(156384765)
  })

  test('names the endpoint at fault', async () => {
    const [socket] = own(new Request())
    const address = endpoint()
    await expect(socket.unbind(address)).rejects.toMatchObject({ code: 'ENOENT', address })
    expect('address' in new ZmqError('EAGAIN')).toBe(false)
  })

  test('has kinds for events', () => {
    expect(new AuthError(400)).toMatchObject({ status: 400 })
    expect(new AuthError(400)).toBeInstanceOf(ZmqError)
    expect(new ProtoError('ERR_ZMTP_UNSPECIFIED')).toBeInstanceOf(ZmqError)
  })
})
