import { uuidV7 } from '@hotline/client/uuid'
import { limits } from '@hotline/protocol/limits'
import { useSyncExternalStore } from 'react'

/** A file that is to go with the next message of a session. */
export interface Upload {
  key: string
  name: string
  bytes: number
  at:
    | { is: 'on its way'; part: number }
    /** It can be named in a message. */
    | { is: 'there'; digest: string }
    /** `again`: it can be tried once more. */
    | { is: 'refused'; why: string; again: boolean }
}

/** What was chosen, for each session, as long as the page is open: who looks at another session comes back to it. */
const chosen = new Map<string, readonly Upload[]>()
const contents = new Map<string, File>()
const requests = new Map<string, XMLHttpRequest>()
const watchers = new Set<() => void>()
const none: readonly Upload[] = []

function watch(changed: () => void): () => void {
  watchers.add(changed)
  return () => watchers.delete(changed)
}

/** What was chosen to go with the next message of a session. */
export function useUploads(session: string): readonly Upload[] {
  return useSyncExternalStore(watch, () => chosen.get(session) ?? none)
}

function set(session: string, uploads: readonly Upload[]): void {
  if (uploads.length === 0) chosen.delete(session)
  else chosen.set(session, uploads)
  for (const changed of watchers) changed()
}

function change(session: string, key: string, at: Upload['at']): void {
  const before = chosen.get(session) ?? none
  set(
    session,
    before.map((upload) => (upload.key === key ? { ...upload, at } : upload)),
  )
}

/** Uploads files to a session. What is too large or too many is said, and not sent. */
export function addFiles(session: string, files: readonly File[]): void {
  for (const file of files) {
    const before = chosen.get(session) ?? none
    const key = uuidV7()
    const upload = { key, name: file.name === '' ? 'file' : file.name, bytes: file.size }
    const why = whyNot(file, before.length)
    if (why !== undefined) set(session, [...before, { ...upload, at: { is: 'refused', why, again: false } }])
    else {
      contents.set(key, file)
      set(session, [...before, { ...upload, at: { is: 'on its way', part: 0 } }])
      send(session, key)
    }
  }
}

function whyNot({ size }: File, count: number): string | undefined {
  const { messageAttachments, attachmentBytes } = limits
  if (count >= messageAttachments) return `A message has at most ${messageAttachments} files.`
  if (size > attachmentBytes) return `Too large: a file may have ${attachmentBytes / 1024 ** 2} MiB.`
  return size === 0 ? 'The file is empty.' : undefined
}

/** Tries once more what did not arrive. */
export function sendAgain(session: string, key: string): void {
  change(session, key, { is: 'on its way', part: 0 })
  send(session, key)
}

/** Takes files away: they were sent, or are not wanted. */
export function dropFiles(session: string, keys: readonly string[]): void {
  for (const key of keys) {
    requests.get(key)?.abort()
    requests.delete(key)
    contents.delete(key)
  }
  const before = chosen.get(session) ?? none
  set(
    session,
    before.filter(({ key }) => !keys.includes(key)),
  )
}

/** Puts back what went with a message that was refused; the server has it still. */
export function putBack(session: string, uploads: readonly Upload[]): void {
  if (uploads.length > 0) set(session, [...uploads, ...(chosen.get(session) ?? none)])
}

/** By the one kind of request that tells how much has gone out. */
function send(session: string, key: string): void {
  const file = contents.get(key)
  const upload = chosen.get(session)?.find((one) => one.key === key)
  if (!file || !upload) return
  const request = new XMLHttpRequest()
  requests.set(key, request)
  request.open('POST', `/api/sessions/${session}/attachments?name=${encodeURIComponent(upload.name)}`)
  request.setRequestHeader('content-type', 'application/octet-stream')
  request.responseType = 'json'
  request.upload.addEventListener('progress', ({ loaded, total }) =>
    change(session, key, { is: 'on its way', part: total === 0 ? 0 : loaded / total }),
  )
  const failed = (why: string): void => change(session, key, { is: 'refused', why, again: true })
  request.addEventListener('error', () => failed('It did not arrive: the server cannot be reached.'))
  request.addEventListener('load', () => {
    requests.delete(key)
    const { digest, detail } = (request.response ?? {}) as { digest?: unknown; detail?: unknown }
    if (request.status === 201 && typeof digest === 'string') {
      contents.delete(key)
      return change(session, key, { is: 'there', digest })
    }
    failed(typeof detail === 'string' ? detail : `The server answered ${request.status}.`)
  })
  request.send(file)
}
