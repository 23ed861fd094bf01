import { Isolator } from '../src/isolation/isolator.ts'
import { filesOf, words } from './merge-scene.ts'

/** One merge in a process of its own, to be killed in the middle: folder of the places, branch, files as JSON. */
const [folder = '', into = '', files = '{}'] = process.argv.slice(2)
const isolator = new Isolator({ folder, environment: { PATH: process.env['PATH'], HOME: process.env['HOME'] } })
const done = await isolator.commit('s1', filesOf(JSON.parse(files) as Record<string, string>), words, into)
process.stdout.write(JSON.stringify(done))
