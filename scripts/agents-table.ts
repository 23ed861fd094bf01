import { globSync, readFileSync } from 'node:fs'

const begin = '<!-- made by `npm run agents:table` -->'
const end = '<!-- end of what is made -->'

interface Seen {
  agent: string
  package: string
  version: string
  cells: Record<string, string>
}

/** What the tests of real agents saw, one row for each agent, and what stands behind the cells. */
export function formatAgents(agents: readonly Seen[]): string {
  const names = Object.keys(agents[0]?.cells ?? {})
  const remarks: string[] = []
  const cell = (text: string): string => {
    const [word = '', ...rest] = text.split(': ')
    if (rest.length === 0) return word
    const remark = rest.join(': ')
    if (!remarks.includes(remark)) remarks.push(remark)
    return `${word === 'not possible' ? 'no' : word} (${remarks.indexOf(remark) + 1})`
  }
  const rows = agents.map(({ agent, package: name, version, cells }) => [
    `\`${agent}\``,
    `${name} ${version}`,
    ...names.map((one) => cell(cells[one] ?? '')),
  ])
  const lines = [['agent', 'package', ...names], Array.from({ length: names.length + 2 }, () => '---'), ...rows]
  const table = lines.map((line) => `| ${line.join(' | ')} |`)
  return [...table, '', ...remarks.map((remark, index) => `${index + 1}. ${remark}`)].join('\n')
}

/** The rows, in the order of their names. */
export function readAgents(): readonly Seen[] {
  return globSync('docs/agents/*.json')
    .map((file) => JSON.parse(readFileSync(file, 'utf8')) as Seen)
    .toSorted((a, b) => a.agent.localeCompare(b.agent))
}

/** The page with its table made anew. Throws where the page has no place for it. */
export function withTable(page: string, table: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < from) throw new Error('docs/agents.md has no place for the table')
  return `${page.slice(0, from + begin.length)}\n${table}\n${page.slice(to)}`
}
