import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js'
import type { CallToolResult, ServerNotification, ServerRequest } from '@modelcontextprotocol/sdk/types.js'
import type { DeskClient } from '@hotline/runner/desk/desk-client'
import { DeskAnswer, DeskDecision, DeskReview, DeskSent } from '@hotline/runner/desk/desk-protocol'
import { z } from 'zod'

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>

/** A client that is told of progress this often does not think that nobody is there. */
const progressMs = 10_000

const instructions = `People follow this session and can answer. Use ask_human when you need to know something that only a person knows; request_approval before you do something that you may not do by yourself, and do exactly what was allowed; submit_draft when people should look at the files that you have changed before you go on; notify for news that they should not miss; send_file to show them a file that you made; complete_goal once, when all that you were asked for is done. The first three wait until somebody has answered.`

/** An MCP server by which an agent reaches the people who follow its session. */
export function openTools(desk: Pick<DeskClient, 'ask'>, version: string): McpServer {
  const server = new McpServer({ name: 'hotline', title: 'Hotline', version }, { instructions })

  server.registerTool(
    'ask_human',
    {
      title: 'Ask a person',
      description: 'Asks the people who follow this session, and waits for the answer of one of them.',
      inputSchema: {
        question: z.string().min(1).max(10_000).describe('What you want to know, with all that is needed to answer it'),
        options: z.array(z.string().min(1).max(200)).min(2).max(20).optional().describe('Answers to choose from'),
      },
      outputSchema: {
        action: z.enum(['accept', 'decline', 'cancel']).describe('cancel: no answer will come'),
        answer: z.string().optional(),
      },
    },
    ({ question, options }, extra) =>
      answered(extra, async (signal) => {
        const field = { type: 'string', title: 'Answer', ...(options ? { enum: options } : {}) }
        const schema = { type: 'object', properties: { answer: field }, required: ['answer'] }
        const given = DeskAnswer.parse(await desk.ask('ask_human', { text: question, schema }, signal))
        const answer = textIn(given.content, 'answer')
        if (given.action === 'accept' && answer !== undefined) return said(answer, { action: 'accept', answer })
        if (given.action === 'accept') return said(JSON.stringify(given.content), { action: 'accept' })
        const words =
          given.action === 'decline' ? 'The person does not want to answer this.' : 'Nobody will answer this any more.'
        return said(words, { action: given.action })
      }),
  )

  server.registerTool(
    'request_approval',
    {
      title: 'Ask for approval',
      description:
        'Asks a person to allow exactly one thing, and waits for the decision. Do it only if the outcome is "allowed", or, with the input that comes back, "allowed_modified".',
      inputSchema: {
        title: z.string().min(1).max(500).describe('One line: what you want to do'),
        input: z
          .string()
          .min(1)
          .describe('Exactly what will be done: the command, the request, the text that will be sent'),
        tool: z.string().min(1).max(200).optional().describe('What you will do it with'),
        reason: z.string().max(2_000).optional().describe('Why'),
        modifiable: z.boolean().optional().describe('Whether you can do it with an input that the person has changed'),
      },
      outputSchema: DeskDecision.shape,
    },
    ({ title, input, tool, reason, modifiable }, extra) =>
      answered(extra, async (signal) => {
        const takes = modifiable === true ? 'changed' : 'yes_or_no'
        const wanted = {
          tool: tool ?? 'request_approval',
          title,
          input,
          takes,
          ...(reason === undefined ? {} : { reason }),
        }
        const decision = DeskDecision.parse(await desk.ask('request_approval', wanted as never, signal))
        return said(wordsOf(decision), decision)
      }),
  )

  server.registerTool(
    'submit_draft',
    {
      title: 'Have your changes reviewed',
      description:
        'Shows people the files that you have changed and that nobody has reviewed, and waits until they keep or discard each. What is discarded is put back to what it was before you changed it: read it again.',
      inputSchema: {
        note: z.string().min(1).max(2_000).optional().describe('What they should know: what you did, and why'),
      },
      outputSchema: DeskReview.shape,
    },
    ({ note }, extra) =>
      answered(extra, async (signal) => {
        const review = DeskReview.parse(await desk.ask('submit_draft', note === undefined ? {} : { note }, signal))
        return said(JSON.stringify(review), review)
      }),
  )

  server.registerTool(
    'notify',
    {
      title: 'Tell people',
      description: 'Tells the people who follow this session something. Does not wait for anybody.',
      inputSchema: { text: z.string().min(1).max(50_000) },
    },
    ({ text }, extra) =>
      answered(extra, async (signal) => {
        await desk.ask('notify', { text }, signal)
        return said('It was told.')
      }),
  )

  server.registerTool(
    'send_file',
    {
      title: 'Show people a file',
      description:
        'Sends a file from the folder that you work in to the people who follow this session: a picture, a report, anything that they should look at or keep. Does not wait for anybody.',
      inputSchema: {
        path: z.string().min(1).max(4_096).describe('From the folder that you work in'),
        text: z.string().max(50_000).optional().describe('What it is'),
      },
    },
    ({ path, text }, extra) =>
      answered(extra, async (signal) => {
        const wanted = { path, ...(text === undefined ? {} : { text }) }
        const sent = DeskSent.parse(await desk.ask('send_file', wanted, signal))
        if (sent.outcome === 'refused') throw new Error(sent.why)
        return said(`"${sent.name}" was sent (${sent.type}, ${sent.bytes} bytes).`)
      }),
  )

  server.registerTool(
    'complete_goal',
    {
      title: 'The goal is reached',
      description: 'Says that everything that this session was started for is done. Call it once, at the very end.',
      inputSchema: { summary: z.string().max(2_000).optional().describe('What was done, in a sentence or two') },
    },
    ({ summary }, extra) =>
      answered(extra, async (signal) => {
        await desk.ask('complete_goal', summary === undefined ? {} : { summary }, signal)
        return said('It was noted.')
      }),
  )

  server.registerTool(
    'permission_prompt',
    {
      title: 'Permission prompt',
      description:
        'For `claude --permission-prompt-tool`: a person decides about a tool call. Not to be called by a model.',
      inputSchema: {
        tool_name: z.string().min(1).max(200),
        input: z.record(z.string(), z.unknown()),
        tool_use_id: z.string().max(200).optional(),
      },
    },
    ({ tool_name: tool, input }, extra) =>
      answered(extra, async (signal) => said(JSON.stringify(await permission(desk, tool, input, signal)))),
  )

  return server
}

