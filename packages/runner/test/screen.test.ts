import type { EventOf } from '@hotline/protocol/events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Bench, openBench } from './bench.ts'
import { shownBy } from './shown-by.ts'

async function begin(bench: Bench, script: string, agent = 'command'): Promise<string> {
  const session = bench.world.start(agent, { cwd: bench.cwd, command: ['/bin/sh', '-c', script] })
  await bench.world.until(session, 'a start', ({ status }) => status !== 'queued' && status !== 'starting')
  return session
}

/** Prints until `endWithScreen`: how many outputs a text becomes depends on who else uses the machine. */
const untilEnough = (text: string): string =>
  `i=0; while [ ! -e enough ]; do i=$((i+1)); echo "${text}"; sleep 0.06; done`

async function endWithScreen({ world, cwd }: Bench, session: string): Promise<void> {
  await world.until(session, 'a screen', () => world.events(session, 'screen.saved').length > 0)
  await writeFile(join(cwd, 'enough'), '')
  await world.until(session, 'the end', ({ status }) => status === 'completed')
}

/** What a terminal shows that began with a screen and read what came after it, and one that read everything. */
async function bothWays({ world }: Bench, session: string, saved: EventOf<'screen.saved'>) {
  const { cols, rows } = saved.data
  const all = world.events(session, 'output.appended').filter(({ data }) => data.source === 'pty')
  const texts = (of: typeof all): string[] => of.map(({ body }) => body?.text ?? '')
  return {
    late: await shownBy({ cols, rows }, [saved.body?.text ?? '', ...texts(all.filter(({ seq }) => seq > saved.seq))]),
    whole: await shownBy({ cols, rows }, texts(all)),
  }
}

test('[R50] who begins with any screen and reads on sees what they see who read everything', async () => {
  await using bench = await openBench()
  const { world } = bench
  // Colours, the cursor all over the place, wide characters, a scroll region, the other screen and back.
  const script = String.raw`i=0; while [ $i -lt 900 ]; do i=$((i+1))
    printf '\033[%d;%dH\033[3%dm%d \303\244\360\237\231\202\033[0m' $((i % 37 + 1)) $((i * 7 % 110 + 1)) $((i % 8)) $i
    [ $((i % 50)) = 0 ] && printf '\033[5;30r\033[30;1H\n\nscrolled\033[r'
    [ $i = 300 ] && printf '\033[?1049h'; [ $i = 600 ] && printf '\033[?1049l'
    [ $((i % 3)) = 0 ] && sleep 0.06; done 2>/dev/null`
  const session = await begin(bench, script)
  await world.until(session, 'the end', ({ status }) => status === 'completed')
  const saved = world.events(session, 'screen.saved')
  expect(saved.length).toBeGreaterThan(2)
  for (const one of saved) {
    const { late, whole } = await bothWays(bench, session, one)
    expect(late).toEqual(whole)
  }
  // However long it is, the newest window has one.
  const seqs = [0, ...saved.map(({ seq }) => seq), world.stream(session).events.length]
  const gaps = seqs.slice(1).map((seq, index) => seq - (seqs[index] ?? 0))
  expect(Math.max(...gaps)).toBeLessThan(200)
})

test('[R50] a cursor that is hidden, and how the mouse is told, are in the screen', async () => {
  await using bench = await openBench()
  const { world } = bench
  const session = await begin(bench, String.raw`printf '\033[?25l\033[?1002h\033[?1006h'; ${untilEnough('$i')}`)
  await endWithScreen(bench, session)
  const text = world.events(session, 'screen.saved')[0]?.body?.text
  for (const mode of ['?25l', '?1002h', '?1006h']) expect(text).toContain(`\u001b[${mode}`)
})

test('[R51] a program that asks its terminal is answered once, with nobody there', async () => {
  await using bench = await openBench()
  const { world } = bench
  const script = String.raw`stty raw -echo; printf 'x\033[6n'; a=$(dd bs=1 count=6 2>/dev/null | od -An -c | tr -d ' \n')
    printf '\033[c'; b=$(dd bs=1 count=7 2>/dev/null | od -An -c | tr -d ' \n'); stty sane; printf '[%s][%s]' "$a" "$b"; read -r c; echo "($c)"`
  const session = await begin(bench, script)
  await world.until(session, 'the answers', () => world.printed(session).includes(']['))
  expect(world.printed(session)).toContain(String.raw`[033[1;2R][033[?1;2c]`)
  world.send(session, 'message.send', { text: 'done' })
  await world.until(session, 'the end', ({ status }) => status === 'completed')
  // Nothing of an answer was left over to be read as input.
  expect(world.printed(session)).toContain('(done)')
})

test('[R50] the screen has the size that people gave it', async () => {
  await using bench = await openBench()
  const { world } = bench
  const session = await begin(bench, `read -r x; ${untilEnough('$i')}`)
  world.send(session, 'terminal.resize', { cols: 44, rows: 11 })
  world.send(session, 'message.send', { text: 'go' })
  await endWithScreen(bench, session)
  const [saved] = world.events(session, 'screen.saved')
  expect(saved?.data).toMatchObject({ cols: 44, rows: 11 })
  expect(saved?.body?.plain.split('\n').length).toBeLessThanOrEqual(11)
})

test('[R50] a secret is on no screen', async () => {
  const profile = {
    agent: 'keyed',
    name: '',
    description: '',
    adapter: 'pty',
    argv: 'of-session',
    env: ['SOME_TOKEN'],
    asking: { by: 'settings' },
    hint: '',
  } as const
  const environment = { PATH: process.env['PATH'], SOME_TOKEN: 'tok-123456789' }
  await using bench = await openBench({ profiles: [profile], environment })
  const { world } = bench
  const script = untilEnough('$SOME_TOKEN $i')
  const session = await begin(bench, script, 'keyed')
  await endWithScreen(bench, session)
  const saved = JSON.stringify(world.events(session, 'screen.saved'))
  expect(saved).toContain('[redacted:SOME_TOKEN] ')
  expect(saved).not.toContain('tok-')
})
