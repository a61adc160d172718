import { Ledger, consumerOf, create, into, produce, producerOf, readBack, waitUntil, withAdmin } from './client.mjs'
import { Gaps, ask, check, numberOf, sleep, valueOf } from './program.mjs'

/** Copies a topic to another in transactions of 50 records; the third is aborted and done again. */
export async function transactions(env) {
  const input = await create(env, 'in')
  const output = await create(env, 'out')
  const plain = await producerOf(env)
  await produce(plain, null, input, 0, 300)
  const producer = await producerOf(env, { transactionalId: env.name('tx'), idempotent: true, maxInFlightRequests: 1 })
  const waiting = []
  const consumer = await consumerOf(env, input, (message, partition) => waiting.push({ message, partition }), {
    group: 'g',
    autoCommit: false
  })
  const ledger = new Ledger()
  for (let round = 1, done = 0; done < 300; round++) {
    await waitUntil(() => waiting.length >= 50, () => `${waiting.length} records to copy`)
    const taken = waiting.slice(0, 50)
    const transaction = await producer.transaction()
    const messages = taken.map(({ message, partition }) => ({ value: message.value, partition }))
    const results = await transaction.send({ topic: output, acks: -1, messages })
    if (round === 3) {
      await transaction.abort()
      continue
    }
    const next = new Map(taken.map(({ message, partition }) => [partition, String(Number(message.offset) + 1)]))
    const partitions = [...next].map(([partition, offset]) => ({ partition, offset }))
    await transaction.sendOffsets({ consumerGroupId: env.name('g'), topics: [{ topic: input, partitions }] })
    await transaction.commit()
    const bases = new Map(results.map(({ partition, baseOffset }) => [partition, Number(baseOffset)]))
    for (const { message, partition } of taken) {
      ledger.acknowledged(numberOf(message.value), partition, bases.get(partition))
      bases.set(partition, bases.get(partition) + 1)
    }
    waiting.splice(0, 50)
    done += 50
  }
  await consumer.disconnect()
  await readBack(env, output, ledger)
  ledger.check()
  check(ledger.count === 300, 'records read committed', ledger.count)
  const every = new Ledger()
  const uncommitted = await consumerOf(env, output, into(every), { group: 'uncommitted', readUncommitted: true })
  await waitUntil(() => every.count + every.duplicates >= 350, () => `${every.count} + ${every.duplicates} uncommitted`)
  await sleep(500)
  await uncommitted.disconnect()
  check(every.count === 300 && every.duplicates === 50, 'read uncommitted', [every.count, every.duplicates])
  await withAdmin(env, async (admin) => {
    const [{ partitions }] = await admin.fetchOffsets({ groupId: env.name('g'), topics: [input] })
    check(partitions.every(({ offset }) => offset === '100'), 'committed offsets', partitions)
  })
  return { detail: 'each record once; 50 more were aborted', messages: ledger.count }
}

export async function admin(env) {
  const topic = env.name('t')
  const configEntries = [{ name: 'retention.ms', value: '123456' }]
  const asked = { waitForLeaders: true, topics: [{ topic, numPartitions: 2, replicationFactor: 3, configEntries }] }
  await withAdmin(env, async (admin) => {
    check((await admin.createTopics(asked)) === true, 'not created')
    check((await admin.createTopics(asked)) === false, 'created a second time')
    const resource = { type: 2, name: topic }
    const retention = async (want) => {
      const { resources } = await admin.describeConfigs({ resources: [{ ...resource, configNames: ['retention.ms'] }], includeSynonyms: false })
      const [{ configValue }] = resources[0].configEntries
      check(configValue === want, `retention.ms is not ${want}`, configValue)
    }
    await retention('123456')
    await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '654321' }] }] })
    await retention('654321')
    const wrong = { ...resource, configEntries: [{ name: 'retention.ms', value: 'never' }] }
    const refusal = await admin.alterConfigs({ validateOnly: false, resources: [wrong] }).catch((error) => error)
    check(refusal?.type === 'INVALID_CONFIG', 'a value that is no number gave', String(refusal))
    const partitions = async () => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
      return topics[0].partitions
    }
    check((await partitions()).length === 2, 'partitions', await partitions())
    await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] })
    const grown = await partitions()
    const isWhole = grown.every(({ replicas, leader }) => replicas.length === 3 && replicas.includes(leader))
    check(grown.length === 4 && isWhole, 'described as', grown)
    check((await admin.listTopics()).includes(topic), 'not listed')
    await admin.deleteTopics({ topics: [topic] })
    await waitUntil(async () => !(await admin.listTopics()).includes(topic), 'the deleted topic is still listed', 5000)
  })
  return { detail: 'all of it; configs are altered as a whole (the client has no incremental way)' }
}

export async function leaderKilled(env) {
  const topic = await create(env, 't', 1, { 'min.insync.replicas': '2' })
  const producer = await producerOf(env, { idempotent: true, maxInFlightRequests: 1 })
  const ledger = new Ledger()
  const gaps = new Gaps()
  const killing = sleep(2000).then(() => ask('kill-leader', topic, 0))
  // The client does not collect messages by itself: what comes in 5 ms each waits for the request before.
  const start = Date.now()
  const due = () => Math.floor(Math.min(Date.now() - start, 6000) / 5)
  let number = 0
  while (number < 1200) {
    const numbers = Array.from({ length: Math.min(due() - number, 100) }, (_, i) => number + i)
    number += numbers.length
    const messages = numbers.map((mine) => ({ value: valueOf(mine), partition: 0 }))
    if (messages.length === 0) {
      await sleep(2)
      continue
    }
    const [{ baseOffset }] = await producer.send({ topic, acks: -1, messages })
    gaps.mark()
    numbers.forEach((mine, i) => ledger.acknowledged(mine, 0, Number(baseOffset) + i))
  }
  await killing
  await ask('restart')
  await produce(producer, ledger, topic, number, number + 100, { partitions: 1 })
  await readBack(env, topic, ledger)
  ledger.check()
  return { detail: 'all acknowledged, all read, once and in order', messages: ledger.count, longest_gap_ms: gaps.longestMs }
}

/** Topics are not made by themselves here: the client would make it again before we do. */
export async function topicRecreated(env) {
  const topic = await create(env, 't')
  const producer = await producerOf(env, { allowAutoTopicCreation: false })
  const [before, after] = [new Ledger(), new Ledger()]
  const consumer = await consumerOf(env, topic, (message, partition) => {
    into(numberOf(message.value) < 1000 ? before : after)(message, partition)
  }, { allowAutoTopicCreation: false })
  await produce(producer, before, topic, 0, 100)
  await before.wait()
  before.check()
  await withAdmin(env, async (admin) => {
    await admin.deleteTopics({ topics: [topic] })
    await waitUntil(async () => !(await admin.listTopics()).includes(topic), 'the deleted topic is still listed')
  })
  await create(env, 't')
  let tries = 0
  await waitUntil(async () => {
    tries++
    return produce(producer, null, topic, 1000 * tries, 1000 * tries + 40).then(
      () => true,
      () => false
    )
  }, 'the producer cannot write to the new topic')
  const expected = [...Array(40).keys()].map((i) => 1000 * tries + i)
  for (const number of expected) after.acknowledged(number, number % 3)
  await after.wait(30_000)
  after.check()
  await consumer.disconnect()
  return { detail: `the producer needed ${tries} tries`, messages: before.count + after.count }
}
