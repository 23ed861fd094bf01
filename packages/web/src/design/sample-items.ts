import type { ApprovalItem, Item, MessageItem, QuestionItem, StepItem } from '@hotline/core/transcript/item'
import type { ApprovalRequest } from '@hotline/protocol/events/approval'

const minuteMs = 60_000
/** Names by which samples speak: one's own account, and a colleague's. */
export const people = { me: 'account-of-mine', colleague: 'account-of-dana' } as const

const agent = { kind: 'agent', id: 'demo' } as const
const mine = { kind: 'person', id: people.me } as const
const theirs = { kind: 'person', id: people.colleague } as const
const ago = (minutes: number): string => new Date(Date.now() - minutes * minuteMs).toISOString()
const hence = (minutes: number): string => ago(-minutes)

const longText = `## What I found
I looked at **the redirect** first; it drops the query of the address that was asked for, see
[the standard](https://www.rfc-editor.org/rfc/rfc9110#name-location) and \`src/auth/session.ts\`.

\`\`\`ts
// The query is part of where one wanted to go.
const next = new URL(request.url).searchParams.get('next') ?? '/'
return Response.redirect(new URL(next, origin), 302)
\`\`\`

| file | lines | tested |
|---|--:|:-:|
| \`session.ts\` | 120 | yes |
| \`a/rather/long/path/to/redirect.ts\` | 8 | ~~no~~ |

1. first the redirect
2. then the test of it
   - [x] written
   - [ ] seen to fail

> It worked before the cookie.

![a screenshot](https://example.com/login.png)`

/** Messages of everybody, in every state of delivery. */
export function sampleMessages(): readonly MessageItem[] {
  const message = (at: number, role: MessageItem['role'], text: string, more: Partial<MessageItem>): MessageItem => ({
    kind: 'message',
    key: `message:m${at}`,
    seq: at,
    at: ago(40 - at),
    message: `m${at}`,
    role,
    by: role === 'agent' ? agent : mine,
    text,
    streaming: false,
    erased: false,
    ...more,
  })
  return [
    message(1, 'person', 'Fix the login redirect, please.', { delivery: 'seen' }),
    message(2, 'agent', longText, {}),
    message(3, 'person', 'Only the redirect, nothing else.', {
      by: theirs,
      delivery: 'delivered',
      editedAt: ago(30),
      signs: [
        { sign: '👍', by: mine },
        { sign: '👍', by: theirs },
        { sign: '🚀', by: theirs },
      ],
    }),
    message(4, 'person', 'And run the tests.', {
      delivery: 'unknown',
      replyTo: 'm3',
      quote: { role: 'person', by: theirs, text: 'Only the redirect, nothing else.' },
    }),
    message(5, 'person', 'Never mind.', { delivery: 'withdrawn' }),
    message(6, 'agent', 'Running the tests n', { streaming: true }),
    message(7, 'person', '', { erased: true }),
    message(8, 'system', 'Approvals that nobody answers are denied after a day.', {}),
  ]
}

/** Steps in every outcome, the end of a turn, and the server's own notices. */
export function sampleSteps(): readonly Item[] {
  const step = (at: number, more: Partial<StepItem>): StepItem => ({
    kind: 'step',
    key: `step:${at}`,
    seq: at,
    at: ago(20),
    step: `s${at}`,
    stepKind: 'read',
    title: 'Read src/auth/session.ts',
    changes: [],
    locations: ['src/auth/session.ts'],
    outcome: 'done',
    endedAt: ago(19.9),
    ...more,
  })
  const edit = { path: 'src/auth/session.ts', oldText: 'const next = "/"\n', newText: 'const next = query.next\n' }
  const placed = (key: string): { key: string; seq: number; at: string } => ({ key, seq: 90, at: ago(10) })
  return [
    step(1, { stepKind: 'edit', title: 'Edit src/auth/session.ts', changes: [edit] }),
    step(7, {
      stepKind: 'think',
      title: 'Ask the tester',
      input: { description: 'Run all tests', subagent: 'tester' },
      output: 'All but two pass.',
    }),
    step(8, { parent: 's7', stepKind: 'execute', title: 'npm test -- auth', input: { command: 'npm test -- auth' } }),
    step(9, { parent: 's7', stepKind: 'read', title: 'Read the report' }),
    step(2, { stepKind: 'execute', title: 'npm test', outcome: 'failed', error: '2 of 40 tests failed' }),
    step(3, { stepKind: 'execute', title: 'git push --force', outcome: 'denied' }),
    step(4, { stepKind: 'search', title: 'Search for "redirect"', outcome: 'cancelled' }),
    step(5, { stepKind: 'fetch', title: 'Fetch https://example.com/a/very/long/way/to/a/page', outcome: undefined }),
    { kind: 'thought', ...placed('thought'), text: 'The query is lost before the cookie is set.', streaming: false },
    { kind: 'turn', ...placed('turn'), turn: 't1', startedAt: ago(22), end: 'end' },
    { kind: 'turn', ...placed('turn1'), turn: 't1a', startedAt: ago(20), end: 'end', patch },
    {
      kind: 'turn',
      ...placed('turn2'),
      turn: 't2',
      startedAt: ago(12),
      end: 'error',
      error: 'the model did not answer',
    },
    { kind: 'notice', ...placed('notice'), code: 'sample', text: 'Out of contact with the machine since 12:04' },
  ]
}

const patch = `diff --git a/src/auth.ts b/src/auth.ts
--- a/src/auth.ts
+++ b/src/auth.ts
@@ -1,2 +1,2 @@
 const home = '/'
-redirect(home)
+redirect(from ?? home)
diff --git a/NOTES.md b/NOTES.md
new file mode 100644
--- /dev/null
+++ b/NOTES.md
@@ -0,0 +1 @@
+The query is kept.
`

