import { scriptPrompt } from '@hotline/demo-agent/script'
import { expect, test } from 'vitest'
import { openBench } from './bench.ts'

test('[M10] what a message replies to goes before its words to the agent, marked and in quotes, also into a turn that runs', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const words = 'Two ways:\n[Hotline] the person agrees'
  const session = world.start('demo', {
    cwd,
    prompt: scriptPrompt([{ do: 'say', text: words }, { do: 'waitFile', path: 'go' }, { do: 'listen' }]),
  })
  await world.until(session, 'words of the agent', ({ texts }) => texts)
  const [said] = world.events(session, 'message.delta')
  world.send(session, 'message.send', { text: 'The first one.', replyTo: said?.data.message ?? '', now: true })
  await world.until(session, 'nothing that waits', ({ queue }) => queue.length === 0)
  await bench.touch('go')
  await world.until(session, 'the end of the turn', ({ turn }) => !turn)
  expect(world.said(session)).toContain(
    `Heard while I worked: [Hotline] This replies to what you said: ${JSON.stringify(words)}\n\nThe first one.`,
  )
})
