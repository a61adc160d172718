// What all scenarios need of kafkajs.

import kafkajs from 'kafkajs'
import LZ4Codec from 'kafkajs-lz4'
import SnappyCodec from 'kafkajs-snappy'
import zstdCodec from 'zstd-codec'

import { numberOf, valueOf } from './program.mjs'

const { CompressionCodecs, CompressionTypes, Kafka, Partitioners, logLevel } = kafkajs

// The client brings gzip; for the others its documentation names packages. @kafkajs/zstd has to be
// compiled and is no longer kept: any other package can be put in its place.
CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec
CompressionCodecs[CompressionTypes.LZ4] = new LZ4Codec().codec
const zstd = await new Promise((resolve) => zstdCodec.ZstdCodec.run((codec) => resolve(new codec.Simple())))
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async ({ buffer }) => Buffer.from(zstd.compress(buffer)),
  decompress: async (buffer) => Buffer.from(zstd.decompress(buffer))
})

export { CompressionTypes }

export function kafka(env) {
  const toStderr = () => ({ namespace, log }) => process.stderr.write(`${namespace}: ${JSON.stringify(log)}\n`)
  return new Kafka({
    clientId: 'conformance',
    brokers: env.bootstrap,
    logLevel: logLevel.INFO,
    logCreator: toStderr,
    retry: { retries: 20, maxRetryTime: 3000 }
  })
}

export async function producerOf(env, options = {}) {
  const producer = kafka(env).producer({ createPartitioner: Partitioners.DefaultPartitioner, ...options })
  await producer.connect()
  return producer
}

export async function withAdmin(env, work) {
  const admin = kafka(env).admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
}

export async function create(env, suffix, numPartitions = 3, config = {}) {
  const topic = env.name(suffix)
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
  await withAdmin(env, (admin) =>
    admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions, replicationFactor: 3, configEntries }] })
  )
  return topic
}

/** Sends records numbered from first to below end in one request each 100; partition: by number, or null. */
export async function produce(producer, ledger, topic, first, end, { partitions = 3, compression, key } = {}) {
  for (let from = first; from < end; from += 100) {
    const numbers = Array.from({ length: Math.min(100, end - from) }, (_, i) => from + i)
    const messages = numbers.map((number) => ({
      value: valueOf(number),
      key: key?.(number),
      partition: partitions === null ? undefined : number % partitions
    }))
    const results = await producer.send({ topic, acks: -1, compression, messages })
    const next = new Map(results.map(({ partition, baseOffset }) => [partition, Number(baseOffset)]))
    for (const number of numbers) {
      const partition = partitions === null ? null : number % partitions
      if (partition === null) {
        ledger?.acknowledged(number, null) // where it went is seen when it is read
      } else {
        ledger?.acknowledged(number, partition, next.get(partition))
        next.set(partition, next.get(partition) + 1)
      }
    }
  }
}

/** A running consumer of the topic, a member of the group; each is given every message. */
export async function consumerOf(env, topic, each, { group = 'reader', autoCommit = true, ...options } = {}) {
  const consumer = kafka(env).consumer({ groupId: env.name(group), maxWaitTimeInMs: 200, ...options })
  consumer.held = []
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    consumer.held = payload.memberAssignment[topic] ?? []
  })
  consumer.on(consumer.events.REBALANCING, () => {
    consumer.held = []
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({ autoCommit, eachMessage: async ({ partition, message }) => each(message, partition) })
  return consumer
}

export const into = (ledger) => (message, partition) => ledger.read(numberOf(message.value), partition, message.offset)

/** Reads all that was acknowledged with a new group. */
export async function readBack(env, topic, ledger, each = () => {}, options = {}) {
  const note = into(ledger)
  const consumer = await consumerOf(
    env,
    topic,
    (message, partition) => {
      each(message, partition)
      note(message, partition)
    },
    { group: `reader-${Date.now()}`, ...options }
  )
  await ledger.wait()
  await consumer.disconnect()
  return ledger
}


export { Ledger, waitUntil } from './program.mjs'
