import type { ApprovalRequest } from '@hotline/protocol/events/approval'
import type { Content } from '@hotline/protocol/http'
import { useCallback, useEffect, useState } from 'react'
import { useLive } from './hotline.tsx'

/** The input of a request, whole or not at all. */
export interface ExactInput {
  /** Absent while it is not here. */
  text: string | undefined
  /** Why it could not be fetched. */
  failure: string | undefined
  retry: () => void
}

/** What a request would run: from its event, or, where it is too long for that, from beside it. Fetched while `wanted`. */
export function useExactInput(session: string, request: ApprovalRequest | undefined, wanted: boolean): ExactInput {
  const { link } = useLive()
  const [fetched, setFetched] = useState<{ text?: string; failure?: string }>({})
  const [tries, setTries] = useState(0)
  const digest = request?.content?.digest
  useEffect(() => {
    if (digest === undefined || !wanted) return
    let left = false
    const read = async (): Promise<void> => {
      const answer = await link.request<Content>('GET', `/api/sessions/${session}/content/${digest}`)
      if (!answer.ok) return setFetched({ failure: answer.problem.detail })
      const { text } = answer.value
      const found = await sha256(text)
      const same = found === undefined || found === digest
      if (!left) setFetched(same ? { text } : { failure: 'What came is not what was asked. Do not decide.' })
    }
    void read()
    return () => {
      left = true
    }
  }, [link, session, digest, wanted, tries])
  const retry = useCallback(() => setTries((so) => so + 1), [])
  if (digest === undefined) return { text: request?.input ?? '', failure: undefined, retry }
  return { text: fetched.text, failure: fetched.failure, retry }
}

/** Hex. Undefined where the browser has none to offer: on a page that is neither https nor of this machine. */
async function sha256(text: string): Promise<string | undefined> {
  if (!globalThis.isSecureContext) return undefined
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
