import { describe, expect, it } from 'vitest'
import { stepObject } from '../src/step-object.ts'

const of = (path: string): string => stepObject({ stepKind: 'read', title: 'Read it', locations: [path] })

describe('what a step is at', () => {
  it('[G46] is its file, a long path by its end', () => {
    expect(of('src/auth.ts')).toBe('src/auth.ts')
    expect(of('/home/dana/src/app/packages/web/src/main.tsx')).toBe('…/src/main.tsx')
    expect(of(`/${'a'.repeat(80)}`)).toHaveLength(60)
    expect(stepObject({ stepKind: 'execute', title: 'npm test\nnpm run check', locations: ['/src'] })).toBe('npm test')
  })
})
