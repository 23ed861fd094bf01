// `npm run faults`: rows of the list of faults, run after run, each with a seed that repeats it.
import { parseArgs } from 'node:util'
import { randomSeed } from '@hotline/testing/seed'
import type { FaultRow, StoreKind } from './fault-row.ts'
import { faultRows } from './rows.ts'
import { openFaultField } from './run-rows.ts'

const help = `npm run faults -- [WORD …] [--seed N] [--runs K] [--rows 1,3,…] [--store sqlite|postgres] [--some] [--minutes M]

  --seed N      the first seed; each run has the next one. Chosen and printed when absent.
  --runs K      how many runs of every row; 1 when absent, or as many as fit into --minutes.
  WORD          only rows whose name has this word.
  --rows A,B    only these rows.
  --store S     only this store; otherwise each run takes the store that its seed says, where a row knows both.
  --some        the smaller amount that every run of CI does.
  --minutes M   starts no other row after so many minutes.

Rows:
${faultRows.map(({ row, name }) => `${String(row).padStart(4)}  ${name}`).join('\n')}
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    runs: { type: 'string' },
    rows: { type: 'string' },
    store: { type: 'string' },
    some: { type: 'boolean', default: false },
    minutes: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

/** A whole number of at least `least`; throws a RangeError that names the option. */
function whole(name: string, text: string, least: number): number {
  if (/^\d{1,10}$/.test(text) && Number(text) >= least && Number(text) <= 0xffffffff) return Number(text)
  throw new RangeError(`--${name} must be a whole number from ${least} up, not "${text}"`)
}

function chosenRows(text: string | undefined, words: readonly string[]): readonly FaultRow[] {
  if (words.length > 0) {
    const rows = faultRows.filter(({ name }) => words.every((word) => name.split(' ').includes(word)))
    if (rows.length > 0 && text === undefined) return rows
    throw new RangeError(`no row has "${words.join(' ')}" in its name, or --rows was given beside it`)
  }
  if (text === undefined) return faultRows
  return text.split(',').map((name) => {
    const row = faultRows.find((known) => String(known.row) === name.trim())
    if (row) return row
    throw new RangeError(`there is no row "${name}"; there are ${faultRows.map((known) => known.row).join(', ')}`)
  })
}

function storeOf(row: FaultRow, seed: number, wanted: string | undefined): StoreKind | undefined {
  if (wanted === undefined) return row.stores[seed % row.stores.length]
  return row.stores.find((store) => store === wanted)
}

async function main(): Promise<void> {
  if (values.help) return console.log(help)
  const rows = chosenRows(values.rows, positionals)
  const minutes = values.minutes === undefined ? undefined : whole('minutes', values.minutes, 1)
  const runs = values.runs === undefined ? (minutes === undefined ? 1 : Infinity) : whole('runs', values.runs, 1)
  if (values.store !== undefined && values.store !== 'sqlite' && values.store !== 'postgres') {
    throw new RangeError('--store must be sqlite or postgres')
  }
  const first = values.seed === undefined ? randomSeed('faults') : whole('seed', values.seed, 0)
  const until = minutes === undefined ? Infinity : performance.now() + minutes * 60_000
  const amount = values.some ? 'some' : 'much'
  await using field = await openFaultField()
  let done = 0
  let failed = 0
  for (let run = 0; run < runs && performance.now() < until; run += 1) {
    const seed = (first + run) % 0x1_0000_0000
    console.log(`run ${run + 1}, seed ${seed}`)
    for (const row of rows) {
      if (performance.now() >= until) break
      const store = storeOf(row, seed, values.store)
      if (store === undefined) continue
      const began = performance.now()
      const told = `row ${String(row.row).padStart(2)}  ${row.name} (${store})`
      const seconds = (): string => `${((performance.now() - began) / 1_000).toFixed(1)} s`
      try {
        const { counts, notes = [] } = await field.run(row, { seed, store, amount })
        const numbers = Object.entries(counts).map(([what, count]) => `${what} ${count}`)
        console.log(`  ok    ${told}: ${[...numbers, ...notes].join(', ')}; ${seconds()}`)
      } catch (error) {
        failed += 1
        const again = [`--seed ${seed}`, `--rows ${row.row}`, `--store ${store}`, ...(values.some ? ['--some'] : [])]
        console.log(`  FAIL  ${told}; ${seconds()}`)
        console.log(
          `  ${error instanceof Error ? (error.name === 'FaultFound' ? error.message : error.stack) : String(error)}`,
        )
        console.log(`  again: npm run faults -- ${again.join(' ')}`)
      }
      done += 1
    }
  }
  console.log(`${done} runs of rows, ${failed} failed`)
  if (failed > 0) process.exitCode = 1
}

try {
  await main()
} catch (error) {
  console.error(error instanceof RangeError ? `${error.message}\n\n${help}` : error)
  process.exitCode = 2
}
