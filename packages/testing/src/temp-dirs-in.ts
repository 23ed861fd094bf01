import { afterAll, beforeAll } from 'vitest'

/** Temporary folders of the tests of a file or block are made in another place than usual. */
export function tempDirsIn(folder: string): void {
  const before = process.env['TMPDIR']
  beforeAll(() => {
    process.env['TMPDIR'] = folder
  })
  afterAll(() => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  })
}
