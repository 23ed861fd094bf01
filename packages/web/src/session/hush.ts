import type { IFunctionIdentifier, Terminal } from '@xterm/xterm'

/** Titles, colours, links, clipboard, folders, notifications, marks of shells: none of a program's to set from here. */
const oscCodes = [
  0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 22, 50, 52, 99, 104, 105, 110, 111, 112, 113,
  114, 115, 116, 117, 118, 119, 133, 633, 777, 1337,
]

/** What asks the terminal something: who it is, where its cursor is, how large it is, which modes are set. */
const csiQueries: readonly IFunctionIdentifier[] = [
  { final: 'c' },
  { prefix: '>', final: 'c' },
  { prefix: '=', final: 'c' },
  { final: 'n' },
  { prefix: '?', final: 'n' },
  { final: 't' },
  { final: 'x' },
  { prefix: '>', final: 'q' },
  { prefix: '?', final: 'u' },
  { intermediates: '$', final: 'p' },
  { prefix: '?', intermediates: '$', final: 'p' },
]

/**
 * Makes a terminal a picture: a program can neither set anything outside of it nor make it answer. An answer would be typed
 * to the program in somebody's name, once by each page that shows it; where there is a terminal behind the program, that
 * answers.
 */
export function hush({ parser }: Terminal): void {
  for (const code of oscCodes) parser.registerOscHandler(code, () => true)
  for (const query of csiQueries) parser.registerCsiHandler(query, () => true)
  for (const intermediates of ['$', '+']) parser.registerDcsHandler({ intermediates, final: 'q' }, () => true)
  parser.registerEscHandler({ final: 'Z' }, () => true)
}

/** That a terminal has the focus, or no more: a program may ask to be told, but nobody has typed it. */
export function isFocusReport(text: string): boolean {
  return text === '\u001b[I' || text === '\u001b[O'
}

/**
 * What is pasted into a terminal is text, as it was copied: lines and tabs stay, other control characters go. With them a page
 * could end the paste before its end, and have the rest run as if it were typed.
 */
export function pasteAsText(element: HTMLElement, paste: (text: string) => void): () => void {
  const take = (event: ClipboardEvent): void => {
    event.preventDefault()
    event.stopImmediatePropagation()
    const text = event.clipboardData?.getData('text/plain') ?? ''
    paste(text.replace(/(?![\n\r\t])\p{Cc}/gu, ''))
  }
  // Before the terminal's own, which listens below it.
  element.addEventListener('paste', take, { capture: true })
  return () => element.removeEventListener('paste', take, { capture: true })
}
