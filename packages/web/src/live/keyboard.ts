/** Whether a key that is pressed there is text, or belongs to a dialog. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, textarea, select, dialog, .xterm') !== null
}

/** Whether a key stands alone: none of those that make it a command of the browser. */
export function isPlain(event: KeyboardEvent): boolean {
  return !event.ctrlKey && !event.metaKey && !event.altKey
}

/** How the key that goes with a letter is called here: `⌘K`, `Ctrl K`. */
export function commandKey(letter: string): string {
  return /Mac|iPhone|iPad/.test(navigator.userAgent) ? `⌘${letter}` : `Ctrl ${letter}`
}
