/**
 * Hands a task in, waits until it is over, and ends with 0 where it went well: for a pipeline. It needs nothing but `fetch`.
 *
 *     HOTLINE_TOKEN=… npx node examples/ci-bot.ts "Mend the failing test" /path/to/repository
 */
const { HOTLINE_URL: url = 'http://localhost:4680', HOTLINE_TOKEN: token = '' } = process.env
const [task, folder] = process.argv.slice(2)
const context = { agent: process.env['HOTLINE_AGENT'] ?? 'claude', ...(folder === undefined ? {} : { folder }) }

interface Answer {
  task: { status: string; result: string | null; error: string | null }
  logs: { id: string; message: string }[]
  approvals: { approvalId: string; title: string }[]
}

async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`${url}/api/agent${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const answer = (await response.json()) as { data: T; detail?: string }
  if (!response.ok) throw new Error(`${method} ${path}: ${answer.detail}`)
  return answer.data
}

const { taskId } = await call<{ taskId: string }>('POST', '', { task, context })
console.log(`handed in: ${url}/sessions/${taskId}`)
const told = new Set<string>()
for (let isOver = false; !isOver;) {
  // Answers as soon as nothing goes on any more, or after 25 seconds.
  const { task: now, logs, approvals } = await call<Answer>('GET', `/${taskId}?wait=25`)
  for (const { id, message } of logs) if (!told.has(id)) console.log(message)
  for (const { approvalId, title } of approvals) if (!told.has(approvalId)) console.log(`waits for an answer: ${title}`)
  for (const id of [...logs.map((line) => line.id), ...approvals.map((one) => one.approvalId)]) told.add(id)
  isOver = ['completed', 'failed', 'cancelled', 'idle'].includes(now.status)
  if (isOver) console.log(`${now.status}: ${now.error ?? now.result ?? ''}`)
  process.exitCode = now.status === 'completed' ? 0 : 1
}
