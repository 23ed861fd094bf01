import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { listProcesses } from '@hotline/testing/process-list'
import { waitFor } from '@hotline/testing/wait-for'
import { describe, expect, it } from 'vitest'
import { startHotlineProcess } from './hotline-process.ts'
import { type HotlineTerminal, startHotlineTerminal } from './hotline-terminal.ts'
import { liveScene } from './live-scene.ts'

const scene = liveScene()

const env = (): Readonly<Record<string, string>> => scene.env

/** Outcomes of the approvals of a session, in the order of the log. */
const outcomesOf = async ({ session }: HandRunner): Promise<unknown[]> =>
  (await scene.live.stored(session))
    .filter(({ type }) => type === 'approval.resolved')
    .map(({ data }) => data['outcome'])

/** Types it again and again: what is typed before something could have been read has no effect. */
async function insist(terminal: HotlineTerminal, line: string, until: string): Promise<void> {
  await waitFor(
    () => {
      if (terminal.screen.includes(until)) return true
      terminal.type(`${line}\r`)
      return false
    },
    { what: `"${until}" after "${line}" (so far: ${terminal.screen})`, everyMs: 100 },
  )
}

/** The shell waits for it. */
function terminateChildOf(shell: number): void {
  const child = listProcesses().find(({ ppid }) => ppid === shell)
  process.kill(child?.pid ?? 0, 'SIGTERM')
}