/** The answer as Claude Code reads it: nothing but this JSON. */
async function permission(
  desk: Pick<DeskClient, 'ask'>,
  tool: string,
  input: Record<string, unknown>,
  signal: AbortSignal,
): Promise<{ behavior: 'allow'; updatedInput: unknown } | { behavior: 'deny'; message: string }> {
  const text = JSON.stringify(input, undefined, 2)
  let decision: DeskDecision
  try {
    const wanted = { tool, title: titleOf(tool, input), input: text, takes: 'changed' } as const
    decision = DeskDecision.parse(await desk.ask('request_approval', wanted, signal))
  } catch (error) {
    return { behavior: 'deny', message: messageOf(error) }
  }
  if (decision.outcome === 'allowed') return { behavior: 'allow', updatedInput: input }
  const changed = decision.outcome === 'allowed_modified' ? objectOf(decision.input ?? '') : undefined
  if (changed) return { behavior: 'allow', updatedInput: changed }
  const message = decision.outcome === 'allowed_modified' ? 'The changed input is no JSON object.' : wordsOf(decision)
  return { behavior: 'deny', message }
}

/** Says every now and then that it is still waited; what goes wrong is a result that the agent can read. */
async function answered(extra: Extra, act: (signal: AbortSignal) => Promise<CallToolResult>): Promise<CallToolResult> {
  const { _meta: meta } = extra
  const progressToken = meta?.progressToken
  let progress = 0
  const timer =
    progressToken === undefined
      ? undefined
      : setInterval(() => {
          progress += 1
          const params = { progressToken, progress, message: 'Waiting for a person' }
          extra.sendNotification({ method: 'notifications/progress', params }).catch(() => undefined)
        }, progressMs)
  try {
    return await act(extra.signal)
  } catch (error) {
    return { content: [{ type: 'text', text: messageOf(error) }], isError: true }
  } finally {
    clearInterval(timer)
  }
}

function said(text: string, structuredContent?: Record<string, unknown>): CallToolResult {
  return { content: [{ type: 'text', text }], ...(structuredContent ? { structuredContent } : {}) }
}

function wordsOf({ outcome, reason, input }: DeskDecision): string {
  const because = reason === undefined || reason === '' ? '' : ` ${reason}`
  switch (outcome) {
    case 'allowed':
      return `Allowed.${because}`
    case 'allowed_modified':
      return `Allowed with another input:${because}\n${input ?? ''}`
    case 'denied':
      return because === '' ? 'Denied.' : `Denied:${because}`
    case 'timed_out':
      return 'Nobody answered in time. That is a no; ask again if it is still needed.'
    case 'queue_full':
      return 'Nobody was asked: too many requests of this session wait already. That is a no; wait for answers first.'
    case 'cancelled':
      return 'The request was closed without an answer. That is a no.'
  }
}

/** What is shown in one line: the command or the file, where there is one. */
function titleOf(tool: string, input: Record<string, unknown>): string {
  const what = ['command', 'file_path', 'path', 'url', 'query'].map((name) => textIn(input, name)).find(Boolean)
  const line = what?.split('\n', 1)[0] ?? ''
  return (line === '' ? tool : `${tool}: ${line}`).slice(0, 500).toWellFormed()
}

function textIn(value: unknown, member: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const text = (value as Record<string, unknown>)[member]
  return typeof text === 'string' ? text : undefined
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
