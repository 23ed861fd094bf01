import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { findShells } from '../shells.ts'

/** The one shell of ours: it has a script of our own, and watches over the tests' PostgreSQL. */
const ownScripts = ['packages/testing/src/postgres-process.ts']

describe('no shell', () => {
  it('[T46] no source of ours hands anything to a shell', () => {
    const sources = globSync('{packages/*,e2e,bench}/{src,bin}/**/*.{ts,tsx,js,mjs,cjs}')
    expect(sources.length).toBeGreaterThan(400)
    const found = sources.flatMap((file) => findShells(readFileSync(file, 'utf8')).map((what) => `${file} ${what}`))
    expect(found.filter((line) => !ownScripts.some((file) => line.startsWith(`${file} names the program`)))).toEqual([])
    const starting = sources.filter((file) => readFileSync(file, 'utf8').includes("from 'node:child_process'"))
    expect(starting.length).toBeGreaterThan(10)
  })

  it.each([
    ["import { exec } from 'node:child_process'"],
    ["import { execSync } from 'node:child_process'"],
    ["import { spawn, exec as run } from 'node:child_process'"],
    ["import {\n  spawn,\n  execSync,\n} from 'node:child_process'"],
    ['import { exec } from "node:child_process"'],
    ["import { spawn } from 'child_process'"],
    ["import * as processes from 'node:child_process'"],
    ["import processes from 'node:child_process'"],
    ["import processes, { spawn } from 'node:child_process'"],
    ["export { exec } from 'node:child_process'"],
    ["export * from 'node:child_process'"],
    ["const { exec } = await import('node:child_process')"],
    ["const { exec } = require('child_process')"],
    ["const { exec } = process.getBuiltinModule('node:child_process')"],
    ['spawn(program, args, { shell: true })'],
    ["spawn(program, args, { shell: '/opt/x' })"],
    ['spawn(program, args, { shell })'],
    ['spawn(program, args, { shell: isWindows })'],
    ["spawn(program, args, { 'shell': true })"],
    ["spawn(program, args, { ['shell']: true })"],
    ['options.shell = true'],
    ["options['shell'] = true"],
    ['spawn(program, args, { cwd, // no words\n shell: true })'],
    ["spawn('sh', ['-c', text])"],
    ["spawn('/bin/sh', ['-c', text])"],
    ["spawn('/usr/bin/env', ['bash', '-c', text])"],
    ["execFile('cmd.exe', ['/c', text])"],
    ["execFile('powershell', [text])"],
  ])('[T46] %j is found', (source) => {
    expect(findShells(source)).not.toEqual([])
  })

  it.each([
    ["import { spawn, type ChildProcess } from 'node:child_process'"],
    ["import type { ChildProcess } from 'node:child_process'"],
    ['spawn(program, args, { cwd, shell: false })'],
    ['// no shell: here\n/* { shell: true } */'],
    ["const allowed = ['SHELL', 'HOME']"],
    ["import Shelf from './shelf.ts'"],
    ["say('It was started without a shell, and said:')"],
    ["const request = { tool: 'shell', title }"],
    ['const set = \'{"bash":"ask"}\''],
  ])('[T46] %j is fine', (source) => {
    expect(findShells(source)).toEqual([])
  })
})
