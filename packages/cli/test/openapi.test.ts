import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startHotlineProcess } from './hotline-process.ts'
import { liveScene } from './live-scene.ts'

const scene = liveScene()

it('[OA11] hotline openapi writes the documents of the server into a folder, without a credential', async () => {
  const folder = join(scene.home.path, 'for', 'a file server')
  const env = { HOME: scene.home.path, HOTLINE_URL: scene.live.url }
  const { code, out } = await startHotlineProcess(['openapi', folder], env).ended
  expect([code, out]).toEqual([0, `${join(folder, 'openapi.json')}\n${join(folder, 'asyncapi.json')}\n`])
  for (const name of readdirSync(folder)) {
    const served: unknown = await (await fetch(new URL(`/api/${name}`, scene.live.url))).json()
    expect(JSON.parse(readFileSync(join(folder, name), 'utf8'))).toEqual(served)
  }
  const away = { ...env, HOTLINE_URL: 'http://127.0.0.1:1' }
  expect((await startHotlineProcess(['openapi', folder], away).ended).code).toBe(6)
})
