// What all scenarios need of @platformatic/kafka.

import { Admin, Consumer, Producer } from '@platformatic/kafka'

import { numberOf, valueOf } from './program.mjs'

const base = (env) => ({ clientId: 'conformance', bootstrapBrokers: env.bootstrap, retries: 20, retryDelay: 200 })

export const producerOf = (env, options = {}) => new Producer({ ...base(env), ...options })

export async function withAdmin(env, work) {
  const admin = new Admin(base(env))
  try {
    return await work(admin)
  } finally {
    await admin.close()
  }
}

export async function create(env, suffix, partitions = 3, config = {}) {
  const topic = env.name(suffix)
  const configs = Object.entries(config).map(([name, value]) => ({ name, value }))
  await withAdmin(env, (admin) => admin.createTopics({ topics: [topic], partitions, replicas: 3, configs }))
  return topic
}

/** Whether an error, or one that caused it, has this name of Kafka's protocol. */
export function isCausedBy(error, apiId) {
  const inner = [error?.cause, ...(error?.errors ?? [])].filter(Boolean)
  return error?.apiId === apiId || inner.some((one) => isCausedBy(one, apiId))
}

/** Sends records numbered from first to below end, 100 a request; partitions null: the client chooses. */
export async function produce(producer, ledger, topic, first, end, { partitions = 3, key, ...options } = {}) {
  for (let from = first; from < end; from += 100) {
    const numbers = Array.from({ length: Math.min(100, end - from) }, (_, i) => from + i)
    const messages = numbers.map((number) => ({
      topic,
      value: Buffer.from(valueOf(number)),
      ...(key === undefined ? {} : { key: Buffer.from(key(number)) }),
      ...(partitions === null ? {} : { partition: number % partitions })
    }))
    const { offsets } = await producer.send({ acks: -1, messages, ...options })
    acknowledge(ledger, numbers, offsets, partitions)
  }
}

/** Where the records of one request are: each partition's begin at the offset that was answered. */
export function acknowledge(ledger, numbers, offsets, partitions) {
  const next = new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]))
  for (const number of numbers) {
    if (partitions === null) {
      ledger?.acknowledged(number, null) // where it went is seen when it is read
      continue
    }
    const partition = number % partitions
    ledger?.acknowledged(number, partition, next.get(partition))
    next.set(partition, next.get(partition) + 1)
  }
}

/** A member of a group that gives each message to `each`; an error of its stream ends the program. */
export async function consumerOf(env, topic, each, { group = 'reader', consume = {}, ...options } = {}) {
  const consumer = new Consumer({ ...base(env), groupId: env.name(group), maxWaitTime: 200, ...options })
  const stream = await consumer.consume({
    topics: [topic],
    mode: 'committed',
    fallbackMode: 'earliest',
    autocommit: true,
    ...consume
  })
  stream.on('data', (message) => each(message, message.partition))
  let isClosing = false
  stream.on('error', (error) => {
    if (isClosing) return // a fetch that was under way
    process.nextTick(() => {
      throw error
    })
  })
  return {
    consumer,
    stream,
    held: () => consumer.assignments?.find((one) => one.topic === topic)?.partitions ?? [],
    disconnect: () => {
      isClosing = true
      return consumer.close(true)
    }
  }
}

export const into = (ledger) => (message, partition) => ledger.read(numberOf(message.value), partition, message.offset)

/** Reads all that was acknowledged with a new group. */
export async function readBack(env, topic, ledger, each = () => {}, options = {}) {
  const note = into(ledger)
  const reader = await consumerOf(
    env,
    topic,
    (message, partition) => {
      each(message, partition)
      note(message, partition)
    },
    { group: `reader-${Date.now()}`, ...options }
  )
  await ledger.wait()
  await reader.disconnect()
}
