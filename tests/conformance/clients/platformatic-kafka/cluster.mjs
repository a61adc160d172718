import { acknowledge, consumerOf, create, into, isCausedBy, produce, producerOf, readBack, withAdmin } from './client.mjs'
import { Gaps, Ledger, ask, check, numberOf, sleep, valueOf, waitUntil } from './program.mjs'

/** Copies a topic to another in transactions of 50 records; the third is aborted and done again. */
export async function transactions(env) {
  const input = await create(env, 'in')
  const output = await create(env, 'out')
  await produce(producerOf(env), null, input, 0, 300)
  const producer = producerOf(env, { idempotent: true, transactionalId: env.name('tx') })
  const waiting = []
  const reader = await consumerOf(env, input, (message) => waiting.push(message), {
    group: 'g',
    consume: { autocommit: false }
  })
  const ledger = new Ledger()
  for (let round = 1, done = 0; done < 300; round++) {
    await waitUntil(() => waiting.length >= 50, () => `${waiting.length} records to copy`)
    const taken = waiting.slice(0, 50)
    const transaction = await producer.beginTransaction()
    await transaction.addConsumer(reader.consumer)
    const messages = taken.map(({ value, partition }) => ({ topic: output, value, partition }))
    const { offsets } = await transaction.send({ acks: -1, messages })
    if (round === 3) {
      await transaction.abort()
      continue
    }
    const last = new Map(taken.map((message) => [message.partition, message]))
    for (const message of last.values()) await transaction.addOffset(message)
    await transaction.commit()
    acknowledge(ledger, taken.map(({ value }) => numberOf(value)), offsets, 3)
    waiting.splice(0, 50)
    done += 50
  }
  await reader.disconnect()
  await readBack(env, output, ledger, () => {}, { consume: { isolationLevel: 1 } })
  ledger.check()
  check(ledger.count === 300, 'records read committed', ledger.count)
  const every = new Ledger()
  const all = await consumerOf(env, output, into(every), { group: 'uncommitted', consume: { isolationLevel: 0 } })
  await waitUntil(() => every.count + every.duplicates >= 350, () => `${every.count} + ${every.duplicates} uncommitted`)
  await sleep(500)
  await all.disconnect()
  check(every.count === 300 && every.duplicates === 50, 'read uncommitted', [every.count, every.duplicates])
  await withAdmin(env, async (admin) => {
    const [{ topics }] = await admin.listConsumerGroupOffsets({ groups: [env.name('g')] })
    const offsets = topics[0].partitions.map(({ committedOffset }) => Number(committedOffset))
    check(offsets.length === 3 && offsets.every((offset) => offset === 100), 'committed offsets', offsets)
  })
  return { detail: 'each record once; 50 more were aborted', messages: ledger.count }
}

export async function admin(env) {
  const topic = env.name('t')
  const asked = { topics: [topic], partitions: 2, replicas: 3, configs: [{ name: 'retention.ms', value: '123456' }] }
  await withAdmin(env, async (admin) => {
    await admin.createTopics(asked)
    const again = await admin.createTopics(asked).catch((error) => error)
    check(isCausedBy(again, 'TOPIC_ALREADY_EXISTS'), 'created a second time', String(again))
    const resource = { resourceType: 2, resourceName: topic }
    const retention = async (want) => {
      const [{ configs }] = await admin.describeConfigs({ resources: [{ ...resource, configurationKeys: ['retention.ms'] }] })
      check(configs.length === 1 && configs[0].value === want, `retention.ms is not ${want}`, configs)
    }
    const alter = (value) =>
      admin.incrementalAlterConfigs({ resources: [{ ...resource, configs: [{ name: 'retention.ms', configOperation: 0, value }] }] })
    await retention('123456')
    await alter('654321')
    await retention('654321')
    const refusal = await alter('never').catch((error) => error)
    check(isCausedBy(refusal, 'INVALID_CONFIG'), 'a value that is no number gave', String(refusal))
    await admin.createPartitions({ topics: [{ name: topic, count: 4, assignments: null }] })
    const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true })
    const { partitions } = topics.get(topic)
    const isWhole = partitions.every(({ replicas, leader }) => replicas.length === 3 && replicas.includes(leader))
    check(partitions.length === 4 && isWhole, 'described as', partitions)
    check((await admin.listTopics()).includes(topic), 'not listed')
    await admin.deleteTopics({ topics: [topic] })
    await waitUntil(async () => !(await admin.listTopics()).includes(topic), 'the deleted topic is still listed', 5000)
  })
  return { detail: 'created, altered, grown, described, deleted; wrong requests refused' }
}

export async function leaderKilled(env) {
  const topic = await create(env, 't', 1, { 'min.insync.replicas': '2' })
  const producer = producerOf(env, { idempotent: true, retries: 2, retryDelay: 50, metadataMaxAge: 200 })
  const ledger = new Ledger()
  const gaps = new Gaps()
  const failures = []
  const killing = sleep(2000).then(() => ask('kill-leader', topic, 0))
  // The client does not collect messages by itself: what comes in 5 ms each waits for the request before.
  const start = Date.now()
  const due = () => Math.floor(Math.min(Date.now() - start, 6000) / 5)
  let number = 0
  while (number < 1200) {
    const numbers = Array.from({ length: Math.min(due() - number, 100) }, (_, i) => number + i)
    number += numbers.length
    if (numbers.length === 0) {
      await sleep(2)
      continue
    }
    const messages = numbers.map((mine) => ({ topic, value: Buffer.from(valueOf(mine)), partition: 0 }))
    // The client tries a dead leader's address again and asks for no other: the program sends again.
    let offsets
    await waitUntil(() => producer.send({ acks: -1, messages }).then((result) => (offsets = result.offsets), (error) => {
      failures.push(error)
      return false
    }), () => failures.at(-1))
    gaps.mark()
    acknowledge(ledger, numbers, offsets, 1)
  }
  await killing
  await ask('restart')
  await produce(producer, ledger, topic, number, number + 100, { partitions: 1 })
  await readBack(env, topic, ledger)
  ledger.check()
  return { detail: `all acknowledged, all read, once and in order; ${failures.length} sends failed and were made again`, messages: ledger.count, longest_gap_ms: gaps.longestMs }
}

export async function topicRecreated(env) {
  const topic = await create(env, 't')
  const producer = producerOf(env)
  const [before, after] = [new Ledger(), new Ledger()]
  const reader = await consumerOf(env, topic, (message, partition) => {
    into(numberOf(message.value) < 1000 ? before : after)(message, partition)
  }, { retries: 200, metadataMaxAge: 500 })
  await produce(producer, before, topic, 0, 100)
  await before.wait()
  before.check()
  await withAdmin(env, (admin) => admin.deleteTopics({ topics: [topic] }))
  await create(env, 't')
  let tries = 0
  await waitUntil(() => {
    tries++
    return produce(producer, null, topic, 1000 * tries, 1000 * tries + 40).then(
      () => true,
      () => false
    )
  }, 'the producer cannot write to the new topic')
  for (let i = 0; i < 40; i++) after.acknowledged(1000 * tries + i, (1000 * tries + i) % 3)
  await after.wait(30_000)
  after.check()
  await reader.disconnect()
  return { detail: `the producer needed ${tries} tries`, messages: before.count + after.count }
}
