// How the demo looks: colours only where a person watches, and where NO_COLOR is not set.
const colourful = process.stdout.isTTY && !process.env.NO_COLOR

const paint = (code) => (text) => (colourful ? `\x1b[${code}m${text}\x1b[0m` : String(text))
export const bold = paint(1)
export const dim = paint(2)
export const green = paint(32)
export const yellow = paint(33)
export const red = paint(31)
export const cyan = paint(36)

export const print = (text = '') => console.log(text)

export function title(number, text, note) {
  print()
  print(`${bold(`${number}  ${text}`)}  ${dim(note)}`)
}

/** A line of two columns; `name` is padded before it is painted. */
export const row = (name, text) => print(`   ${cyan(name.padEnd(14))}${text}`)

export function verdict(good, text) {
  print(`   ${good ? green('✓') : red('✗')} ${text}`)
  return good
}

const bars = ' ▁▂▃▄▅▆▇█'

/** One character for each count, from nothing to the largest of `top`. */
export function sparkline(counts, top = Math.max(...counts, 1)) {
  const level = (count) => (count === 0 ? 0 : Math.max(1, Math.round((8 * count) / top)))
  return counts.map((count) => bars[Math.min(8, level(count))]).join('')
}

export const number = (value) => Math.round(value).toLocaleString('en-US')
