import { describe } from 'vitest'
import type { OpenLogBench } from './log-bench.ts'
import { appendContract } from './log-contract-append.ts'
import { auditContract } from './log-contract-audit.ts'
import { listsContract } from './log-contract-lists.ts'
import { modelContract } from './log-contract-model.ts'
import { proofContract } from './log-contract-proof.ts'
import { usageContract } from './log-contract-usage.ts'
import { readContract } from './log-contract-read.ts'

/** What every log store has to hold, whatever it is built on. `open` gives each test an empty one. */
export function logStoreContract(name: string, open: OpenLogBench): void {
  describe(`log store on ${name}`, () => {
    appendContract(open)
    readContract(open)
    proofContract(open)
    modelContract(open)
    listsContract(open)
    auditContract(open)
    usageContract(open)
  })
}
