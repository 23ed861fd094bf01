import { readFileSync, writeFileSync } from 'node:fs'
import { formatAgents, readAgents, withTable } from './agents-table.ts'

// `npm run agents:table`: writes the table of docs/agents.md from what the tests of real agents saw.
const file = 'docs/agents.md'
writeFileSync(file, withTable(readFileSync(file, 'utf8'), formatAgents(readAgents())))
