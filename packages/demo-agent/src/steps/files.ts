import type { ToolCallContent } from '@agentclientprotocol/sdk'
import { appendFile } from 'node:fs/promises'
import type { Step } from '../script.ts'
import { freshId, openTool, textContent, updateTool } from '../turn.ts'
import type { Turn } from '../turn.ts'
import { readShown, resolveInside, writeInside } from '../workspace.ts'

/** Reads a file into a tool call: the one at hand, or a new one. A file that cannot be read fails the call only. */
export async function read(turn: Turn, { path }: Extract<Step, { do: 'read' }>, tool: string | null): Promise<void> {
  const toolCallId = tool ?? freshId('tool')
  const where = await locate(turn, path)
  if (tool === null) {
    const status = 'in_progress'
    await openTool(turn, { toolCallId, title: `Read ${path}`, kind: 'read', status, rawInput: { path }, ...where.at })
  }
  try {
    const text = await readShown(where.inside())
    if (text === null) throw new Error(`there is no ${path}`)
    await updateTool(turn, { toolCallId, status: 'completed', content: textContent(text) })
  } catch (error) {
    await fail(turn, toolCallId, error)
  }
}

/** Writes a file and shows the diff in a tool call: the one at hand, or a new one. */
export async function write(turn: Turn, step: Extract<Step, { do: 'write' }>, tool: string | null): Promise<void> {
  const { path, content } = step
  const toolCallId = tool ?? freshId('tool')
  const where = await locate(turn, path)
  if (tool === null) {
    const rawInput = { path, content }
    await openTool(turn, {
      toolCallId,
      title: `Write ${path}`,
      kind: 'edit',
      status: 'in_progress',
      rawInput,
      ...where.at,
    })
  }
  try {
    const file = where.inside()
    const oldText = await readShown(file)
    await writeInside(file, content)
    const diff: ToolCallContent = { type: 'diff', path: file, oldText, newText: content }
    await updateTool(turn, { toolCallId, status: 'completed', content: [diff] })
  } catch (error) {
    await fail(turn, toolCallId, error)
  }
}

/** The diff that writing would make; none when the path lies outside or is no file: the write itself will say so. */
export async function previewDiff(turn: Turn, path: string, newText: string): Promise<ToolCallContent[]> {
  try {
    const file = await resolveInside(turn.session.cwd, path)
    return [{ type: 'diff', path: file, oldText: await readShown(file), newText }]
  } catch {
    return []
  }
}

/** Appends a value as one JSON line to a file inside cwd. */
export async function appendRecord(turn: Turn, path: string, value: unknown): Promise<void> {
  await appendFile(await resolveInside(turn.session.cwd, path), `${JSON.stringify(value)}\n`)
}

interface Place {
  /** The location for the tool call; empty when the path is refused. */
  at: { locations?: { path: string; line: number }[] }
  /** The absolute path. Throws the refusal. */
  inside(): string
}

async function locate(turn: Turn, path: string): Promise<Place> {
  try {
    const file = await resolveInside(turn.session.cwd, path)
    return { at: { locations: [{ path: file, line: 1 }] }, inside: () => file }
  } catch (error) {
    const refuse = (): never => {
      throw error
    }
    return { at: {}, inside: refuse }
  }
}

async function fail(turn: Turn, toolCallId: string, error: unknown): Promise<void> {
  const text = error instanceof Error ? error.message : String(error)
  await updateTool(turn, { toolCallId, status: 'failed', content: textContent(text) })
}
