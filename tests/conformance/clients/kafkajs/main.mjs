// The conformance program of kafkajs: see ../README.md.

import { run } from './program.mjs'
import { compression, headers, idempotent, keyed, largeMessages, roundRobin } from './records.mjs'
import { commitAndResume, groupProtocol, rebalance, seekPauseOffsetsForTimes } from './groups.mjs'
import { admin, leaderKilled, topicRecreated, transactions } from './cluster.mjs'

await run({
  'compression-none': compression('None'),
  'compression-gzip': compression('GZIP'),
  'compression-snappy': compression('Snappy'),
  'compression-lz4': compression('LZ4'),
  'compression-zstd': compression('ZSTD'),
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
  'group-protocol-classic': groupProtocol
})
