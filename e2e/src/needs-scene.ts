import { httpRequest } from '@hotline/client/http-request'
import { uuidV7 } from '@hotline/client/uuid'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { openPageScene, type PageScene } from './page-scene.ts'

/** What an agent of a session of its own asks. */
export interface Asked {
  hand: HandRunner
  approval: string
  digest: string
}

/** A page, and agents that ask in sessions of their own. */
export interface NeedsScene extends PageScene {
  /** An agent asks to run a command. */
  asking(command: string, title?: string): Promise<Asked>
  /** A command of the first account, from elsewhere. */
  send(stream: string, type: string, data: object): Promise<void>
  /** The first account answers elsewhere. */
  decide(asked: Asked, verdict: 'allow' | 'deny'): Promise<void>
  /** Nothing is left over for the next test. */
  denyAll(): Promise<void>
}

export async function openNeedsScene(): Promise<NeedsScene> {
  const scene = await openPageScene()
  const { live } = scene
  const open: Asked[] = []
  const send: NeedsScene['send'] = async (stream, type, data) => {
    const command = { id: uuidV7(), stream, type, data }
    await httpRequest(live.url, { kind: 'token', token: live.token }, 'POST', '/api/commands', command)
  }
  const decide: NeedsScene['decide'] = ({ hand, approval, digest }, verdict) =>
    send(hand.stream, 'approval.decide', { approval, digest, verdict })
  return Object.assign(scene, {
    asking: async (command: string, title = 'A session') => {
      const hand = await live.startSession(title)
      const input = JSON.stringify({ command })
      const asked = { hand, ...(await hand.ask({ tool: 'Bash', title: 'A command', input, cwd: '/src/app' })) }
      open.push(asked)
      return asked
    },
    send,
    decide,
    denyAll: async () => {
      for (const one of open.splice(0)) await decide(one, 'deny')
    },
  })
}
