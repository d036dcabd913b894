// For connections that answer in order: pairs replies with calls.
export function inOrder(send) {
  const waiting = []
  let next = 0
  return {
    call(payload) {
      return new Promise((resolve) => {
        waiting.push(resolve)
        send(payload)
      })
    },
    reply(data) {
      waiting[next](data)
      waiting[next++] = undefined
      if (next < 1024) return
      waiting.splice(0, next)
      next = 0
    },
  }
}