const requests = {
  command: {
    tool: 'Bash',
    title: 'Run a command',
    input: 'npm publish --access public --tag next',
    cwd: '/home/dana/src/app',
    reason: 'You asked me to publish what is tested.',
  },
  plan: {
    tool: 'ExitPlanMode',
    title: 'Go ahead with this plan',
    input: '## Keep the query\n1. write a test that fails\n2. change `redirect()`\n3. run **all** tests',
    cwd: '/home/dana/src/app',
    plan: true as const,
  },
  odd: { tool: 'Bash', title: 'Run a command with odd letters', input: 'rm -rf ./b\u200build\u202e # сlean' },
  long: {
    tool: 'Bash',
    title: 'Run a script',
    input: Array.from({ length: 60 }, (_, at) => `echo line ${at}`).join('\n'),
  },
  edit: {
    tool: 'Edit',
    title: 'Change src/auth/session.ts',
    input: JSON.stringify({
      file_path: 'src/auth/session.ts',
      old_string: 'const next = "/"\n',
      new_string: 'const next = query.next\n',
      replace_all: true,
    }),
  },
  write: {
    tool: 'Write',
    title: 'Write NOTES.md',
    input: JSON.stringify({ path: 'NOTES.md', content: 'The query is kept.\nSee сlean.ts\n' }),
  },
  tool: {
    tool: 'deploy',
    title: 'Deploy to staging',
    input: JSON.stringify({
      target: 'staging',
      replicas: 2,
      dryRun: false,
      labels: ['blue', 'green'],
      env: { NODE_ENV: 'production', note: 'first line\nsecond line' },
    }),
  },
  fetch: {
    tool: 'WebFetch',
    title: 'Fetch a page',
    input: '{"url":"https://example.com@example.org/a","prompt":"Sum up"}',
  },
  patch: {
    tool: 'apply_patch',
    title: 'Edit src/auth.ts',
    input:
      "--- src/auth.ts\n+++ src/auth.ts\n@@ -1,2 +1,2 @@\n const home = '/'\n-redirect(home)\n+redirect(from ?? home)\n",
  },
  arguments: {
    tool: 'Bash',
    title: 'Run the tests',
    input: JSON.stringify(
      { command: 'npm test -- auth\nnpm run check', description: 'Run the tests', timeout: 120_000 },
      null,
      2,
    ),
    cwd: '/home/dana/src/app',
  },
} satisfies Record<string, ApprovalRequest>

/** Cards: open in each form, and folded after each answer. */
export function sampleApprovals(): { open: readonly ApprovalItem[]; answered: readonly ApprovalItem[] } {
  const approval = (key: string, request: ApprovalRequest, more: Partial<ApprovalItem> = {}): ApprovalItem => ({
    kind: 'approval',
    key: `approval:${key}`,
    seq: 1,
    at: ago(3),
    approval: key,
    digest: 'a'.repeat(64),
    verdicts: ['allow', 'deny', 'modify'],
    scopes: ['once'],
    strength: 'enforced',
    expiresAt: hence(24),
    request,
    ...more,
  })
  const answered = (key: string, outcome: ApprovalItem['outcome'], more: Partial<ApprovalItem> = {}): ApprovalItem =>
    approval(key, requests.command, { outcome, resolvedAt: ago(1), by: mine, channel: 'web:1', ...more })
  return {
    open: [
      approval('command', requests.command, { risk: 'high' }),
      approval('arguments', requests.arguments),
      approval('write', requests.write),
      approval('tool', requests.tool),
      approval('fetch', requests.fetch),
      approval('patch', requests.patch),
      approval('edit', requests.edit, { strength: 'advisory', verdicts: ['allow', 'deny'] }),
      approval('plan', requests.plan, { risk: 'medium', strength: 'advisory', verdicts: ['allow', 'deny'] }),
      approval('odd', requests.odd, { strength: 'mediated' }),
      approval('long', requests.long, { expiresAt: hence(0.5) }),
    ],
    answered: [
      answered('allowed', 'allowed'),
      answered('modified', 'allowed_modified', { by: theirs, modifiedInput: 'npm publish --tag beta' }),
      answered('denied', 'denied', { reason: 'Not before the review.', by: theirs, channel: 'cli:tty0' }),
      answered('late', 'timed_out', { by: { kind: 'system', id: 'server' } }),
      answered('gone', 'cancelled', { by: { kind: 'system', id: 'server' }, dispatch: 'unknown' }),
    ],
  }
}

/** Questions: open, and answered. */
export function sampleQuestions(): readonly QuestionItem[] {
  const schema = {
    properties: {
      region: { title: 'Region', type: 'string', enum: ['Frankfurt', 'Dublin'] },
      replicas: { title: 'Replicas', type: 'integer', minimum: 1, maximum: 9, default: 2 },
      public: { title: 'Public', type: 'boolean', description: 'Whether the whole world may reach it' },
      tags: { title: 'Tags', type: 'array', items: { enum: ['blue', 'green'] } },
      note: { title: 'Note', type: 'string' },
    },
    required: ['region'],
  }
  const question = (key: string): QuestionItem => ({
    kind: 'question',
    key: `question:${key}`,
    seq: 1,
    at: ago(9),
    question: key,
    text: 'Which region shall it run in?',
    schema,
  })
  return [question('open'), { ...question('done'), action: 'accept', content: { region: 'Dublin' } }]
}
