// The conformance program of @platformatic/kafka: see ../README.md.

import { run } from './program.mjs'
import { compression, headers, idempotent, keyed, largeMessages, roundRobin } from './records.mjs'
import { commitAndResume, groupProtocol, rebalance, seekPauseOffsetsForTimes } from './groups.mjs'
import { admin, leaderKilled, topicRecreated, transactions } from './cluster.mjs'

await run({
  'compression-none': compression('none'),
  'compression-gzip': compression('gzip'),
  'compression-snappy': compression('snappy'),
  'compression-lz4': compression('lz4'),
  keyed,
  'round-robin': roundRobin,
  headers,
  'large-messages': largeMessages,
  idempotent,
  transactions,
  rebalance,
  'seek-pause-offsets-for-times': seekPauseOffsetsForTimes,
  'commit-and-resume': commitAndResume,
  admin,
  'leader-killed': leaderKilled,
  'topic-recreated': topicRecreated,
  'group-protocol-classic': groupProtocol('classic'),
  'group-protocol-consumer': groupProtocol('consumer')
})
