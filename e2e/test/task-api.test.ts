import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scriptPrompt, type Step } from '@hotline/demo-agent/script'
import { TaskAnswer } from '@hotline/protocol/task-api'
import { TaskUpdate } from '@hotline/protocol/task-updates'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'
import { startHotline } from '../src/hotline.ts'

test('[TA1] [TA3] [TA5] [TA7] a program hands a task in, answers what it asks, waits for its end, and takes back what it did', async () => {
  await using hotline = await startHotline()
  await using temp = await openTempDir('hotline-task-api-')
  const folder = join(temp.path, 'work')
  mkdirSync(folder)
  writeFileSync(join(folder, 'README.md'), '# Before\n')
  const call = async (method: string, path: string, body?: object): Promise<{ status: number; body: unknown }> => {
    const token = readFileSync(join(hotline.dataDir, 'cli-token'), 'utf8').trim()
    const response = await fetch(`${hotline.url}/api/agent${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
    return { status: response.status, body: await response.json() }
  }
  const task = scriptPrompt([
    ...['README.md', 'refused.md'].map((path): Step => ({
      do: 'ask',
      title: `Write ${path}`,
      kind: 'edit',
      input: { file_path: path, content: '# After\n' },
      onAllow: [{ do: 'write', path, content: '# After\n' }],
    })),
    { do: 'say', text: 'All done.' },
  ])
  const submitted = await call('POST', '', { task, context: { agent: 'demo', folder, title: 'Write it anew' } })
  expect(submitted).toMatchObject({ status: 201, body: { success: true, data: { status: 'pending' } } })
  const { taskId, conversationId } = (submitted.body as { data: { taskId: string; conversationId: string } }).data
  const updates = listen(hotline, taskId)
  const read = async (query = ''): Promise<TaskAnswer['data']> =>
    TaskAnswer.parse((await call('GET', `/${taskId}${query}`)).body).data

  for (const [approved, at] of [true, false].map((yes, index) => [yes, index] as const)) {
    const asked = await waitFor(async () => (await read()).approvals[0], { what: `request ${at + 1}` })
    expect((await read()).task.status).toBe('waiting_approval')
    const body = { approvalId: asked.approvalId, approved, digest: asked.digest, message: 'As it was asked.' }
    expect(await call('POST', `/${taskId}/approve`, body)).toMatchObject({ status: 200 })
    await waitFor(async () => (await read()).approvals[0]?.approvalId !== asked.approvalId, { what: 'the next one' })
  }
  const ended = await waitFor(
    async () => {
      const now = await read('?wait=25')
      return now.task.status === 'completed' ? now : undefined
    },
    { what: 'the end', deadlineMs: 60_000 },
  )
  expect(ended.task).toMatchObject({ title: 'Write it anew', conversationId, result: 'All done.', error: null })
  await waitFor(() => updates.closedWith, { what: 'the end of the updates' })
  expect(updates.closedWith).toBe(1000)
  const types = updates.told.map(({ type }) => type)
  expect(types.filter((type) => type === 'approval_request')).toHaveLength(2)
  expect(types).toEqual(expect.arrayContaining(['step_start', 'step_complete']))
  expect(updates.told.at(0)).toMatchObject({ type: 'status_change', data: { taskId } })
  expect(updates.told.slice(-2)).toMatchObject([
    { type: 'status_change', data: { status: 'completed' } },
    { type: 'completed', data: { taskId, result: 'All done.' } },
  ])
  expect(readFileSync(join(folder, 'README.md'), 'utf8')).toBe('# After\n')
  expect(existsSync(join(folder, 'refused.md'))).toBe(false)

  expect(await call('POST', `/${taskId}/undo`, {})).toMatchObject({
    status: 200,
    body: { success: true, data: { status: 'undone', files: [{ path: 'README.md', outcome: 'restored' }] } },
  })
  expect(readFileSync(join(folder, 'README.md'), 'utf8')).toBe('# Before\n')
  const history = await call('GET', '/history?status=completed')
  expect(history).toMatchObject({ body: { data: { total: 1, tasks: [{ id: taskId, status: 'completed' }] } } })
})

/** Listens to a task with the token in the header, as programs do. */
function listen(
  { url, dataDir }: { url: string; dataDir: string },
  task: string,
): { readonly told: readonly TaskUpdate[]; readonly closedWith: number | undefined } {
  const token = readFileSync(join(dataDir, 'cli-token'), 'utf8').trim()
  const headers = { Authorization: `Bearer ${token}` }
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/agent/${task}/updates`, { headers })
  const told: TaskUpdate[] = []
  let closedWith: number | undefined
  socket.addEventListener('message', ({ data }) => told.push(TaskUpdate.parse(JSON.parse(String(data)))))
  socket.addEventListener('close', ({ code }) => (closedWith = code))
  return {
    told,
    get closedWith() {
      return closedWith
    },
  }
}
