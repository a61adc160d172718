import { randomBytes } from 'node:crypto'

import { consumerOf, create, isCausedBy, produce, producerOf, readBack } from './client.mjs'
import { Ledger, check, numberOf, sleep, valueOf, waitUntil } from './program.mjs'

export const compression = (codec) => async (env) => {
  const topic = await create(env, 't')
  const producer = producerOf(env)
  const ledger = new Ledger()
  await produce(producer, ledger, topic, 0, 1000, { compression: codec })
  await readBack(env, topic, ledger, ({ value }) => {
    check(value.toString() === valueOf(numberOf(value)), 'a value came back other than it was sent')
  })
  ledger.check()
  return { detail: 'all read', messages: ledger.count }
}

export async function keyed(env) {
  const topic = await create(env, 't')
  const producer = producerOf(env)
  const ledger = new Ledger()
  const homes = new Map()
  await produce(producer, ledger, topic, 0, 1000, { partitions: null, key: (number) => `key-${number % 100}` })
  await readBack(env, topic, ledger, ({ key, value }, partition) => {
    const name = key.toString()
    check(name === `key-${numberOf(value) % 100}`, 'a key came back other than it was sent', name)
    check((homes.get(name) ?? partition) === partition, `${name} is in two partitions`)
    homes.set(name, partition)
  })
  ledger.check()
  check(homes.size === 100 && ledger.partitions.length > 1, 'keys and partitions', [homes.size, ledger.partitions])
  return { detail: `100 keys in ${ledger.partitions.length} partitions`, messages: ledger.count }
}

export async function roundRobin(env) {
  const topic = await create(env, 't')
  const producer = producerOf(env)
  const ledger = new Ledger()
  await produce(producer, ledger, topic, 0, 300, { partitions: null })
  await readBack(env, topic, ledger)
  ledger.check()
  const counts = [0, 1, 2].map((partition) => ledger.countIn(partition))
  check(counts.every((count) => count === 100), 'records by partition', counts)
  return { detail: '100 records in each partition', messages: ledger.count }
}

/** Reads count messages of a topic, and a second longer for what is too much. */
async function collect(env, topic, count) {
  const got = []
  const reader = await consumerOf(env, topic, (message) => got.push(message))
  await waitUntil(() => got.length >= count, () => `${got.length} of ${count} messages`, 40_000)
  await sleep(1000)
  await reader.disconnect()
  check(got.length === count, 'messages read', got.length)
  return got
}

export async function headers(env) {
  const topic = await create(env, 't', 1)
  const producer = producerOf(env)
  const timestamp = 1_700_000_000_123n
  const bytes = (text) => Buffer.from(text)
  const several = new Map([
    [bytes('a'), bytes('1')],
    [bytes('имя'), Buffer.from([0, 255, 128])],
    [bytes('a'), bytes('2')],
    [bytes('empty'), bytes('')]
  ])
  const sent = [
    { key: bytes('k'), value: bytes('several'), headers: several },
    { key: bytes('k'), value: bytes('none') },
    { value: bytes('no key'), headers: new Map([[bytes('a'), bytes('x')]]) },
    { key: bytes('k'), headers: new Map([[bytes('why'), bytes('a tombstone keeps its headers')]]) }
  ]
  for (const message of sent) await producer.send({ acks: -1, messages: [{ topic, timestamp, ...message }] })
  const got = await collect(env, topic, sent.length)
  const hex = (value) => (value === undefined || value === null ? null : value.toString('hex'))
  const shape = ({ key, value, headers = new Map() }) =>
    JSON.stringify([hex(key), hex(value), [...headers].map(([name, text]) => [hex(name), hex(text)])])
  for (const [i, message] of got.entries()) {
    check(shape(message) === shape(sent[i]), `sent ${shape(sent[i])}, read`, shape(message))
    check(message.timestamp === timestamp && message.offset === BigInt(i), 'timestamp', String(message.timestamp))
  }
  return { detail: 'order, repeats, null and empty kept', messages: got.length }
}

export async function largeMessages(env) {
  const topic = await create(env, 't', 1, { 'max.message.bytes': '4194304' })
  const producer = producerOf(env)
  const sent = Array.from({ length: 6 }, () => randomBytes(3 << 20))
  for (const value of sent) await producer.send({ acks: -1, messages: [{ topic, value }] })
  const messages = [{ topic, value: randomBytes(5 << 20) }]
  const refusal = await producer.send({ acks: -1, messages }).catch((error) => error)
  check(isCausedBy(refusal, 'MESSAGE_TOO_LARGE'), '5 MiB gave', String(refusal))
  const got = await collect(env, topic, sent.length)
  check(got.every(({ value }, i) => value.equals(sent[i])), 'a message came back other than it was sent')
  return { detail: '3 MiB each; 5 MiB refused', messages: got.length }
}

export async function idempotent(env) {
  const topic = await create(env, 't')
  const producer = producerOf(env, { idempotent: true })
  const ledger = new Ledger()
  await produce(producer, ledger, topic, 0, 5000)
  await readBack(env, topic, ledger)
  ledger.check()
  return { detail: 'all read once', messages: ledger.count }
}
