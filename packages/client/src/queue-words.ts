import type { QueuePlace } from '@hotline/protocol/queue'

const fullWords: Readonly<Record<QueuePlace['why'], string>> = {
  no_machine: '',
  machine_full: 'the machines that could begin it are full',
  agent_full: 'as many sessions of this agent are at work as its machine takes',
  project_full: 'the project has as many sessions at work as it may',
  starting: 'a machine begins it now',
}

/** Where a session stands in the queue and for how long, in a few words; undefined where that is not known. */
export function queueWords({ position, why, wait }: QueuePlace): string | undefined {
  if (position === null) return undefined
  if (why === 'starting') return 'begins now'
  return [`number ${position} in the queue`, ...(wait ? [waitWords(wait)] : [])].join(', ')
}

/** The same with what it waits for, as a sentence. */
export function queueSentence(place: QueuePlace): string | undefined {
  const words = queueWords(place)
  if (words === undefined || place.why === 'starting') return undefined
  return `${words.replace('number', 'Number')}: ${fullWords[place.why]}. It begins by itself.`
}

/** Between the quartiles of what was measured: half of all such waits are longer or shorter. */
function waitWords({ lowS, highS }: NonNullable<QueuePlace['wait']>): string {
  const low = Math.max(1, Math.round(lowS / 60))
  const high = Math.max(1, Math.round(highS / 60))
  if (highS < 60) return 'probably less than a minute'
  return low === high ? `probably about ${low} min` : `probably ${low} to ${high} min`
}
