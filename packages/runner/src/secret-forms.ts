import { parseObject } from './adapters/wire/json.ts'

/** Shorter values would mask ordinary words; they are no secrets worth the name. */
const secretCharsMin = 8

/** Parts of a secret from this length on, lines of a private key for instance, are secrets: they are shown one by one. */
const partCharsMin = 16

/** JSON in JSON: what a program was answered, told to a tool, in a request of an agent. */
const jsonLevels = 4

/** Levels of a value that is JSON itself. */
const depthMax = 20

/** The first and the last line of a key in PEM, which say nothing. */
const frame = /^-+[A-Z0-9 ]+-+$/

/** Keys of Hotline have a form of their own, so that they are known without having been told. */
export const ownToken = 'hl_[a-z]{3}_[A-Za-z0-9-]{1,64}_[A-Za-z0-9_-]{43}_[0-9a-f]{6}'

/** One that was cut, at the end of a text. */
export const ownTokenCut = /hl_[a-z]{3}_[A-Za-z0-9-]{1,64}_[A-Za-z0-9_-]{8,}$/

/** A text that could go on to be one. */
const ownTokenBegun = /^hl_(?:[a-z]{0,3}|[a-z]{3}_[A-Za-z0-9_-]*)$/
/** How each of them begins. */
export const ownTokenStart = 'hl_'
const ownTokenCharsMax = 122

/**
 * The texts as which a value is found: as it is, without the blanks around it, inside JSON, with the line ends of a terminal,
 * in an address, in base64 wherever it begins there; and the same of each of its longer lines and, where it is JSON itself, of
 * each longer text in it.
 */
export function formsOf(value: string): ReadonlySet<string> {
  const forms = new Set<string>()
  const trimmed = value.trim()
  if (trimmed.length < secretCharsMin) return forms
  const members = membersOf(trimmed)
  for (const text of [value, trimmed, ...members, ...[trimmed, ...members].flatMap(linesOf)]) {
    for (let [form, level] = [text, 0]; level <= jsonLevels; [form, level] = [inJson(form), level + 1]) {
      forms.add(form)
      forms.add(form.replaceAll(/\r?\n/g, '\r\n'))
    }
    forms.add(encodeURIComponent(text.toWellFormed()))
    forms.add(new URLSearchParams({ '': text }).toString().slice(1))
  }
  for (const form of inBase64(trimmed)) {
    forms.add(form)
    forms.add(form.replaceAll('+', '-').replaceAll('/', '_'))
  }
  return forms
}

/** Where a text could go on to be a key of Hotline; its length where it could not. */
export function ownTokenFrom(text: string, from: number): number {
  const near = Math.max(from, text.length - ownTokenCharsMax)
  for (let at = text.indexOf(ownTokenStart, near); at >= 0; at = text.indexOf(ownTokenStart, at + 1)) {
    if (ownTokenBegun.test(text.slice(at))) return at
  }
  const begun = [2, 1].find((chars) => text.length - chars >= from && text.endsWith(ownTokenStart.slice(0, chars)))
  return text.length - (begun ?? 0)
}

function linesOf(text: string): readonly string[] {
  const lines = text.split(/\r?\n/)
  if (lines.length === 1) return []
  return lines.map((line) => line.trim()).filter((line) => line.length >= partCharsMin && !frame.test(line))
}

/** The texts in it, where it is a JSON object, as the credentials of a service are. */
function membersOf(text: string): readonly string[] {
  const object = text.startsWith('{') ? parseObject(text, depthMax) : undefined
  const texts = Object.values(object ?? {}).filter((member) => typeof member === 'string')
  return texts.map((member) => member.trim()).filter((member) => member.length >= partCharsMin)
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

/** What does not depend on what stands before and behind it. */
function inBase64(text: string): readonly string[] {
  const bytes = Buffer.from(text)
  return [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes])
    const unsure = Math.ceil((before * 8) / 6)
    return whole.toString('base64').slice(unsure, Math.floor((whole.length * 8) / 6))
  })
}