describe('deciding at a terminal', () => {
  it('[B11] approve shows all of it and asks; what was typed ahead of the card is no answer', async () => {
    const runner = await scene.live.startSession()
    const input = `echo begin\n${'echo more\n'.repeat(500)}echo \u202eend`
    const { approval } = await runner.ask({ tool: 'bash', title: 'Many', input })
    const terminal = startHotlineTerminal(['approve', approval], env())
    terminal.type('y\r')
    await terminal.shows('Allow exactly this?')
    await terminal.shows('That came before it could have been read.')
    const before = terminal.screen.split('Allow exactly this?')[0]
    expect(before?.match(/^\| echo more\r$/gm)).toHaveLength(500)
    expect(before).toContain('| echo begin')
    expect(before).toContain('| echo \\u{202e}end')
    expect(await outcomesOf(runner)).toEqual([])
    await insist(terminal, 'allow', 'allowed\r')
    expect(await terminal.ended).toBe(0)
    expect(await outcomesOf(runner)).toEqual(['allowed'])
  })

  it('[B96] approve --always shows the rule below what is asked, and asks for both', async () => {
    const runner = await scene.live.startSession()
    const { approval } = await runner.ask({ tool: 'bash', title: 'Test', input: '{"command":"cargo test"}', cwd: '/w' })
    const terminal = startHotlineTerminal(['approve', approval, '--always'], env())
    await terminal.shows('Allow exactly this, and write the rule?')
    expect(terminal.screen).toContain('| Allow exactly: cargo test, with the tool "bash", asked by "demo", until 2')
    await insist(terminal, 'no', 'Nothing was decided.')
    expect(await terminal.ended).toBe(2)
    expect(await outcomesOf(runner)).toEqual([])
    const again = startHotlineTerminal(['approve', approval, '--always'], env())
    await again.shows('Allow exactly this, and write the rule?')
    await insist(again, 'y', 'from now on by the rule')
    expect(await again.ended).toBe(0)
    expect(await outcomesOf(runner)).toEqual(['allowed'])
  })

  it.each([
    ['what deceives the eye', { input: 'rm -rf \u202e/gpj.exe' }, 'look closely'],
    ['what is longer than the screen', { input: 'ls', reason: 'Because.\n'.repeat(40) }, 'longer than the screen'],
  ])('[B11] %s takes a word', async (_name, request, why) => {
    const runner = await scene.live.startSession()
    const { approval } = await runner.ask({ tool: 'bash', title: 'Odd', ...request })
    const terminal = startHotlineTerminal(['approve', approval], env())
    await terminal.shows(`Type "allow" (`)
    expect(terminal.screen).toContain(why)
    await insist(terminal, 'y', 'Nothing was decided.')
    expect(await terminal.ended).toBe(2)
    const again = startHotlineTerminal(['approve', approval], env())
    await again.shows('Type "allow"')
    await insist(again, 'allow', 'allowed\r')
    expect(await again.ended).toBe(0)
    expect(await outcomesOf(runner)).toEqual(['allowed'])
  })

  it('[B11] an input that lies beside its event is shown whole by approve and asks, and is not allowed in attach', async () => {
    const runner = await scene.live.startSession()
    const input = `echo begin\n${`echo ${'x'.repeat(60)}\n`.repeat(2_000)}echo end`
    const content = await scene.live.putContent(runner.session, input)
    const { approval, digest } = await runner.ask({ tool: 'bash', title: 'Long', content })
    const attached = startHotlineTerminal(['attach', runner.session], env())
    await attached.shows('bytes, not shown here)')
    attached.type('/allow 1\r')
    await attached.shows('! It is too long to be shown here.')
    attached.type('/quit\r')
    await attached.ended
    const asked = startHotlineProcess(['--json', 'asks', approval], env())
    asked.endInput()
    const value = JSON.parse((await asked.ended).out) as { digest: string; request: { input: string } }
    expect(value.digest).toBe(digest)
    expect(value.request.input === input).toBe(true)
    const terminal = startHotlineTerminal(['approve', approval], env())
    await terminal.shows('Type "echo" (High risk')
    expect(terminal.screen.match(/^\| echo x{60}\r$/gm)).toHaveLength(2_000)
    for (const line of ['| echo begin\r', '| echo end\r']) expect(terminal.screen).toContain(line)
    await insist(terminal, 'echo', 'allowed\r')
    expect(await terminal.ended).toBe(0)
    expect(await outcomesOf(runner)).toEqual(['allowed'])
  })

  it('[B11] what is plain and short takes a y', async () => {
    const runner = await scene.live.startSession()
    const { approval } = await runner.ask({ tool: 'bash', title: 'Plain', input: 'ls -la' })
    const terminal = startHotlineTerminal(['approve', approval], env())
    await terminal.shows('Allow exactly this? [y/N]')
    await insist(terminal, 'y', 'allowed\r')
    expect(await terminal.ended).toBe(0)
    expect(await outcomesOf(runner)).toEqual(['allowed'])
  })

  it('[B11] what is of high risk takes the name of its program, and no yes', async () => {
    const runner = await scene.live.startSession()
    const { approval } = await runner.ask({ tool: 'bash', title: 'Publish', input: 'npm publish' })
    const terminal = startHotlineTerminal(['approve', approval], env())
    await terminal.shows('Type "npm" (High risk: "publish" can do lasting harm.)')
    expect(terminal.screen).toContain('(high risk; tool bash')
    await insist(terminal, 'y', 'Nothing was decided.')
    expect(await terminal.ended).toBe(2)
    const attached = startHotlineTerminal(['attach', runner.session], env())
    await attached.shows('| npm publish')
    attached.type('/allow 1\r')
    await attached.shows('! High risk: "publish" can do lasting harm. Read it closely with: hotline approve')
    attached.type('/quit\r')
    await attached.ended
    expect(await outcomesOf(runner)).toEqual([])
    const again = startHotlineTerminal(['approve', approval], env())
    await again.shows('Type "npm"')
    await insist(again, 'npm', 'allowed\r')
    expect(await again.ended).toBe(0)
    expect(await outcomesOf(runner)).toEqual(['allowed'])
  })

  it('[B92] a card names the sub-agent that asks and how risky it is, in approve, asks and attach', async () => {
    const runner = await scene.live.startSession()
    await runner.report(
      { type: 'turn.started', data: { turn: 't1' } },
      { type: 'step.started', data: { step: 's1', kind: 'other', turn: 't1' }, body: { title: 'tester' } },
      { type: 'step.started', data: { step: 's2', kind: 'execute', turn: 't1', parent: 's1' }, body: { title: 'x' } },
    )
    const { approval } = await runner.ask({ tool: 'bash', title: 'Run', input: 'npm test' }, { step: 's2' })
    for (const args of [
      ['asks', approval],
      ['approve', approval],
      ['attach', runner.session],
    ]) {
      const terminal = startHotlineTerminal(args, env())
      await terminal.shows('(medium risk; sub-agent tester; tool bash')
      await terminal.shows('| npm test')
      terminal.type(args[0] === 'attach' ? '/quit\r' : '\u0003')
      await terminal.ended
    }
  })

  it('[B91] several are shown and allowed with one yes, each by itself; what takes a word is left out and named', async () => {
    const ask = async (input: string) => {
      const runner = await scene.live.startSession()
      return { runner, ...(await runner.ask({ tool: 'bash', title: 'Run', input })) }
    }
    const [one, two, risky] = [await ask('npm run one'), await ask('npm run two'), await ask('git push')]
    const terminal = startHotlineTerminal(['approve', one.approval, two.runner.session, risky.approval], env())
    await terminal.shows('Allow exactly these 2, each as it is shown? [y/N]')
    for (const line of ['| npm run one', '| npm run two']) expect(terminal.screen).toContain(line)
    expect(terminal.screen).not.toContain('| git push')
    await insist(terminal, 'y', 'not decided')
    expect(await terminal.ended).toBe(3)
    expect(terminal.screen).toContain(`${two.approval}  allowed`)
    expect(terminal.screen).toMatch(/not decided: High risk: "push" can do lasting harm\. Decide it by itself/)
    expect(await Promise.all([one, two, risky].map(({ runner }) => outcomesOf(runner)))).toEqual([
      ['allowed'],
      ['allowed'],
      [],
    ])
  })

  it('[B91] without a terminal several need a digest each, and what became of each is said', async () => {
    const ask = async (input: string) => {
      const runner = await scene.live.startSession()
      return { runner, ...(await runner.ask({ tool: 'bash', title: 'Run', input })) }
    }
    const [one, two, gone] = [await ask('npm run one'), await ask('npm run two'), await ask('npm run three')]
    const run = async (...args: string[]) => {
      const started = startHotlineProcess(args, env())
      started.endInput()
      return started.ended
    }
    const ids = [one.approval, two.approval, gone.approval]
    expect(await run('approve', ...ids)).toMatchObject({ code: 2, err: expect.stringContaining('--digest') as string })
    const few = await run('approve', ...ids, '--digest', one.digest)
    expect(few).toMatchObject({ code: 2, err: expect.stringContaining('as many') as string })
    const digests = [one.digest, 'f'.repeat(64), gone.digest].flatMap((digest) => ['--digest', digest])
    const some = await run('--json', 'approve', ...ids, ...digests)
    expect(some.code).toBe(5)
    expect(
      some.out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject([
      { approval: one.approval, ok: true },
      { approval: two.approval, ok: false, problem: { code: 'digest_mismatch' } },
      { approval: gone.approval, ok: true },
    ])
    const risky = await ask('git push')
    const denied = await run('deny', two.approval, risky.approval, '--reason', 'Not now.')
    expect(denied).toMatchObject({ code: 0, out: `${two.approval}  denied\n${risky.approval}  denied\n` })
    expect(await outcomesOf(risky.runner)).toEqual(['denied'])
  })

  it('[B27] another input is shown in its place, and is what is allowed', async () => {
    const runner = await scene.live.startSession()
    const file = join(scene.home.path, 'other.json')
    await writeFile(file, '{"command":"echo \u202esafe"}')
    const { approval } = await runner.ask({ tool: 'bash', title: 'Changed', input: 'rm -rf /' })
    const terminal = startHotlineTerminal(['approve', approval, '--input', file], env())
    await terminal.shows('Allow the other one in its place? Type "allow" (look closely)')
    expect(terminal.screen).toMatch(
      /\| rm -rf \/[^]*In its place would run:[^]*\| \{"command":"echo \\u\{202e\}safe"\}/,
    )
    await insist(terminal, 'allow', 'allowed as changed\r')
    expect(await terminal.ended).toBe(0)
    const [resolved] = (await scene.live.stored(runner.session)).filter(({ type }) => type === 'approval.resolved')
    expect(resolved?.data['outcome']).toBe('allowed_modified')
    expect(resolved?.body?.['input']).toBe('{"command":"echo \u202esafe"}')
  })

  it('[B27] what the agent does not take is refused, and nothing is decided', async () => {
    const runner = await scene.live.startSession()
    const { approval, digest } = await runner.ask({ tool: 'bash', title: 'Plain', input: 'ls' })
    const file = join(scene.home.path, 'this.json')
    await writeFile(file, 'x')
    const refused = async (...args: string[]): Promise<string> => {
      const run = startHotlineProcess(['approve', approval, '--digest', digest, ...args], env())
      run.endInput()
      const { code, err } = await run.ended
      expect(code).not.toBe(0)
      return err
    }
    expect(await refused('--input', join(scene.home.path, 'nothing'))).toContain('cannot be read')
    expect(await refused('--for', 'session')).toContain('cannot be answered for "session"')
    expect(await refused('--for', 'ever')).toContain('--for takes once, session, project')
    expect(await refused('--for', 'once', '--input', file)).toContain('allowed once')
    expect(await outcomesOf(runner)).toEqual([])
  })

  it('[B27] what could not run in place of JSON is refused, with its place', async () => {
    const runner = await scene.live.startSession()
    const { approval, digest } = await runner.ask({
      tool: 'Bash',
      title: 'Wait',
      input: '{"command":"ls","timeout":5}',
    })
    const file = join(scene.home.path, 'wrong.json')
    await writeFile(file, '{\n  "command": "ls",\n  "timeout": "5"\n}\n')
    const run = startHotlineProcess(['approve', approval, '--digest', digest, '--input', file], env())
    run.endInput()
    const { code, err } = await run.ended
    expect([code, err]).toEqual([2, expect.stringContaining('--input, line 3, column 14: "timeout" was a number')])
    expect(await outcomesOf(runner)).toEqual([])
  })

  it('[B11] anything but yes decides nothing', async () => {
    const runner = await scene.live.startSession()
    const { approval } = await runner.ask({ tool: 'bash', title: 'One', input: 'ls' })
    const terminal = startHotlineTerminal(['--json', 'approve', approval], env())
    await terminal.shows('Allow exactly this?')
    expect(terminal.screen).toContain('| ls')
    await insist(terminal, 'yesterday', 'Nothing was decided.')
    expect(await terminal.ended).toBe(2)
    const left = startHotlineTerminal(['approve', approval], env())
    await left.shows('Allow exactly this?')
    left.type('\u0003')
    expect(await left.ended).toBe(2)
    expect(await outcomesOf(runner)).toEqual([])
  })

  it('[T22] attach does not allow what deceives the eye, and says where one can', async () => {
    const runner = await scene.live.startSession()
    const terminal = startHotlineTerminal(['attach', runner.session], env())
    await terminal.shows('queued -> starting')
    await runner.ask({ tool: 'bash', title: 'A picture', input: 'rm \u202egpj.exe' })
    await terminal.shows('[1] A picture')
    terminal.type('/allow 1\r')
    await terminal.shows('It holds what deceives the eye.')
    expect(await outcomesOf(runner)).toEqual([])
    terminal.type('/deny 1\r')
    await terminal.shows('answer denied')
    terminal.type('/quit\r')
    expect(await terminal.ended).toBe(0)
  })

  it('[B6] attach allows what was shown, by its number or when it had time to be read', async () => {
    const runner = await scene.live.startSession()
    const terminal = startHotlineTerminal(['attach', runner.session], env())
    await terminal.shows('queued -> starting')
    await runner.ask({ tool: 'bash', title: 'Sudden', input: 'echo 1' })
    await terminal.shows('[1] Sudden')
    terminal.type('/allow\r')
    await terminal.shows('Say which one: 1.')
    expect(await outcomesOf(runner)).toEqual([])
    await runner.ask({ tool: 'bash', title: 'Second', input: 'echo 2' })
    await terminal.shows('[2] Second')
    terminal.type('/allow 2\r')
    await terminal.shows('answer allowed')
    expect(await outcomesOf(runner)).toEqual(['allowed'])
    await insist(terminal, '/allow', 'Nothing is asked now.')
    expect(await outcomesOf(runner)).toEqual(['allowed', 'allowed'])
    terminal.type('/quit\r')
    expect(await terminal.ended).toBe(0)
  })
})

describe('the terminal itself', () => {
  /** Runs it in a shell that compares the settings of the terminal before and after. */
  const inShell = (args: readonly string[]): HotlineTerminal =>
    startHotlineTerminal(args, env(), (command) => [
      'bash',
      '-c',
      'trap : INT; before=$(stty -g); "$@"; echo "ended $?"; [ "$(stty -g)" = "$before" ] && echo as-before || stty -a',
      'bash',
      ...command,
    ])

  it.each([
    ['Ctrl-C', (terminal: HotlineTerminal) => terminal.type('half a pass\u0003')],
    ['Ctrl-D', (terminal: HotlineTerminal) => terminal.type('\u0004')],
    ['SIGTERM', (terminal: HotlineTerminal) => terminateChildOf(terminal.pid)],
  ])('[B8] is as it was after %s at the question for a password', async (_name, leave) => {
    const terminal = inShell(['sign-in', '--name', 'dana'])
    await terminal.shows('Password: ')
    leave(terminal)
    await terminal.shows('as-before')
    expect(terminal.screen).not.toContain('half')
    await terminal.ended
  })

  it.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
    ['/quit', '/quit\r'],
  ])('[B6] is as it was when attach is left with %s, and the session goes on', async (_name, keys) => {
    const runner = await scene.live.startSession()
    const terminal = inShell(['attach', runner.session])
    await terminal.shows('queued -> starting')
    terminal.type(keys)
    await terminal.shows('It goes on. Come back with: hotline attach')
    await terminal.shows('ended 0')
    await terminal.shows('as-before')
    await terminal.ended
    expect((await scene.live.stored(runner.session)).map(({ type }) => type)).not.toContain('control.requested')
  })

  it('[B11] is as it was after Ctrl-C at the question of approve', async () => {
    const runner = await scene.live.startSession()
    const { approval } = await runner.ask({ tool: 'bash', title: 'One', input: 'ls' })
    const terminal = inShell(['approve', approval])
    await terminal.shows('Allow exactly this?')
    terminal.type('\u0003')
    await terminal.shows('ended 2')
    await terminal.shows('as-before')
    await terminal.ended
  })
})
