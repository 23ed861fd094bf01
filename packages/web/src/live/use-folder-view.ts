import { FolderPath } from '@hotline/protocol/folder-path'
import type { Problem } from '@hotline/protocol/error'
import type { FolderView } from '@hotline/protocol/place'
import { useEffect, useState } from 'react'
import { useLive } from './hotline.tsx'

/** So long nothing was typed before a machine is asked: what is typed half is no folder. */
const restMs = 400

/** What its machine says of a folder; `asking` until it has answered. */
export type FolderReading =
  | { status: 'none' }
  | { status: 'asking' }
  | { status: 'seen'; view: FolderView }
  | { status: 'refused'; problem: Problem }

/** Asks the machine what a folder is like for an agent, once it is named whole. */
export function useFolderView(of: {
  runner: string | undefined
  project: string
  agent: string
  folder: string
}): FolderReading {
  const { link } = useLive()
  const { runner, project, agent, folder } = of
  const [read, setRead] = useState<{ path: string; reading: FolderReading }>()
  const isWhole = runner !== undefined && FolderPath.safeParse(folder).success
  const query = new URLSearchParams({ project, agent, folder })
  const path = isWhole ? `/api/runners/${encodeURIComponent(runner)}/folder?${query.toString()}` : ''

  useEffect(() => {
    if (path === '') return undefined
    let isWanted = true
    const timer = setTimeout(() => {
      void link.request<FolderView>('GET', path).then((answer) => {
        if (!isWanted) return
        const reading: FolderReading = answer.ok
          ? { status: 'seen', view: answer.value }
          : { status: 'refused', problem: answer.problem }
        setRead({ path, reading })
      })
    }, restMs)
    return () => {
      isWanted = false
      clearTimeout(timer)
    }
  }, [link, path])

  if (path === '') return { status: 'none' }
  return read?.path === path ? read.reading : { status: 'asking' }
}
