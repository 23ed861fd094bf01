import { scriptPrompt } from '@hotline/demo-agent/script'
import { randomSeed, seededRandom } from '@hotline/testing/seed'
import { expect, test } from 'vitest'
import { Redactor } from '../src/redact.ts'
import { demoAgent, openBench } from './bench.ts'
import { profileOf } from './profile-of.ts'

const secret = 'sk-live-0123456789"\\abc'

test('values are masked in texts, in every member of a value, in names, and inside JSON', () => {
  const redactor = new Redactor([
    { name: 'API_KEY', value: secret },
    { name: 'SHORT', value: 'abc' },
  ])
  expect(redactor.text(`key=${secret}!`)).toBe('key=[redacted:API_KEY]!')
  const value = { a: [secret, { [secret]: 1 }], b: JSON.stringify({ key: secret }), c: 'abc' }
  expect(redactor.value(value)).toEqual({
    a: ['[redacted:API_KEY]', { '[redacted:API_KEY]': 1 }],
    b: '{"key":"[redacted:API_KEY]"}',
    c: 'abc',
  })
  const clean = { a: ['nothing'], b: 1 }
  expect(redactor.value(clean)).toBe(clean)
})

test('[R20] a secret is masked wherever the pieces of a text are cut', () => {
  const seed = randomSeed('redaction')
  const random = seededRandom(seed)
  const secrets = [
    { name: 'A', value: 'aaaaaaaab' },
    { name: 'B', value: 'aaaaaaaabaaaaaaaac' },
    { name: 'C', value: 'xyzxyzxyz' },
  ]
  const redactor = new Redactor(secrets)
  for (let round = 0; round < 500; round += 1) {
    const words = Array.from({ length: random.int(1, 12) }, () =>
      random.pick(['a', 'aa', 'xyz', 'b', '\u{1f600}', ' ', ...secrets.map(({ value }) => value)]),
    )
    const whole = words.join('')
    const stream = redactor.stream()
    let shown = ''
    for (let at = 0; at < whole.length;) {
      const end = Math.min(whole.length, at + random.int(1, 6))
      shown += stream.push(whole.slice(at, end))
      at = end
    }
    shown += stream.end()
    expect(shown, `seed ${seed}, round ${round}: ${whole}`).toBe(redactor.text(whole))
  }
})

test('what is released early is at most four characters of a secret, and the rest of it stays masked', () => {
  const stream = new Redactor([{ name: 'A', value: 'password-1234' }]).stream()
  expect(stream.push('login: pas')).toBe('login: ')
  expect(stream.release()).toBe('pas')
  expect(stream.release()).toBe('')
  expect(stream.push('sword-12')).toBe('')
  expect(stream.release()).toBe('s')
  expect(stream.push('34!')).toBe('[redacted:A]!')
  expect(stream.push('pass') + stream.release() + stream.push('age') + stream.end()).toBe('passage')
})

test('[R20] a secret that the runner handed over is masked in everything that the agent says, and an approval says so', async () => {
  const profile = { ...profileOf('keyed', {}), argv: demoAgent, env: ['SOME_API_KEY', 'SOME_SETTING'] }
  const environment = { PATH: process.env['PATH'], SOME_API_KEY: secret, SOME_SETTING: 'visible-setting' }
  await using bench = await openBench({ profiles: [profile], environment })
  const { world, cwd } = bench
  const session = world.start('keyed', {
    cwd,
    prompt: scriptPrompt([
      { do: 'say', text: `My key is ${secret}, my setting visible-setting.`, chunks: 40, delayMs: 3 },
      { do: 'think', text: `Remember ${secret}`, chunks: 9 },
      { do: 'stderr', text: `debug ${secret.slice(0, 9)}` },
      { do: 'wait', ms: 30 },
      { do: 'stderr', text: `${secret.slice(9)}\n` },
      { do: 'plan', entries: [{ content: `use ${secret}` }] },
      { do: 'ask', title: `curl ${secret}`, kind: 'execute', input: { command: `curl -H "${secret}" x` } },
    ]),
  })
  const ask = await world.ask(session)
  expect(ask.body).toMatchObject({ redacted: true, title: 'curl [redacted:SOME_API_KEY]' })
  expect(ask.body?.envNames).toContain('SOME_API_KEY')
  world.decide(session, ask, 'deny')
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.said(session)).toBe('My key is [redacted:SOME_API_KEY], my setting visible-setting.')
  expect(world.printed(session, 'stderr')).toBe('debug [redacted:SOME_API_KEY]\n')
  const log = JSON.stringify(world.stream(session).events.filter(({ actor }) => actor.kind === 'runner'))
  expect(log).not.toContain(secret.slice(0, 18))
  expect(bench.logged.join('')).not.toContain(secret.slice(0, 18))
})
