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

test('[R20] a secret is masked in the forms that programs give it', () => {
  const key = [
    '-----BEGIN PRIVATE KEY-----',
    'MIIEvQIBADANBgkqhkiG9w0BAQ',
    'EFAASCBKcwggSjAgEAAoIBAQC7',
    '-----END PRIVATE KEY-----',
  ]
  const secrets = [
    { name: 'QUOTED', value: `pa"ss\\word ${'x'.repeat(5)}&?` },
    { name: 'PEM', value: `${key.join('\n')}\n` },
    {
      name: 'JSON',
      value: JSON.stringify({ type: 'service_account', private_key: 'line one of it\nline two of it is longer' }),
    },
  ]
  const redactor = new Redactor(secrets)
  const shown = (text: string): string => redactor.text(text)
  for (const { name, value } of secrets) {
    const json = JSON.stringify(value)
    expect(shown(`a ${JSON.stringify({ a: json })} b`), name).toBe(`a {"a":"\\"[redacted:${name}]\\""} b`)
    expect(shown(value.replaceAll('\n', '\r\n')).trim()).toBe(`[redacted:${name}]`)
    expect(shown(`?q=${encodeURIComponent(value)}`)).toMatch(/^\?q=\[redacted:\w+\](?:%0A)?$/)
    expect(shown(new URLSearchParams({ q: value }).toString())).toMatch(/^q=\[redacted:\w+\](?:%0A)?$/)
    for (const before of ['', 'a', 'ab']) {
      const text = Buffer.from(before + value).toString('base64')
      expect(shown(text)).toMatch(/^.{0,4}\[redacted:\w+\].{0,4}$/)
    }
  }
  expect(shown(`+${key[1]}\n+${key[2]}`)).toBe('+[redacted:PEM]\n+[redacted:PEM]')
  expect(shown('line two of it is longer')).toBe('[redacted:JSON]')
})

test('[R20] what was cut in the middle of a secret before it came here is masked as well', () => {
  const value = 'sk-live-0123456789abcdef'
  const redactor = new Redactor([{ name: 'A', value }])
  const mask = '[redacted:A]'
  expect(redactor.value([`title ${value.slice(0, 12)}`, `${value.slice(-9)} end`])).toEqual([
    `title ${mask}`,
    `${mask} end`,
  ])
  expect(redactor.value(`title ${value.slice(0, 12)}…`)).toBe(`title ${mask}…`)
  expect(redactor.value(`Last words: …${value.slice(5)}\nbye`)).toBe(`Last words: …${mask}\nbye`)
  expect(redactor.value(`(...)\n${value.slice(5)}`)).toBe(`(...)\n${mask}`)
  const short = [`title ${value.slice(0, 7)}`, 'x', '', value.slice(3, 20)]
  expect(redactor.value(short)).toBe(short)
})

test('[T44] a key of Hotline is masked although nobody has told of it, however it is cut', () => {
  const token = `hl_pat_0190-ab_${'aB3_-'.repeat(8)}xyz_0a1b2c`
  const redactor = new Redactor([])
  expect(redactor.text(`it is ${token}.`)).toBe('it is [redacted:a key of Hotline].')
  expect(redactor.value(`it is ${token.slice(0, 40)}`)).toBe('it is [redacted:a key of Hotline]')
  for (let cut = 1; cut < token.length; cut += 1) {
    const stream = redactor.stream()
    const shown = stream.push(`oh hl_x ${token.slice(0, cut)}`) + stream.push(`${token.slice(cut)} h`) + stream.end()
    expect(shown).toBe('oh hl_x [redacted:a key of Hotline] h')
  }
})

test('the end of what an agent says is shown while it is silent, although a secret could begin there', async () => {
  const profile = { ...profileOf('keyed', {}), argv: demoAgent, env: ['SOME_API_KEY'] }
  const environment = { PATH: process.env['PATH'], SOME_API_KEY: 'self-0123456789' }
  await using bench = await openBench({ profiles: [profile], environment })
  const { world, cwd } = bench
  const prompt = scriptPrompt([{ do: 'say', text: 'by itself' }, { do: 'hang' }])
  const session = world.start('keyed', { cwd, prompt })
  const shown = (): string =>
    world
      .events(session, 'message.delta')
      .map(({ body }) => body?.text)
      .join('')
  await world.until(session, 'the words', () => shown() === 'by itself')
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
