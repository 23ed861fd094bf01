import { expect } from 'vitest'

/**
 * Where lines are counted, those of child processes are counted too, in the tests in which these are machines that run agents and
 * what keeps these agents. Elsewhere that would cost minutes and say nothing new. A setup file of the tests. @public vitest.config.ts names it.
 */
const counted = /\/packages\/(?:runner\/test\/|cli\/test\/(?:agents|machines|mcp|places|programs|up)\.test\.ts$)/

if (!counted.test(expect.getState().testPath ?? '')) delete process.env['NODE_V8_COVERAGE']
