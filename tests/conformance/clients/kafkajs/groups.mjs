import { Ledger, consumerOf, create, into, kafka, produce, producerOf, readBack, waitUntil, withAdmin } from './client.mjs'
import { check, numberOf, sleep, valueOf } from './program.mjs'

/** Two members of a group while records are written; both scenarios of groups see the same. */
async function sharedByTwo(env, onBoth) {
  const topic = await create(env, 't', 6)
  const producer = await producerOf(env)
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
  const options = { group: 'g', heartbeatInterval: 500 }
  const first = await consumerOf(env, topic, reading(byFirst), options)
  await waitUntil(() => first.held.length === 6, () => `the first member holds ${first.held.length} partitions`)
  const second = await consumerOf(env, topic, reading(bySecond), options)
  const counts = () => [first.held.length, second.held.length]
  await waitUntil(() => counts().join() === '3,3', () => `the members hold ${counts()} partitions`, 25_000)
  const [before, beforeSecond] = [byFirst.count, bySecond.count]
  await waitUntil(() => byFirst.count > before && bySecond.count > beforeSecond, 'one of the members reads nothing')
  await onBoth(env.name('g'))
  await second.disconnect()
  await waitUntil(() => first.held.length === 6, () => `the first member holds ${first.held.length} partitions`)
  isWriting = false
  await writing
  await ledger.wait()
  await first.disconnect()
  ledger.check({ once: false })
  return ledger
}

export async function rebalance(env) {
  const ledger = await sharedByTwo(env, async () => {})
  return {
    detail: 'partitions 6, then 3 and 3, then 6; commits are automatic, at the end of each batch',
    messages: ledger.count,
    duplicates: ledger.duplicates
  }
}

export async function groupProtocol(env) {
  const ledger = await sharedByTwo(env, (group) =>
    withAdmin(env, async (admin) => {
      const { groups } = await admin.describeGroups([group])
      const [{ state, protocolType, members }] = groups
      check(state === 'Stable' && protocolType === 'consumer' && members.length === 2, 'described as', [state, protocolType, members.length])
    })
  )
  return { detail: 'classic protocol, assignor RoundRobinAssigner', messages: ledger.count, duplicates: ledger.duplicates }
}

export async function seekPauseOffsetsForTimes(env) {
  const topic = await create(env, 't', 2)
  const producer = await producerOf(env)
  const start = 1_700_000_000_000
  const messages = Array.from({ length: 200 }, (_, number) => ({
    value: valueOf(number),
    partition: number % 2,
    timestamp: String(start + Math.floor(number / 2) * 1000)
  }))
  await producer.send({ topic, acks: -1, messages })
  // The client answers with the end where no record is that late.
  const wanted = [[start - 5, 0], [start + 40_000, 40], [start + 40_001, 41], [start + 1_000_000, 100]]
  await withAdmin(env, async (admin) => {
    for (const [time, offset] of wanted) {
      const told = await admin.fetchTopicOffsetsByTimestamp(topic, time)
      check(told.length === 2 && told.every((one) => one.offset === String(offset)), `offsets for ${time}, not ${offset}`, told)
    }
  })
  const got = [[], []]
  const consumer = await consumerOf(env, topic, (message, partition) => {
    check(Math.floor(numberOf(message.value) / 2) === Number(message.offset), 'a record at a wrong offset')
    got[partition].push(Number(message.offset))
  })
  const lengths = () => `records read: ${got.map((offsets) => offsets.length)}`
  await waitUntil(() => got[0].length === 100 && got[1].length === 100, lengths)
  consumer.pause([{ topic, partitions: [1] }])
  await sleep(500) // what was fetched already
  got[0] = []
  got[1] = []
  consumer.seek({ topic, partition: 0, offset: '40' })
  consumer.seek({ topic, partition: 1, offset: '90' })
  await waitUntil(() => got[0].length >= 60, lengths)
  await sleep(2000)
  check(got[0].length === 60 && got[0][0] === 40 && got[1].length === 0, 'with partition 1 paused', got)
  consumer.resume([{ topic, partitions: [1] }])
  await waitUntil(() => got[1].length >= 10, lengths)
  check(got[1].length === 10 && got[1][0] === 90 && got[0].length === 60, 'after partition 1 was resumed at 90', got)
  await consumer.disconnect()
  return { detail: 'offsets for times exact; a paused partition is silent', messages: 200 }
}

export async function commitAndResume(env) {
  const topic = await create(env, 't')
  const producer = await producerOf(env)
  const ledger = new Ledger()
  await produce(producer, ledger, topic, 0, 1000)
  const consumer = kafka(env).consumer({ groupId: env.name('g'), maxWaitTimeInMs: 200 })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  const next = new Map()
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: 1,
    eachMessage: async ({ partition, message }) => {
      if (ledger.count >= 400) return // read, neither processed nor committed: it comes again
      into(ledger)(message, partition)
      next.set(partition, String(Number(message.offset) + 1))
    }
  })
  await waitUntil(() => ledger.count >= 400, () => `${ledger.count} of 400 records`)
  const offsets = [...next].map(([partition, offset]) => ({ topic, partition, offset }))
  await consumer.commitOffsets(offsets)
  await withAdmin(env, async (admin) => {
    const [{ partitions }] = await admin.fetchOffsets({ groupId: env.name('g'), topics: [topic] })
    for (const { partition, offset } of partitions) {
      check(offset === (next.get(partition) ?? '-1'), `committed in partition ${partition}`, offset)
    }
  })
  await consumer.disconnect()
  await readBack(env, topic, ledger, () => {}, { group: 'g' })
  ledger.check()
  return { detail: '400 committed by the first member, the rest read by the second', messages: ledger.count }
}
