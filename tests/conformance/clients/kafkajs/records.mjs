import { randomBytes } from 'node:crypto'

import { CompressionTypes, Ledger, consumerOf, create, produce, producerOf, readBack, waitUntil } from './client.mjs'
import { check, numberOf, sleep, valueOf } from './program.mjs'

export const compression = (codec) => async (env) => {
  const topic = await create(env, 't')
  const producer = await producerOf(env)
  const ledger = new Ledger()
  await produce(producer, ledger, topic, 0, 1000, { compression: CompressionTypes[codec] })
  await readBack(env, topic, ledger, ({ value }) => {
    check(value.toString() === valueOf(numberOf(value)), 'a value came back other than it was sent')
  })
  ledger.check()
  return { detail: 'all read', messages: ledger.count }
}

export async function keyed(env) {
  const topic = await create(env, 't')
  const producer = await producerOf(env)
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
  const producer = await producerOf(env)
  const ledger = new Ledger()
  await produce(producer, ledger, topic, 0, 300, { partitions: null })
  await readBack(env, topic, ledger)
  ledger.check()
  const counts = [0, 1, 2].map((partition) => ledger.countIn(partition))
  check(counts.every((count) => count === 100), 'records by partition', counts)
  return { detail: '100 records in each partition', messages: ledger.count }
}

export async function headers(env) {
  const topic = await create(env, 't', 1)
  const producer = await producerOf(env)
  const timestamp = '1700000000123'
  const sent = [
    { key: 'k', value: 'several', headers: { a: ['1', '2'], имя: Buffer.from([0, 255, 128]), empty: '' } },
    { key: 'k', value: 'none' },
    { key: null, value: 'no key', headers: { a: 'x' } },
    { key: 'k', value: null, headers: { why: 'a tombstone keeps its headers' } },
    { key: '', value: '' }
  ]
  await producer.send({ topic, acks: -1, messages: sent.map((message) => ({ ...message, timestamp })) })
  const got = []
  const consumer = await consumerOf(env, topic, (message) => got.push(message))
  await waitUntil(() => got.length >= sent.length, () => `${got.length} of ${sent.length} messages`)
  await sleep(1000)
  await consumer.disconnect()
  const bytes = (value) => (value === null ? null : Buffer.from(value).toString('hex'))
  const plain = (headers = {}) =>
    Object.entries(headers).map(([name, values]) => [name, [values].flat().map((value) => bytes(value))])
  const shape = (message) => JSON.stringify([bytes(message.key), bytes(message.value), plain(message.headers)])
  check(got.length === sent.length, 'messages read', got.length)
  for (const [i, message] of got.entries()) {
    check(shape(message) === shape(sent[i]), `sent ${shape(sent[i])}, read`, shape(message))
    check(message.timestamp === timestamp && message.offset === String(i), 'timestamp and offset', message.timestamp)
  }
  return { detail: 'values of repeated names in their order; the client has no null header values', messages: got.length }
}

export async function largeMessages(env) {
  const topic = await create(env, 't', 1, { 'max.message.bytes': '4194304' })
  const producer = await producerOf(env)
  const sent = Array.from({ length: 6 }, () => randomBytes(3 << 20))
  for (const value of sent) await producer.send({ topic, acks: -1, messages: [{ value }] })
  let refusal = null
  await producer.send({ topic, acks: -1, messages: [{ value: randomBytes(5 << 20) }] }).catch((error) => {
    refusal = error
  })
  check(refusal?.type === 'MESSAGE_TOO_LARGE', '5 MiB gave', String(refusal))
  const got = []
  const consumer = await consumerOf(env, topic, ({ value }) => got.push(value))
  await waitUntil(() => got.length >= sent.length, () => `${got.length} of ${sent.length} messages`, 40_000)
  await sleep(1000)
  await consumer.disconnect()
  check(got.length === sent.length && got.every((value, i) => value.equals(sent[i])), 'messages read', got.length)
  return { detail: '3 MiB each; 5 MiB refused', messages: got.length }
}

export async function idempotent(env) {
  const topic = await create(env, 't')
  const producer = await producerOf(env, { idempotent: true, maxInFlightRequests: 1 })
  const ledger = new Ledger()
  await produce(producer, ledger, topic, 0, 5000)
  await readBack(env, topic, ledger)
  ledger.check()
  return { detail: 'all read once', messages: ledger.count }
}
