import type { KeyboardEvent, ReactNode } from 'react'

/** Tabs, of which the keyboard reaches the one that is shown; from there arrows lead to the others, and show them. */
export function TabList({ label, children }: { label: string; children: ReactNode }): ReactNode {
  return (
    <div className="tabs" role="tablist" aria-label={label} onKeyDown={walkTabs}>
      {children}
    </div>
  )
}

/** What each tab of such a list has. */
export function tabProps(isShown: boolean): { role: 'tab'; 'aria-selected': boolean; tabIndex: number } {
  return { role: 'tab', 'aria-selected': isShown, tabIndex: isShown ? 0 : -1 }
}

function walkTabs(event: KeyboardEvent<HTMLDivElement>): void {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return
  const tabs = [...event.currentTarget.querySelectorAll<HTMLButtonElement>('[role=tab]:not(:disabled)')]
  const at = tabs.findIndex((tab) => tab === document.activeElement)
  const next = tabs.at(placeAfter(event.key, at, tabs.length) ?? at)
  if (at < 0 || !next || next === tabs[at]) return
  event.preventDefault()
  next.focus()
  next.click()
}

/** From the last one it goes on with the first (the tabs pattern of ARIA). */
function placeAfter(key: string, at: number, count: number): number | undefined {
  switch (key) {
    case 'ArrowLeft':
      return at - 1
    case 'ArrowRight':
      return (at + 1) % count
    case 'Home':
      return 0
    case 'End':
      return count - 1
    default:
      return undefined
  }
}
