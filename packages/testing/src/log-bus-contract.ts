import type { Bus } from '@hotline/server/log/bus'
import type { Appended } from '@hotline/server/log/log-store'
import { describe, expect, test } from 'vitest'

function appended(stream: string, head: number): Appended {
  return { stream, epoch: 'abcdefgh', head, events: [] }
}

/** What every bus has to hold. `open` gives each test one that nobody else uses. */
export function busContract(name: string, open: () => Promise<Bus>): void {
  describe(`bus on ${name}`, () => {
    test('[L23] everybody hears what was published, for each stream in the order of the commits', async () => {
      await using bus = await open()
      const heard: string[][] = [[], []]
      for (const list of heard) bus.subscribe(({ stream, head }) => list.push(`${stream} ${head}`))
      const expected: string[] = []
      for (let head = 1; head <= 50; head += 1) {
        bus.publish([appended('session:a', head), appended('session:b', head)])
        expected.push(`session:a ${head}`, `session:b ${head}`)
      }
      for (const stream of ['session:a', 'session:b']) {
        for (const list of heard) {
          const of = (all: readonly string[]) => all.filter((one) => one.startsWith(stream))
          await expect.poll(() => of(list)).toEqual(of(expected))
        }
      }
    })

    test('[L23] whoever leaves hears nothing more, also when others publish at that moment', async () => {
      await using bus = await open()
      const heard: string[] = []
      const leaveFirst = bus.subscribe(({ head }) => {
        heard.push(`first ${head}`)
        leaveFirst()
        leaveSecond()
      })
      const leaveSecond = bus.subscribe(({ head }) => heard.push(`second ${head}`))
      let last = 0
      bus.subscribe(({ head }) => {
        last = head
      })
      bus.publish([appended('session:a', 1)])
      bus.publish([appended('session:a', 2)])
      await expect.poll(() => last).toBe(2)
      expect(heard).toEqual(['first 1'])
      leaveFirst()
    })

    test('[L23] who comes while something is published hears what comes after it', async () => {
      await using bus = await open()
      const heard: number[] = []
      const leave = bus.subscribe(() => {
        leave()
        bus.subscribe(({ head }) => heard.push(head))
      })
      bus.publish([appended('session:a', 1)])
      bus.publish([appended('session:a', 2)])
      await expect.poll(() => heard).toEqual([2])
    })

    test('[L23] a closed bus calls nobody', async () => {
      const bus = await open()
      const heard: number[] = []
      bus.subscribe(({ head }) => heard.push(head))
      await bus[Symbol.asyncDispose]()
      bus.publish([appended('session:a', 1)])
      expect(heard).toEqual([])
    })
  })
}
