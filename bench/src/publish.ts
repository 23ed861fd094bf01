import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { replaceGenerated } from './page.ts'
import { formatReport, mergeReports, noReport, readReport, type Report } from './report.ts'

// `npm run bench:table -- [report ...]`: takes the scenarios of the given reports into docs/performance.json, a later
// report over an earlier one, and writes what docs/performance.md shows of it. Without a report it writes the page anew.

const published: string = fileURLToPath(new URL('../../docs/performance.json', import.meta.url))
const page: string = fileURLToPath(new URL('../../docs/performance.md', import.meta.url))

function readPublishable(path: string): Report {
  const report = readReport(path)
  for (const { only, profile } of report.runs) {
    if (only.length > 0) throw new Error(`${path} has only ${only.join(', ')}: a table without its peers says nothing`)
    if (profile === 'smoke') throw new Error(`${path} is of a smoke run, which measures nothing`)
  }
  return report
}

const report = process.argv
  .slice(2)
  .map(readPublishable)
  .reduce(mergeReports, existsSync(published) ? readReport(published) : noReport)
writeFileSync(published, formatReport(report))
writeFileSync(page, replaceGenerated(readFileSync(page, 'utf8'), report))
