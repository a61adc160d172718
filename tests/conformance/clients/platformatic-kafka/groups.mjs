import { consumerOf, create, into, produce, producerOf, readBack, withAdmin } from './client.mjs'
import { Ledger, check, numberOf, sleep, valueOf, waitUntil } from './program.mjs'

/** Two members of a group while records are written; all scenarios of groups see the same. */
async function sharedByTwo(env, options, onBoth) {
  const topic = await create(env, 't', 6)
  const producer = producerOf(env)
  const ledger = new Ledger()
  const [byFirst, bySecond] = [new Ledger(), new Ledger()]
  const reading = (own) => (message, partition) => {
    into(own)(message, partition)
    into(ledger)(message, partition)
  }
  let isWriting = true
  const writing = (async () => {
    for (let number = 0; isWriting; number += 6) {
      await produce(producer, ledger, topic, number, number + 6, { partitions: 6 })
      await sleep(30)
    }
  })()
  const first = await consumerOf(env, topic, reading(byFirst), { group: 'g', ...options })
  await waitUntil(() => first.held().length === 6, () => `the first member holds ${first.held().length} partitions`)
  const second = await consumerOf(env, topic, reading(bySecond), { group: 'g', ...options })
  const counts = () => [first.held().length, second.held().length]
  await waitUntil(() => counts().join() === '3,3', () => `the members hold ${counts()} partitions`, 25_000)
  const [before, beforeSecond] = [byFirst.count, bySecond.count]
  await waitUntil(() => byFirst.count > before && bySecond.count > beforeSecond, 'one of the members reads nothing')
  await onBoth(env.name('g'))
  await second.disconnect()
  await waitUntil(() => first.held().length === 6, () => `the first member holds ${first.held().length} partitions`)
  isWriting = false
  await writing
  await ledger.wait()
  await first.disconnect()
  ledger.check({ once: false })
  return ledger
}

const CLASSIC = { groupProtocol: 'classic', heartbeatInterval: 500 }

export async function rebalance(env) {
  const ledger = await sharedByTwo(env, CLASSIC, async () => {})
  return {
    detail: 'partitions 6, then 3 and 3, then 6; commits are automatic',
    messages: ledger.count,
    duplicates: ledger.duplicates
  }
}

export const groupProtocol = (protocol) => async (env) => {
  const options = protocol === 'classic' ? CLASSIC : { groupProtocol: 'consumer' }
  const ledger = await sharedByTwo(env, options, (group) =>
    withAdmin(env, async (admin) => {
      const listed = (await admin.listGroups({ types: ['classic', 'consumer'] })).get(group)
      check(listed?.groupType?.toLowerCase() === protocol, 'listed as', listed)
    })
  )
  return { detail: `${protocol} protocol`, messages: ledger.count, duplicates: ledger.duplicates }
}

/** Seeking is a stream that begins at offsets; a pause is one of the whole stream. */
export async function seekPauseOffsetsForTimes(env) {
  const topic = await create(env, 't', 2)
  const producer = producerOf(env)
  const start = 1_700_000_000_000
  const messages = Array.from({ length: 200 }, (_, number) => ({
    topic,
    value: Buffer.from(valueOf(number)),
    partition: number % 2,
    timestamp: BigInt(start + Math.floor(number / 2) * 1000)
  }))
  await producer.send({ acks: -1, messages })
  const wanted = [[start - 5, 0], [start + 40_000, 40], [start + 40_001, 41], [start + 1_000_000, -1]]
  await withAdmin(env, async (admin) => {
    for (const [time, offset] of wanted) {
      const partitions = [0, 1].map((partitionIndex) => ({ partitionIndex, timestamp: BigInt(time) }))
      const [told] = await admin.listOffsets({ topics: [{ name: topic, partitions }] })
      const offsets = told.partitions.map((one) => Number(one.offset))
      check(offsets.length === 2 && offsets.every((one) => one === offset), `offsets for ${time}, not ${offset}`, offsets)
    }
  })
  const got = [[], []]
  const offsets = [[0, 40n], [1, 90n]].map(([partition, offset]) => ({ topic, partition, offset }))
  const reader = await consumerOf(
    env,
    topic,
    (message, partition) => {
      check(Math.floor(numberOf(message.value) / 2) === Number(message.offset), 'a record at a wrong offset')
      got[partition].push(Number(message.offset))
    },
    { consume: { mode: 'manual', fallbackMode: undefined, offsets } }
  )
  const lengths = () => `records read: ${got.map((one) => one.length)}`
  await waitUntil(() => got[0].length >= 60 && got[1].length >= 10, lengths)
  reader.stream.pause()
  const later = [200, 201].map((number) => ({ topic, value: Buffer.from(valueOf(number)), partition: number % 2 }))
  await producer.send({ acks: -1, messages: later })
  await sleep(2000)
  check(got[0].length === 60 && got[0][0] === 40 && got[1].length === 10 && got[1][0] === 90, 'while paused', got)
  reader.stream.resume()
  await waitUntil(() => got[0].length >= 61 && got[1].length >= 11, lengths)
  check(got[0].at(-1) === 100 && got[1].at(-1) === 100, 'after it was resumed', got)
  await reader.disconnect()
  return { detail: 'offsets for times exact; streams begin at offsets; the client pauses all partitions together', messages: 202 }
}

export async function commitAndResume(env) {
  const topic = await create(env, 't')
  const producer = producerOf(env)
  const ledger = new Ledger()
  await produce(producer, ledger, topic, 0, 1000)
  const next = [0n, 0n, 0n]
  const first = await consumerOf(
    env,
    topic,
    (message, partition) => {
      if (ledger.count >= 400) return // read, neither processed nor committed: it comes again
      into(ledger)(message, partition)
      next[partition] = message.offset + 1n
    },
    { group: 'g', consume: { autocommit: false } }
  )
  await waitUntil(() => ledger.count >= 400, () => `${ledger.count} of 400 records`)
  const offsets = next.map((offset, partition) => ({ topic, partition, offset, leaderEpoch: 0 })).filter((one) => one.offset > 0n)
  await first.consumer.commit({ offsets })
  await withAdmin(env, async (admin) => {
    const [{ topics }] = await admin.listConsumerGroupOffsets({ groups: [env.name('g')] })
    for (const { partitionIndex, committedOffset } of topics[0].partitions) {
      check(committedOffset === next[partitionIndex], `committed in ${partitionIndex}`, String(committedOffset))
    }
  })
  await first.disconnect()
  await readBack(env, topic, ledger, () => {}, { group: 'g' })
  ledger.check()
  return { detail: '400 committed by the first member, the rest read by the second', messages: ledger.count }
}
