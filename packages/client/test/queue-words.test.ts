import type { QueuePlace } from '@hotline/protocol/queue'
import { expect, test } from 'vitest'
import { queueSentence, queueWords } from '../src/queue-words.ts'

const place: QueuePlace = {
  session: 's',
  project: 'p',
  agent: 'demo',
  priority: 'normal',
  since: '2026-01-01T00:00:00.000Z',
  why: 'machine_full',
  position: 2,
  wait: null,
}

test('[SQ5] a place in the queue is said with what is known of the wait, and no more', () => {
  expect(queueWords(place)).toBe('number 2 in the queue')
  expect(queueWords({ ...place, wait: { lowS: 10, likelyS: 20, highS: 40, of: 5 } })).toBe(
    'number 2 in the queue, probably less than a minute',
  )
  expect(queueWords({ ...place, wait: { lowS: 110, likelyS: 200, highS: 400, of: 5 } })).toBe(
    'number 2 in the queue, probably 2 to 7 min',
  )
  expect(queueWords({ ...place, wait: { lowS: 170, likelyS: 180, highS: 190, of: 5 } })).toBe(
    'number 2 in the queue, probably about 3 min',
  )
  expect(queueWords({ ...place, why: 'no_machine', position: null })).toBeUndefined()
  expect(queueWords({ ...place, why: 'starting' })).toBe('begins now')
})

test('[SQ5] what it waits for is a sentence; what begins now, or what nothing could begin, needs none', () => {
  expect(queueSentence(place)).toBe(
    'Number 2 in the queue: the machines that could begin it are full. It begins by itself.',
  )
  expect(queueSentence({ ...place, why: 'starting' })).toBeUndefined()
  expect(queueSentence({ ...place, why: 'no_machine', position: null })).toBeUndefined()
})
