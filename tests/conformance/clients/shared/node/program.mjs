// What the conformance programs for Node share: the words spoken with the harness (../../README.md)
// and the account of what was sent and read.

import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'

export { sleep }

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

/** Has the harness do something and waits until it is done. */
export async function ask(...words) {
  process.stdout.write(`@${words.join(' ')}\n`)
  const { value, done } = await answers.next()
  if (done || (value !== 'ok' && !value.startsWith('ok '))) {
    throw new Error(`asked the harness for ${words.join(' ')}: ${done ? 'it is gone' : value}`)
  }
}

/** Runs the scenario that the arguments name; it returns what it has shown, or throws why not. */
export async function run(scenarios, limitMs = 80_000) {
  const [, , name, bootstrap, prefix] = process.argv
  if (scenarios[name] === undefined) end('fail', `no such scenario: ${name}`)
  process.on('unhandledRejection', (error) => end('fail', `unhandled: ${error?.stack ?? error}`))
  process.on('uncaughtException', (error) => end('fail', `uncaught: ${error?.stack ?? error}`))
  setTimeout(() => end('fail', `not done within ${limitMs} ms`), limitMs)
  const env = { bootstrap: bootstrap.split(','), name: (suffix) => `${prefix}-${suffix}` }
  try {
    const { detail, ...numbers } = await scenarios[name](env)
    end('pass', detail, numbers)
  } catch (error) {
    process.stderr.write(`${inspect(error, { depth: 8 })}\n`)
    end('fail', String(error?.message ?? error))
  }
}

function end(verdict, detail, numbers = {}) {
  const line = `${JSON.stringify({ verdict, detail, ...numbers })}\n`
  process.stdout.write(line, () => process.exit(verdict === 'pass' ? 0 : 1))
}

export function check(condition, message, found) {
  if (!condition) {
    throw new Error(found === undefined ? message : `${message}: ${JSON.stringify(found)}`)
  }
}

/** Asks again and again until condition holds. */
export async function waitUntil(condition, what, limitMs = 20_000) {
  const deadline = Date.now() + limitMs
  while (!(await condition())) {
    check(Date.now() < deadline, `not within ${limitMs} ms: ${typeof what === 'function' ? what() : what}`)
    await sleep(25)
  }
}

const FILLER = 'a text that is the same in every record and therefore compresses well, '.repeat(14)

/** The value of the record with this number; it begins with it. */
export const valueOf = (number) => `${number} ${FILLER}`

export function numberOf(value) {
  const number = Number.parseInt(String(value), 10)
  check(Number.isInteger(number), 'read a record that nobody wrote', String(value).slice(0, 40))
  return number
}

/** Keeps the longest time between two events, in milliseconds. */
export class Gaps {
  #last = null
  longestMs = 0

  mark() {
    const now = Date.now()
    if (this.#last !== null) this.longestMs = Math.max(this.longestMs, now - this.#last)
    this.#last = now
  }
}

/** Accounts for records. Each has a number of its own, rising in the order of sending. */
export class Ledger {
  #acknowledged = new Map() // number -> { partition, offset }; what is not known is null
  #read = new Map() // number -> [{ partition, offset }]
  #order = new Map() // partition -> [{ offset, number }]

  acknowledged(number, partition, offset = null) {
    this.#acknowledged.set(number, { partition, offset: offset === null ? null : Number(offset) })
  }

  read(number, partition, offset) {
    const places = this.#read.get(number) ?? []
    places.push({ partition, offset: Number(offset) })
    this.#read.set(number, places)
    const order = this.#order.get(partition) ?? []
    order.push({ offset: Number(offset), number })
    this.#order.set(partition, order)
  }

  get count() {
    return this.#read.size
  }

  get missing() {
    return [...this.#acknowledged.keys()].filter((number) => !this.#read.has(number)).length
  }

  get duplicates() {
    return [...this.#read.values()].reduce((sum, places) => sum + places.length - 1, 0)
  }

  get partitions() {
    return [...this.#order.keys()].sort()
  }

  /** How many records were read of a partition. */
  countIn(partition) {
    return this.#order.get(partition)?.length ?? 0
  }

  /** Waits for what is missing, and a second more for what is too much. */
  async wait(limitMs = 30_000) {
    await waitUntil(() => this.missing === 0, () => `${this.missing} acknowledged records were not read`, limitMs)
    await sleep(1000)
  }

  /**
   * Everything acknowledged was read, where the cluster had said that it is. once: nothing was read
   * twice or is in the log twice, and each partition was read in the order of sending.
   */
  check({ once = true } = {}) {
    for (const [number, told] of this.#acknowledged) {
      const places = this.#read.get(number) ?? []
      check(places.length > 0, `record ${number} was acknowledged and never read`, told)
      const same = places.some(
        ({ partition, offset }) =>
          (told.partition === null || partition === told.partition) && (told.offset === null || offset === told.offset)
      )
      check(same, `record ${number} was acknowledged at ${JSON.stringify(told)} and read at`, places)
      check(!once || places.length === 1, `record ${number} was read more than once`, places)
    }
    if (!once) return
    for (const [partition, order] of this.#order) {
      for (let i = 1; i < order.length; i++) {
        const [before, after] = [order[i - 1], order[i]]
        check(
          before.offset < after.offset && before.number < after.number,
          `partition ${partition} was read out of order`,
          [before, after]
        )
      }
    }
  }
}
