import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { formatAgents, readAgents, withTable } from '../agents-table.ts'

it('[AG9] the table of real agents is made of what their tests saw, and nothing is left open in it', () => {
  const agents = readAgents()
  expect(agents.length).toBeGreaterThanOrEqual(3)
  const page = readFileSync('docs/agents.md', 'utf8')
  expect(page).toBe(withTable(page, formatAgents(agents)))
  for (const { agent, cells } of agents) {
    for (const [cell, text] of Object.entries(cells)) {
      expect(text, `${agent}: ${cell}`).toMatch(/^(works(: .+)?|not possible: .+)$/)
    }
  }
})
