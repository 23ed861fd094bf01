import { legibleName } from '../text/legible.ts'

const sizePx = 64

/** Puts how many things wait, and what is shown, into title and icon of the browser's tab; a plain dot where nothing waits. */
export function showInTab(count: number, shown: string | undefined): void {
  document.title = `${count > 0 ? `(${count}) ` : ''}${shown === undefined ? '' : `${legibleName(shown)} · `}Hotline`
  const canvas = document.createElement('canvas')
  canvas.width = sizePx
  canvas.height = sizePx
  const draw = canvas.getContext('2d')
  const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]')
  if (!draw || !icon) return
  draw.fillStyle = count > 0 ? '#b45309' : '#2563eb'
  draw.beginPath()
  draw.arc(sizePx / 2, sizePx / 2, count > 0 ? sizePx / 2 : sizePx / 3, 0, 2 * Math.PI)
  draw.fill()
  if (count > 0) {
    draw.fillStyle = '#ffffff'
    draw.font = `bold ${count > 9 ? 34 : 46}px sans-serif`
    draw.textAlign = 'center'
    draw.textBaseline = 'middle'
    draw.fillText(count > 99 ? '99+' : String(count), sizePx / 2, sizePx / 2 + 3)
  }
  icon.href = canvas.toDataURL('image/png')
}
