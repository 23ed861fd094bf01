import type { AuditEntry } from '@hotline/protocol/audit'

const columns = [
  'at',
  'group',
  'type',
  'actor',
  'name',
  'channel',
  'address',
  'project',
  'session',
  'title',
  'about',
  'outcome',
  'digest',
  'stream',
  'seq',
  'hash',
] as const satisfies readonly (keyof AuditEntry)[]

/** The first line of the table. */
export const csvHead: string = `${columns.join(',')}\r\n`

/** One entry as a line of CSV (RFC 4180). */
export function csvLine(entry: AuditEntry): string {
  const cells = columns.map((column) => {
    const value = column === 'actor' ? `${entry.actor.kind}:${entry.actor.id}` : entry[column]
    return cell(value === null ? '' : String(value))
  })
  return `${cells.join(',')}\r\n`
}

/** One entry as a line of JSON. */
export function jsonLine(entry: AuditEntry): string {
  return `${JSON.stringify(entry)}\n`
}

/** What a program for tables takes for a formula when a cell begins with it; the wide forms count in some of them too. */
const formula = /^[=+\-@\t\r\n＝＋－＠]/

/** A quote before it makes text of what would be a formula: agents and strangers choose what stands here. */
function cell(text: string): string {
  const tame = formula.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(tame) ? `"${tame.replaceAll('"', '""')}"` : tame
}
